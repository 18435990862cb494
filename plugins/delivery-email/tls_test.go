package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// TestTLS tries each policy against a server with STARTTLS, with implicit TLS, with none, and with wrong certificates.
func TestTLS(t *testing.T) {
	trusted, stranger := newAuthority(t), newAuthority(t)
	good, otherName, otherCA := trusted.certify(t, mailHost), trusted.certify(t, "evil.example"), stranger.certify(t, mailHost)
	for name, tc := range map[string]struct {
		server  mailboxOptions
		policy  encryption
		outcome sdk.Outcome
		reason  string
	}{
		"mandatory":                    {mailboxOptions{starttls: good}, mandatory, sdk.OutcomeSent, ""},
		"mandatory, not offered":       {mailboxOptions{}, mandatory, sdk.OutcomeRetry, "offers no STARTTLS"},
		"mandatory, other name":        {mailboxOptions{starttls: otherName}, mandatory, sdk.OutcomeRetry, "certificate"},
		"mandatory, other authority":   {mailboxOptions{starttls: otherCA}, mandatory, sdk.OutcomeRetry, "certificate"},
		"opportunistic":                {mailboxOptions{starttls: good}, opportunistic, sdk.OutcomeSent, ""},
		"opportunistic, not offered":   {mailboxOptions{}, opportunistic, sdk.OutcomeSent, ""},
		"opportunistic, wrong name":    {mailboxOptions{starttls: otherName}, opportunistic, sdk.OutcomeRetry, "certificate"},
		"none":                         {mailboxOptions{starttls: good}, none, sdk.OutcomeSent, ""},
		"implicit":                     {mailboxOptions{implicit: good}, implicit, sdk.OutcomeSent, ""},
		"implicit, other authority":    {mailboxOptions{implicit: otherCA}, implicit, sdk.OutcomeRetry, "certificate"},
		"mandatory at an implicit one": {mailboxOptions{implicit: good}, mandatory, sdk.OutcomeRetry, "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			box := startMailbox(t, tc.server)
			c := configure(t, func(c *config) {
				c.TLS, c.CAFile = tc.policy, trusted.file
				if strings.Contains(tc.reason, "in time") {
					c.Timeout = sdk.Duration(300e6) // both ends wait for the other
				}
			})
			got, err := newMailer(box).deliver(t.Context(), c, parcel(t, nil))
			if err != nil {
				t.Fatal(err)
			}
			class := sdk.ReasonClass("")
			if tc.outcome == sdk.OutcomeRetry {
				class = sdk.ProviderProblem
			}
			wantReceipt(t, got, tc.outcome, class)
			if !strings.Contains(got.Reason, tc.reason) {
				t.Errorf("reason %q, want one with %q", got.Reason, tc.reason)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	ca := newAuthority(t)
	secured := mailboxOptions{starttls: ca.certify(t, mailHost), auth: true}
	for name, tc := range map[string]struct {
		server  mailboxOptions
		change  func(*config)
		outcome sdk.Outcome
		class   sdk.ReasonClass
		logins  int
	}{
		"accepted":         {server: secured, outcome: sdk.OutcomeSent, logins: 1},
		"named":            {server: secured, change: func(c *config) { c.Auth = plain }, outcome: sdk.OutcomeSent, logins: 1},
		"refused":          {server: secured, change: func(c *config) { c.Password = "wrong" }, outcome: sdk.OutcomeRetry, class: sdk.CredentialsProblem},
		"not to be had":    {server: secured, change: func(c *config) { c.Auth = cramMD5 }, outcome: sdk.OutcomeRetry, class: sdk.CredentialsProblem},
		"not offered":      {server: mailboxOptions{starttls: secured.starttls}, outcome: sdk.OutcomeRetry, class: sdk.CredentialsProblem},
		"stripped of TLS":  {server: mailboxOptions{auth: true, insecureAuth: true}, change: func(c *config) { c.TLS = opportunistic }, outcome: sdk.OutcomeRetry, class: sdk.CredentialsProblem},
		"implicit TLS":     {server: mailboxOptions{implicit: secured.starttls, auth: true}, change: func(c *config) { c.TLS = implicit }, outcome: sdk.OutcomeSent, logins: 1},
		"in the clear":     {server: mailboxOptions{auth: true, insecureAuth: true}, change: func(c *config) { c.TLS = none }, outcome: sdk.OutcomeRetry, class: sdk.CredentialsProblem},
		"clear, localhost": {server: mailboxOptions{auth: true, insecureAuth: true}, change: func(c *config) { c.TLS, c.Host = none, "localhost" }, outcome: sdk.OutcomeSent, logins: 1},
	} {
		t.Run(name, func(t *testing.T) {
			box := startMailbox(t, tc.server)
			c := configure(t, func(c *config) {
				c.TLS, c.CAFile, c.Username, c.Password = mandatory, ca.file, mailUser, mailPass
				if tc.change != nil {
					tc.change(c)
				}
			})
			got, err := newMailer(box).deliver(t.Context(), c, parcel(t, nil))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, tc.outcome, tc.class)
			if len(box.logins) != tc.logins {
				t.Errorf("%d logins, want %d", len(box.logins), tc.logins)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	ca := newAuthority(t)
	secured := mailboxOptions{starttls: ca.certify(t, mailHost), auth: true}
	good := func(c *config) {
		c.TLS, c.CAFile, c.Username, c.Password = mandatory, ca.file, mailUser, mailPass
	}
	for name, tc := range map[string]struct {
		change func(*config)
		probe  bool
		want   []string // pointers; "~" before a warning's
	}{
		"good":              {probe: true},
		"not probed":        {change: func(c *config) { c.Password = "wrong" }},
		"wrong password":    {change: func(c *config) { c.Password = "wrong" }, probe: true, want: []string{"/password"}},
		"wrong host":        {change: func(c *config) { c.Host = "other.shop.example" }, probe: true, want: []string{"/host"}},
		"host":              {change: func(c *config) { c.Host = "mail shop" }, want: []string{"/host"}},
		"from":              {change: func(c *config) { c.From = "开票 <a@b.cn>" }, want: []string{"/from"}},
		"reply to":          {change: func(c *config) { c.ReplyTo = "a@b.cn\r\nX: y" }, want: []string{"/reply_to"}},
		"name":              {change: func(c *config) { c.FromName = "a\r\nBcc: b@c.cn" }, want: []string{"/from_name"}},
		"greeting":          {change: func(c *config) { c.HELO = "a b" }, want: []string{"/helo"}},
		"port":              {change: func(c *config) { c.Port = 70000 }, want: []string{"/port"}},
		"no time":           {change: func(c *config) { c.Timeout = 0 }, want: []string{"/timeout"}},
		"user alone":        {change: func(c *config) { c.Password = "" }, want: []string{"/password"}},
		"password, no TLS":  {change: func(c *config) { c.TLS = none }, want: []string{"/tls"}},
		"no TLS":            {change: func(c *config) { c.TLS, c.Username, c.Password = none, "", "" }, want: []string{"~/tls"}},
		"no TLS at home":    {change: func(c *config) { c.TLS, c.Host = none, "127.0.0.1" }},
		"may be stripped":   {change: func(c *config) { c.TLS = opportunistic }, want: []string{"~/tls"}},
		"no such authority": {change: func(c *config) { c.CAFile += ".gone" }, want: []string{"/ca_file"}},
		"no key":            {change: func(c *config) { c.DKIM = &dkim{Domain: "shop.example", Selector: "s"} }, want: []string{"/dkim/private_key"}},
	} {
		t.Run(name, func(t *testing.T) {
			box := startMailbox(t, secured)
			c := configure(t, func(c *config) {
				good(c)
				if tc.change != nil {
					tc.change(c)
				}
			})
			var got []string
			for _, p := range newMailer(box).validate(t.Context(), c, tc.probe) {
				mark := ""
				if p.Warning {
					mark = "~"
				}
				got = append(got, mark+p.Pointer)
				if strings.Contains(p.Message, mailPass) || strings.Contains(p.Message, "wrong") {
					t.Errorf("message %q holds the password", p.Message)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if n := len(box.all()); n != 0 {
				t.Errorf("validating sent %d messages", n)
			}
		})
	}
}

func TestDefaultPorts(t *testing.T) {
	for policy, want := range map[encryption]int{mandatory: 587, opportunistic: 587, implicit: 465, none: 25} {
		if got := configure(t, func(c *config) { c.TLS = policy }).Port; got != want {
			t.Errorf("%s: port %d, want %d", policy, got, want)
		}
	}
}
