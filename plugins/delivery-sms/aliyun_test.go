package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func TestSend(t *testing.T) {
	d := startDouble(t, func() time.Time { return noon })
	s := newTestService(d.now)
	for name, tc := range map[string]struct {
		change func(*sdk.Parcel)
		want   accepted
	}{
		"blue": {want: accepted{parcelID, buyer, "SMS_100000001", `{"amount":"128.50","code":"7KQ2M9XB4TD"}`, noon, 1}},
		"red": {
			change: func(p *sdk.Parcel) { p.ID, p.Invoice.Color, p.Invoice.Gross = "red", sdk.Red, "-128.50" },
			want:   accepted{"red", buyer, "SMS_100000002", `{"amount":"128.50","code":"7KQ2M9XB4TD"}`, noon, 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.deliver(t.Context(), aliyunConfig(d.URL), parcel(tc.change))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, sdk.OutcomeSent, "")
			if !strings.HasSuffix(got.ProviderRef, "^0") {
				t.Errorf("reference %q is not the service's", got.ProviderRef)
			}
			if diff := cmp.Diff(tc.want, d.taken[len(d.taken)-1], cmp.AllowUnexported(accepted{})); diff != "" {
				t.Errorf("accepted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusedBeforeCalling(t *testing.T) {
	for name, tc := range map[string]struct {
		config  func(*config)
		parcel  func(*sdk.Parcel)
		outcome sdk.Outcome
		class   sdk.ReasonClass
	}{
		"no number":          {parcel: func(p *sdk.Parcel) { p.Recipient.Mobile = "" }, outcome: sdk.OutcomeRejected, class: sdk.RecipientProblem},
		"Hong Kong":          {parcel: func(p *sdk.Parcel) { p.Recipient.Mobile = "+85291234567" }, outcome: sdk.OutcomeRejected, class: sdk.RecipientProblem},
		"code is an address": {parcel: func(p *sdk.Parcel) { p.Invoice.PickUpCode = "fp.shop.example/p" }, outcome: sdk.OutcomeRejected, class: sdk.ContentProblem},
		"no code":            {parcel: func(p *sdk.Parcel) { p.Invoice.PickUpCode = "" }, outcome: sdk.OutcomeRejected, class: sdk.ContentProblem},
		"amount":             {parcel: func(p *sdk.Parcel) { p.Invoice.Gross = "12,5" }, outcome: sdk.OutcomeRejected, class: sdk.ContentProblem},
		"no red template": {
			config: func(c *config) { c.TemplateCodeRed = "" }, parcel: func(p *sdk.Parcel) { p.Invoice.Color = sdk.Red },
			outcome: sdk.OutcomeRejected, class: sdk.ContentProblem,
		},
		"unusable configuration": {config: func(c *config) { c.SignName = "【茶】" }, outcome: sdk.OutcomeRetry, class: sdk.CredentialsProblem},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDouble(t, func() time.Time { return noon })
			c := aliyunConfig(d.URL)
			if tc.config != nil {
				tc.config(&c)
			}
			got, err := newTestService(d.now).deliver(t.Context(), c, parcel(tc.parcel))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, tc.outcome, tc.class)
			if len(d.calls) != 0 {
				t.Errorf("the service was called: %v", d.calls)
			}
		})
	}
}

// TestFaults leaves a send without an answer. The outcome is unknown, tracking finds the truth, and the buyer gets one
// SMS: never two, never none.
func TestFaults(t *testing.T) {
	for _, f := range []fault{hangUpAfterAccept, silentAfterAccept, error500Accepted, error502, nonsense, redirect, truncated} {
		t.Run(string(f), func(t *testing.T) {
			var at clock
			d := startDouble(t, at.now)
			s, c := newTestService(at.now), aliyunConfig(d.URL)
			if f == silentAfterAccept {
				c.Timeout = sdk.Duration(2 * time.Second)
			}
			d.next(f)
			got, err := s.deliver(t.Context(), c, parcel(nil))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, sdk.OutcomeUnknown, sdk.ProviderProblem)
			c.Timeout = sdk.Duration(time.Minute)
			took := f != error502 && f != redirect
			standing := mustTrack(t, s, c, reference(noon))
			if took != (standing.State == sdk.TrackSent) || !took && standing.State != sdk.TrackStillUnknown {
				t.Errorf("at once: %+v", standing)
			}
			at.advance(settleTime)
			if standing = mustTrack(t, s, c, reference(noon)); took != (standing.State == sdk.TrackSent) || !took && standing.State != sdk.TrackNotSent {
				t.Errorf("after some minutes: %+v", standing)
			}
			if standing.State == sdk.TrackNotSent {
				again, _ := s.deliver(t.Context(), c, parcel(nil))
				wantReceipt(t, again, sdk.OutcomeSent, "")
			}
			if n := d.count(parcelID); n != 1 {
				t.Errorf("the buyer got %d SMS", n)
			}
		})
	}
}

