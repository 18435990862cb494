package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type none struct{}

var instance = &pb.Instance{Id: "a", Revision: "1"}

// Each request of a batch gets its own answer, whatever the others do to the author's code.
func TestParseAnswersEachRequestByItself(t *testing.T) {
	_, source := client(t, sdk.New("x", "1", sdk.Webhook(func(_ context.Context, _ none, r sdk.Request) (sdk.Parsed, error) {
		switch string(r.Body) {
		case "panic":
			panic("secret content")
		case "error":
			return sdk.Parsed{}, errors.New("cannot say")
		case "zero":
			return sdk.Parsed{}, nil
		case "accepted without events":
			return sdk.Accepted(), nil
		case "bad word":
			return sdk.Accepted(sdk.Event{ID: "1", Body: sdk.Refund{State: "SUCCEEDED", Kind: "WHIM"}}), nil
		case "no id":
			return sdk.Accepted(sdk.Event{Body: sdk.OrderRef{OrderNo: "1"}}), nil
		case "pointer":
			return sdk.Accepted(sdk.Event{ID: "1"}), nil
		case "unverified":
			return sdk.Unverified("e", "1", "2"), nil
		case "authentic":
			return sdk.MalformedAuthentic(&sdk.Fault{Reason: sdk.BadNumber, Path: "paid"}).Reply(200, "ok"), nil
		case "unknown fault":
			return sdk.Malformed(errors.New("value 13812345678 is odd")), nil
		}
		return sdk.Ignored(sdk.Ping).Key("k").Reply(200, `{"ok":1}`).ReplyConflict(422, "<x/>"), nil
	})))
	cases := []struct {
		body    string
		verdict pb.Verdict
		reason  string
	}{
		{"panic", 0, "plugin_panic"}, {"error", 0, "plugin_error"}, {"zero", 0, "plugin_error"},
		{"accepted without events", 0, "plugin_error"}, {"bad word", 0, "plugin_error"}, {"no id", 0, "plugin_error"},
		{"pointer", 0, "plugin_error"},
		{"unverified", pb.Verdict_VERDICT_UNVERIFIED, "missing_signature"},
		{"authentic", pb.Verdict_VERDICT_MALFORMED, "bad_number"},
		{"unknown fault", pb.Verdict_VERDICT_MALFORMED, "bad_field"},
		{"ping", pb.Verdict_VERDICT_IGNORED, "ping"},
	}
	in := &pb.ParseRequest{Instance: instance}
	for _, c := range cases {
		in.Requests = append(in.Requests, &pb.Request{Body: []byte(c.body)})
	}
	out, err := source.Parse(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		r := out.GetResults()[i]
		if r.GetVerdict() != c.verdict || r.GetReason() != c.reason {
			t.Errorf("%s: got %v", c.body, r)
		}
		if text := r.String(); strings.Contains(text, "secret content") || strings.Contains(text, "13812345678") {
			t.Errorf("%s: the answer quotes what it must not: %s", c.body, text)
		}
	}
	last := out.GetResults()[len(cases)-1]
	if rp := last.GetReplies(); last.GetRequestKey() != "k" || string(rp.GetDuplicate().GetBody()) != `{"ok":1}` ||
		rp.GetStored().GetHeaders()[0].GetValue() != "application/json" || rp.GetConflict().GetStatus() != 422 ||
		rp.GetConflict().GetHeaders()[0].GetValue() != "application/xml" {
		t.Errorf("key and replies: %v", last)
	}
}

func TestFetchSplitsAndClassifies(t *testing.T) {
	_, source := client(t, sdk.New("x", "1", sdk.Fetcher(func(_ context.Context, _ none, no string) ([]sdk.Event, error) {
		switch no {
		case "gone":
			return nil, sdk.Permanent(errors.New("no such order"))
		case "later":
			return nil, fmt.Errorf("order: %w", sdk.RetryAfter(time.Minute, errors.New("limit")))
		case "panic":
			panic(no)
		case "nothing":
			return nil, nil
		}
		return []sdk.Event{{ID: no, Body: sdk.SaleSnapshot{OrderNo: no, Kind: sdk.Order, Status: sdk.Paid}}}, nil
	})))
	nos := []string{"1", "gone", "2", "later", "panic", "nothing", "3", "4", "5", "6"}
	out, err := source.Fetch(t.Context(), &pb.FetchRequest{Instance: instance, OrderNos: nos})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range out.GetEvents() {
		ids = append(ids, e.GetId())
		if e.GetFetchStartedAt() == nil {
			t.Errorf("event %s does not say when its fetch began", e.GetId())
		}
		if e.GetSale().GetCurrency() != "CNY" {
			t.Errorf("event %s: currency %q", e.GetId(), e.GetSale().GetCurrency())
		}
	}
	if !slices.Equal(ids, []string{"1", "2", "3", "4", "5", "6"}) {
		t.Errorf("events %v", ids)
	}
	failed := map[string]*pb.Failure{}
	for _, f := range out.GetFailures() {
		failed[f.GetKey()] = f
	}
	if len(failed) != 4 || !failed["gone"].GetPermanent() || failed["later"].GetPermanent() ||
		failed["later"].GetRetryAfter().AsDuration() != time.Minute || failed["panic"].GetPermanent() {
		t.Errorf("failures %v", failed)
	}
}

