package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Signature of Alibaba Cloud, version 3 (ACS3-HMAC-SHA256), for requests without a body:
// help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature.
const (
	acs3Algorithm = "ACS3-HMAC-SHA256"
	acs3Time      = "2006-01-02T15:04:05Z"
	// acs3NoBody is the SHA-256 of nothing.
	acs3NoBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// acs3Request builds and signs a call of one action. All its parameters travel in the query.
func acs3Request(endpoint *url.URL, action, apiVersion string, query map[string]string, keyID, secret, nonce string, at time.Time) *http.Request {
	encoded := acs3Query(query)
	headers := map[string]string{
		"host":                  endpoint.Host,
		"x-acs-action":          action,
		"x-acs-content-sha256":  acs3NoBody,
		"x-acs-date":            at.UTC().Format(acs3Time),
		"x-acs-signature-nonce": nonce,
		"x-acs-version":         apiVersion,
	}
	canonical, names := acs3Canonical(http.MethodPost, "/", encoded, headers, acs3NoBody)
	r := &http.Request{
		Method: http.MethodPost, Host: endpoint.Host, Header: http.Header{}, Body: http.NoBody,
		URL:   &url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host, Path: "/", RawQuery: encoded},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	for name, value := range headers {
		if name != "host" {
			r.Header.Set(name, value)
		}
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", acs3Algorithm+" Credential="+keyID+",SignedHeaders="+names+",Signature="+acs3Sign(secret, canonical))
	return r
}

// acs3Query sorts and escapes parameters by RFC 3986: a space is %20, and only letters, digits and -_.~ stay.
func acs3Query(query map[string]string) string {
	pairs := make([]string, 0, len(query))
	for _, name := range slices.Sorted(maps.Keys(query)) {
		pairs = append(pairs, rfc3986(name)+"="+rfc3986(query[name]))
	}
	return strings.Join(pairs, "&")
}

func rfc3986(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func acs3Canonical(method, path, query string, headers map[string]string, payload string) (canonical, names string) {
	sorted := slices.Sorted(maps.Keys(headers))
	var lines strings.Builder
	for _, name := range sorted {
		lines.WriteString(name + ":" + strings.TrimSpace(headers[name]) + "\n")
	}
	names = strings.Join(sorted, ";")
	return strings.Join([]string{method, path, query, lines.String(), names, payload}, "\n"), names
}

// acs3Sign signs a canonical request with the secret itself; version 3 derives no keys.
func acs3Sign(secret, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(acs3Algorithm + "\n" + hex.EncodeToString(sum[:])))
	return hex.EncodeToString(mac.Sum(nil))
}