func mustTrack(t *testing.T, s service, c config, p sdk.ParcelRef) sdk.Standing {
	t.Helper()
	got, err := s.track(t.Context(), c, p)
	if err != nil {
		t.Fatal(err)
	}
	wantNothingPersonal(t, got.Reason)
	return got
}

func TestUnreachable(t *testing.T) {
	d := startDouble(t, func() time.Time { return noon })
	endpoint := d.URL
	d.Server.Close()
	got, err := newTestService(d.now).deliver(t.Context(), aliyunConfig(endpoint), parcel(nil))
	if err != nil {
		t.Fatal(err)
	}
	wantReceipt(t, got, sdk.OutcomeRetry, sdk.ProviderProblem)
}

func TestCancelledBeforeConnecting(t *testing.T) {
	d := startDouble(t, func() time.Time { return noon })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := newTestService(d.now).deliver(ctx, aliyunConfig(d.URL), parcel(nil))
	if err != nil {
		t.Fatal(err)
	}
	wantReceipt(t, got, sdk.OutcomeRetry, sdk.ProviderProblem)
	if len(d.taken) != 0 {
		t.Error("an SMS went out")
	}
}

// TestCodes plays refusals with HTTP 200.
func TestCodes(t *testing.T) {
	for _, tc := range []struct {
		code, message string
		outcome       sdk.Outcome
		class         sdk.ReasonClass
		after         time.Duration
	}{
		{"isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", sdk.OutcomeRetry, sdk.RateProblem, time.Minute},
		{"isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", sdk.OutcomeRetry, sdk.RateProblem, time.Hour},
		{"isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10", sdk.OutcomeRetry, sdk.RateProblem, 12*time.Hour + 5*time.Minute},
		{"isv.BUSINESS_LIMIT_CONTROL", "业务限流", sdk.OutcomeRetry, sdk.RateProblem, 10 * time.Minute},
		{"isv.DAY_LIMIT_CONTROL", "", sdk.OutcomeRetry, sdk.RateProblem, 12*time.Hour + 5*time.Minute},
		{"isv.MONTH_LIMIT_CONTROL", "", sdk.OutcomeRetry, sdk.RateProblem, 24 * time.Hour},
		{"isp.SYSTEM_ERROR", "", sdk.OutcomeRetry, sdk.ProviderProblem, time.Minute},
		{"Throttling.User", "", sdk.OutcomeRetry, sdk.RateProblem, time.Minute},
		{"isv.AMOUNT_NOT_ENOUGH", "", sdk.OutcomeRetry, sdk.BalanceProblem, time.Hour},
		{"isv.OUT_OF_SERVICE", "", sdk.OutcomeRetry, sdk.BalanceProblem, time.Hour},
		{"isp.RAM_PERMISSION_DENY", "", sdk.OutcomeRetry, sdk.CredentialsProblem, time.Hour},
		{"isv.DENY_IP_RANGE", "", sdk.OutcomeRetry, sdk.CredentialsProblem, time.Hour},
		{"isv.SMS_SIGNATURE_SCENE_ILLEGAL", "", sdk.OutcomeRetry, sdk.ContentProblem, time.Hour},
		{"isv.SMS_CONTENT_ILLEGAL", "", sdk.OutcomeRetry, sdk.ContentProblem, time.Hour},
		{"isv.MOBILE_NUMBER_ILLEGAL", buyer, sdk.OutcomeRejected, sdk.RecipientProblem, 0},
		{"isv.PARAM_NOT_SUPPORT_URL", "", sdk.OutcomeRejected, sdk.ContentProblem, 0},
		{"isv.TEMPLATE_MISSING_PARAMETERS", "", sdk.OutcomeRejected, sdk.ContentProblem, 0},
		{"isv.NEVER_HEARD_OF", "", sdk.OutcomeRetry, sdk.OtherProblem, time.Hour},
		{"isv." + buyer, "", sdk.OutcomeRetry, sdk.OtherProblem, time.Hour},
	} {
		t.Run(tc.code+tc.message, func(t *testing.T) {
			d := startDouble(t, func() time.Time { return noon })
			d.refuse = func(url.Values) (string, string) { return tc.code, tc.message }
			got, err := newTestService(d.now).deliver(t.Context(), aliyunConfig(d.URL), parcel(nil))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, tc.outcome, tc.class)
			if got.RetryAfter != tc.after {
				t.Errorf("retry after %v, want %v", got.RetryAfter, tc.after)
			}
		})
	}
}