func TestPull(t *testing.T) {
	_, source := client(t, sdk.New("x", "1", sdk.Puller(func(_ context.Context, _ none, r sdk.PullRequest) (sdk.Page, error) {
		switch string(r.Cursor) {
		case "":
			return sdk.Page{Events: []sdk.Event{{ID: "1", Body: sdk.OrderRef{OrderNo: "1"}}}, Cursor: []byte("1"), More: true}, nil
		case "slow":
			return sdk.Page{}, sdk.RetryAfter(time.Minute, errors.New("limit"))
		case "gone":
			return sdk.Page{}, sdk.Permanent(errors.New("feed is closed"))
		}
		return sdk.Page{}, errors.New("cut line")
	})))
	pull := func(cursor string) (*pb.PullResponse, error) {
		return source.Pull(t.Context(), &pb.PullRequest{Instance: instance, Cursor: []byte(cursor), Limit: 10})
	}
	if p, err := pull(""); err != nil || len(p.GetEvents()) != 1 || string(p.GetCursor()) != "1" || !p.GetMore() {
		t.Errorf("first page: %v, %v", p, err)
	}
	if p, err := pull("slow"); err != nil || string(p.GetCursor()) != "slow" || p.GetNextAfter().AsDuration() != time.Minute {
		t.Errorf("a limited feed must keep its cursor and wait: %v, %v", p, err)
	}
	if _, err := pull("gone"); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("permanent: %v", err)
	}
	if _, err := pull("x"); status.Code(err) != codes.Internal {
		t.Errorf("temporary: %v", err)
	}
}

