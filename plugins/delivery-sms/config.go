package main

import (
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// providerName is a provider that this plugin speaks to.
type providerName string

const (
	// toFile writes each SMS to a file: for trying things out, and for a gateway of one's own that reads the file.
	toFile providerName = "file"
	// toAliyun is 阿里云短信服务.
	toAliyun providerName = "aliyun"
)

type config struct {
	Provider        providerName `json:"provider" enum:"file,aliyun" doc:"who sends the SMS"`
	AccessKeyID     string       `json:"access_key_id,omitempty" doc:"aliyun: AccessKey ID of a RAM user that may SendSms and QuerySendDetails"`
	AccessKeySecret string       `json:"access_key_secret,omitempty" secret:"true" doc:"aliyun: AccessKey secret"`
	SignName        string       `json:"sign_name,omitempty" doc:"aliyun: approved signature, without 【】"`
	TemplateCode    string       `json:"template_code,omitempty" doc:"aliyun: approved template for an issued invoice, with ${code}"`
	TemplateCodeRed string       `json:"template_code_red,omitempty" doc:"aliyun: approved template for a red invoice; without it none is announced"`
	Amount          bool         `json:"amount" default:"false" doc:"the templates also have ${amount}"`
	Endpoint        string       `json:"endpoint" default:"https://dysmsapi.aliyuncs.com" doc:"aliyun: address of the service"`
	File            string       `json:"file,omitempty" doc:"file: absolute path; it holds full numbers and codes, one JSON object a line"`
	Timeout         sdk.Duration `json:"timeout" default:"15s" doc:"most time for one SMS"`
}

var (
	accessKeyID  = regexp.MustCompile(`^[0-9A-Za-z._-]{8,128}$`)
	templateCode = regexp.MustCompile(`^SMS_[0-9]{1,20}$`)
)

// check finds what is missing for the chosen provider.
func (c config) check() []sdk.Problem {
	var problems []sdk.Problem
	need := func(ok bool, pointer, message string) {
		if !ok {
			problems = append(problems, sdk.Problem{Pointer: pointer, Message: message})
		}
	}
	need(time.Duration(c.Timeout) > 0, "/timeout", "must be longer than nothing")
	if c.Provider == toFile {
		need(filepath.IsAbs(c.File), "/file", "must be an absolute path")
		return problems
	}
	need(accessKeyID.MatchString(c.AccessKeyID), "/access_key_id", "is not an AccessKey ID")
	need(c.AccessKeySecret != "", "/access_key_secret", "is required")
	need(isSignName(c.SignName), "/sign_name", "must be the approved signature, 2 to 12 characters without 【】")
	need(templateCode.MatchString(c.TemplateCode), "/template_code", "must be a template code such as SMS_123456789")
	need(c.TemplateCodeRed == "" || templateCode.MatchString(c.TemplateCodeRed), "/template_code_red", "must be a template code such as SMS_123456789")
	need(isEndpoint(c.Endpoint), "/endpoint", "must be https://host, without a path")
	return problems
}

func isSignName(s string) bool {
	n := len([]rune(s))
	return n >= 2 && n <= 12 && !strings.ContainsAny(s, "【】[]") && !strings.ContainsFunc(s, unicode.IsControl) && strings.TrimSpace(s) == s
}

// isEndpoint allows plain HTTP on this machine only: the request's address holds the buyer's number.
func isEndpoint(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && net.ParseIP(u.Hostname()).IsLoopback()
}