// TestGateway is refused before the business: wrong key, wrong secret, wrong clock, replayed nonce.
func TestGateway(t *testing.T) {
	for name, tc := range map[string]struct {
		config func(*config)
		late   time.Duration
		class  sdk.ReasonClass
	}{
		"wrong key":      {config: func(c *config) { c.AccessKeyID = "LTAI5tSomebodyElse" }, class: sdk.CredentialsProblem},
		"wrong secret":   {config: func(c *config) { c.AccessKeySecret += "x" }, class: sdk.CredentialsProblem},
		"clock is off":   {late: -16 * time.Minute, class: sdk.CredentialsProblem},
		"replayed nonce": {class: sdk.ProviderProblem},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDouble(t, func() time.Time { return noon })
			s := newTestService(func() time.Time { return noon.Add(tc.late) })
			if tc.class == sdk.ProviderProblem {
				s.nonce = func() string { return "00" }
				d.nonces["00"] = true
			}
			c := aliyunConfig(d.URL)
			if tc.config != nil {
				tc.config(&c)
			}
			got, err := s.deliver(t.Context(), c, parcel(nil))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, sdk.OutcomeRetry, tc.class)
			if len(d.taken) != 0 {
				t.Error("an SMS went out")
			}
		})
	}
}

func TestDailyLimitOfTheService(t *testing.T) {
	d := startDouble(t, func() time.Time { return noon })
	d.perDay = 2
	s := newTestService(d.now)
	var outcomes []sdk.Outcome
	for _, id := range []string{"a", "b", "c"} {
		got, _ := s.deliver(t.Context(), aliyunConfig(d.URL), parcel(func(p *sdk.Parcel) { p.ID = id }))
		outcomes = append(outcomes, got.Outcome)
	}
	if diff := cmp.Diff([]sdk.Outcome{sdk.OutcomeSent, sdk.OutcomeSent, sdk.OutcomeRetry}, outcomes); diff != "" {
		t.Error(diff)
	}
}

// FuzzJudgeSend feeds answers. Whatever comes, only a plain OK is sent, and nothing of the answer's text gets out.
func FuzzJudgeSend(f *testing.F) {
	for _, body := range []string{
		`{"Code":"OK","BizId":"756013940428530000^0","Message":"OK","RequestId":"D9CB3933"}`,
		`{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发天级流控Permits:10"}`,
		`{"Code":"OK","code":"isv.OUT_OF_SERVICE"}`, `{"Code":"OK","Code":"x"}`, `{"Code":["OK"]}`, `{"Code":"13912345678"}`,
		`{"Code":"OK","BizId":"13912345678 <b>"}`, `[]`, ``, `null`, `{`, "\xff", `{"Code":"OK"}{}`, `{"Code":null}`,
	} {
		f.Add(200, []byte(body))
		f.Add(503, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		got := judgeSend(answer{status: status, body: body}, parcelID, noon)
		if got.Outcome == sdk.OutcomeSent && (status != http.StatusOK || !strings.Contains(string(body), "OK")) && !strings.Contains(string(body), `\u`) {
			t.Errorf("HTTP %d %q counts as sent", status, body)
		}
		if status >= 500 && got.Outcome != sdk.OutcomeUnknown {
			t.Errorf("HTTP %d counts as %s", status, got.Outcome)
		}
		if got.Outcome == sdk.OutcomeRetry && got.RetryAfter <= 0 || strings.Contains(got.Reason, buyer) {
			t.Errorf("%+v", got)
		}
	})
}