func TestDeliverAndTrack(t *testing.T) {
	p := sdk.New("x", "1",
		sdk.Deliverer(func(_ context.Context, _ none, p sdk.Parcel) (sdk.Receipt, error) {
			switch p.Recipient.Email {
			case "panic@example.com":
				panic(p)
			case "error@example.com":
				return sdk.Receipt{ProviderRef: "r"}, errors.New("cut line")
			case "odd@example.com":
				return sdk.Receipt{Outcome: "PERHAPS"}, nil
			case "zero@example.com":
				return sdk.Receipt{}, nil
			}
			return sdk.Sent(p.ID + string(p.Invoice.Kind) + string(p.Invoice.Color) + string(p.Invoice.Files[0].Format)), nil
		}, sdk.ByEmail, sdk.ByOrder),
		sdk.Tracker(func(_ context.Context, _ none, r sdk.ParcelRef) (sdk.Standing, error) {
			if r.ProviderRef == "" {
				return sdk.Standing{}, errors.New("cannot say")
			}
			return sdk.Standing{State: sdk.TrackDelivered, At: r.SentAt}, nil
		}))
	conn := sdktest.Dial(t, p)
	delivery := pb.NewDeliveryClient(conn)
	parcels := []*pb.Parcel{}
	for _, who := range []string{"good", "panic", "error", "odd", "zero"} {
		parcels = append(parcels, &pb.Parcel{
			Id: who, Recipient: &pb.Recipient{To: &pb.Recipient_Email{Email: who + "@example.com"}},
			Invoice: &pb.Invoice{Kind: pb.InvoiceKind_INVOICE_KIND_GENERAL, Color: pb.InvoiceColor_INVOICE_COLOR_RED, Files: []*pb.File{{Format: pb.FileFormat_FILE_FORMAT_OFD}}},
		})
	}
	out, err := delivery.Deliver(t.Context(), &pb.DeliverRequest{Instance: instance, Parcels: parcels})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out.GetReceipts() {
		want := pb.Outcome_OUTCOME_UNKNOWN
		if i == 0 {
			want = pb.Outcome_OUTCOME_SENT
		}
		if r.GetOutcome() != want || r.GetParcelId() != parcels[i].GetId() {
			t.Errorf("%s: %v", parcels[i].GetId(), r)
		}
	}
	if ref := out.GetReceipts()[0].GetProviderRef(); ref != "goodGENERALREDOFD" {
		t.Errorf("the parcel came over as %s", ref)
	}
	tracked, err := delivery.Track(t.Context(), &pb.TrackRequest{Instance: instance, Parcels: []*pb.ParcelRef{{ParcelId: "a", ProviderRef: "r"}, {ParcelId: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	if s := tracked.GetStandings(); s[0].GetState() != pb.TrackState_TRACK_STATE_DELIVERED || s[1].GetState() != pb.TrackState_TRACK_STATE_STILL_UNKNOWN {
		t.Errorf("standings %v", s)
	}

	about, err := pb.NewPluginClient(conn).Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil || !slices.Equal(about.GetChannels(), []pb.Channel{pb.Channel_CHANNEL_EMAIL, pb.Channel_CHANNEL_ORDER}) {
		t.Errorf("describe: %v, %v", about, err)
	}
	if _, err := pb.NewSourceClient(conn).Parse(t.Context(), &pb.ParseRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("parse of a delivery plugin: %v", err)
	}
}

func TestRefreshAndValidate(t *testing.T) {
	type token struct {
		Token string `json:"token" secret:"true"`
	}
	plugin, _ := client(t, sdk.New("x", "1",
		sdk.Refresher(func(_ context.Context, c token) (sdk.Renewed, error) {
			if c.Token == "revoked" {
				return sdk.Renewed{}, sdk.Permanent(errors.New("grant access again"))
			}
			return sdk.Renewed{Secrets: map[string]string{"token": c.Token + "2"}, ExpiresAt: time.Unix(1_800_000_000, 0)}, nil
		}),
		sdk.Validator(func(_ context.Context, c token, probe bool) []sdk.Problem {
			if probe && c.Token == "revoked" {
				return []sdk.Problem{{Pointer: "/token", Message: "is no longer taken"}}
			}
			return nil
		}), webhook[token](), sdk.WithLimits(sdk.Limits{MaxBatch: 7, CallTimeout: time.Second})))
	with := func(token string) *pb.Instance {
		return &pb.Instance{Id: token, Secrets: map[string]string{"token": token}}
	}
	r, err := plugin.Refresh(t.Context(), &pb.RefreshRequest{Instance: with("t")})
	if err != nil || r.GetSecrets()["token"] != "t2" || r.GetExpiresAt().AsTime().Unix() != 1_800_000_000 || r.GetFailure() != nil {
		t.Errorf("refresh: %v, %v", r, err)
	}
	r, err = plugin.Refresh(t.Context(), &pb.RefreshRequest{Instance: with("revoked")})
	if err != nil || !r.GetFailure().GetPermanent() {
		t.Errorf("refresh of a revoked token: %v, %v", r, err)
	}
	for probe, want := range map[bool]int{false: 0, true: 1} {
		v, err := plugin.Validate(t.Context(), &pb.ValidateRequest{Instance: with("revoked"), Probe: probe})
		if err != nil || len(v.GetProblems()) != want {
			t.Errorf("probe %v: %v, %v", probe, v, err)
		}
	}
	about, err := plugin.Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil || about.GetLimits().GetMaxBatch() != 7 || about.GetLimits().GetCallTimeout().AsDuration() != time.Second {
		t.Errorf("limits: %v, %v", about, err)
	}
}

func TestDrainWaitsForCalls(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	plugin, source := client(t, sdk.New("x", "1", sdk.Webhook(func(context.Context, none, sdk.Request) (sdk.Parsed, error) {
		close(begun)
		<-release
		return sdk.Ignored(sdk.Ping), nil
	})))
	var call sync.WaitGroup
	call.Go(func() {
		if _, err := source.Parse(t.Context(), &pb.ParseRequest{Instance: instance, Requests: []*pb.Request{{}}}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := plugin.Drain(ctx, &pb.DrainRequest{}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("drain during a call: %v", err)
	}
	close(release)
	call.Wait()
	if _, err := plugin.Drain(t.Context(), &pb.DrainRequest{}); err != nil {
		t.Errorf("drain after it: %v", err)
	}
}
