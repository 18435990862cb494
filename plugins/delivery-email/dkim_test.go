package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"regexp"
	"strings"
	"testing"
)

// TestDKIM sends signed messages and verifies them as a receiving server would, by a verifier of the test's own.
func TestDKIM(t *testing.T) {
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey, "ed25519": edKey} {
		t.Run(name, func(t *testing.T) {
			der := must(x509.MarshalPKCS8PrivateKey(key))(t)
			c := configure(t, func(c *config) {
				c.DKIM = &dkim{
					Domain: "shop.example", Selector: "fp2026",
					PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
				}
			})
			box := startMailbox(t, mailboxOptions{})
			if got, err := newMailer(box).deliver(t.Context(), c, parcel(t, nil)); err != nil || got.Reason != "" {
				t.Fatal(got, err)
			}
			data := box.all()[0].data
			if err := verifyDKIM(data, key.Public()); err != nil {
				t.Error(err)
			}
			if err := verifyDKIM(bytes.Replace(data, []byte("dzfp_"), []byte("xzfp_"), 1), key.Public()); err == nil {
				t.Error("a changed body still verifies")
			}
			if err := verifyDKIM(bytes.Replace(data, []byte("To: <"), []byte("To: <x"), 1), key.Public()); err == nil {
				t.Error("a changed head still verifies")
			}
		})
	}
}

var (
	blanks     = regexp.MustCompile(`[ \t]+`)
	dkimTag    = regexp.MustCompile(`(?:^|;)\s*([a-z]+)=([^;]*)`)
	whitespace = regexp.MustCompile(`[ \t\r\n]+`)
	emptySig   = regexp.MustCompile(`(;\s*b=)[^;]*`)
)

// verifyDKIM checks a relaxed/relaxed signature (RFC 6376).
func verifyDKIM(raw []byte, key crypto.PublicKey) error {
	head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	headers := map[string]string{}
	for _, field := range splitFields(head) {
		name, value, _ := strings.Cut(field, ":")
		headers[strings.ToLower(strings.TrimSpace(name))] = value
	}
	signature := headers["dkim-signature"]
	tags := map[string]string{}
	for _, m := range dkimTag.FindAllStringSubmatch(whitespace.ReplaceAllString(signature, " "), -1) {
		tags[m[1]] = strings.ReplaceAll(m[2], " ", "")
	}
	if tags["c"] != "relaxed/relaxed" || tags["d"] != "shop.example" || tags["s"] != "fp2026" {
		return errors.New("the signature's tags are not those configured")
	}
	var lines []string
	for line := range strings.SplitSeq(body, "\r\n") {
		lines = append(lines, strings.TrimRight(blanks.ReplaceAllString(line, " "), " "))
	}
	canonical := strings.TrimRight(strings.Join(lines, "\r\n"), "\r\n") + "\r\n"
	if sum := sha256.Sum256([]byte(canonical)); base64.StdEncoding.EncodeToString(sum[:]) != tags["bh"] {
		return errors.New("the body's hash differs")
	}
	var signed strings.Builder
	for name := range strings.SplitSeq(strings.ToLower(tags["h"]), ":") {
		if value, ok := headers[name]; ok {
			signed.WriteString(relaxed(name, value) + "\r\n")
		}
	}
	signed.WriteString(relaxed("dkim-signature", emptySig.ReplaceAllString(signature, "$1")))
	sum := sha256.Sum256([]byte(signed.String()))
	sig, err := base64.StdEncoding.DecodeString(tags["b"])
	if err != nil {
		return err
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig)
	case ed25519.PublicKey:
		if !ed25519.Verify(key, sum[:], sig) {
			return errors.New("the signature is wrong")
		}
	}
	return nil
}

func splitFields(head string) []string {
	var out []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			out[len(out)-1] += "\r\n" + line
			continue
		}
		out = append(out, line)
	}
	return out
}

func relaxed(name, value string) string {
	return name + ":" + strings.TrimSpace(whitespace.ReplaceAllString(value, " "))
}
