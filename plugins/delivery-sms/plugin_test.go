package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

func TestConformance(t *testing.T) { sdktest.Conform(t, newService().plugin()) }

func TestParseMobile(t *testing.T) {
	for in, want := range map[string]mobile{
		"13912345678": buyer, "+8613912345678": buyer, "8613912345678": buyer, "008613912345678": buyer, "+86 139-1234-5678": buyer,
		"": "", "1391234567": "", "139123456789": "", "12012345678": "", "10650123456": "", "+85291234567": "", "+14155550123": "",
		"075512345678": "", "13912345678;13800000000": "", "１３９１２３４５６７８": "", "13912345678\n": "", "+86+8613912345678": "",
	} {
		got, ok := parseMobile(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q reads as %q, %v", in, string(got), ok)
		}
	}
}

func TestMobilesMaskThemselves(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("sent", "to", mobile(buyer))
	for _, s := range []string{fmt.Sprint(mobile(buyer)), fmt.Sprintf("%v %s", mobile(buyer), mobile(buyer)), log.String()} {
		if strings.Contains(s, buyer) || !strings.Contains(s, "139****5678") {
			t.Errorf("%q", s)
		}
	}
}

func TestValidate(t *testing.T) {
	d := startDouble(t, func() time.Time { return noon })
	for name, tc := range map[string]struct {
		change func(*config)
		probe  bool
		want   []string
	}{
		"good":          {probe: true},
		"not probed":    {change: func(c *config) { c.AccessKeySecret += "x" }},
		"wrong secret":  {change: func(c *config) { c.AccessKeySecret += "x" }, probe: true, want: []string{"/access_key_id"}},
		"empty":         {change: func(c *config) { *c = config{Provider: toAliyun} }, want: []string{"/timeout", "/access_key_id", "/access_key_secret", "/sign_name", "/template_code", "/endpoint"}},
		"brackets":      {change: func(c *config) { c.SignName = "【青禾】" }, want: []string{"/sign_name"}},
		"template":      {change: func(c *config) { c.TemplateCode = "100000001" }, want: []string{"/template_code"}},
		"red template":  {change: func(c *config) { c.TemplateCodeRed = "x" }, want: []string{"/template_code_red"}},
		"in the clear":  {change: func(c *config) { c.Endpoint = "http://dysmsapi.aliyuncs.com" }, want: []string{"/endpoint"}},
		"endpoint path": {change: func(c *config) { c.Endpoint += "/x" }, want: []string{"/endpoint"}},
		"relative file": {change: func(c *config) { c.Provider, c.File = toFile, "sms.jsonl" }, want: []string{"/file"}},
		"file":          {change: func(c *config) { *c = fileConfig(t) }, probe: true},
		"no folder":     {change: func(c *config) { *c = fileConfig(t); c.File += "/x/y" }, probe: true, want: []string{"/file"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := aliyunConfig(d.URL)
			if tc.change != nil {
				tc.change(&c)
			}
			var got []string
			for _, p := range newTestService(d.now).validateFor(t, c, tc.probe) {
				got = append(got, p.Pointer)
				wantNothingPersonal(t, p.Message)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	if len(d.taken) != 0 {
		t.Error("validating sent an SMS")
	}
}

func (s service) validateFor(t *testing.T, c config, probe bool) []sdk.Problem {
	s.nonce = randomNonce
	return s.validate(t.Context(), c, probe)
}

// TestOverASocket sends a batch as the host does: gRPC on a Unix socket, HTTP on TCP.
func TestOverASocket(t *testing.T) {
	d := startDouble(t, func() time.Time { return noon })
	conn := sdktest.Dial(t, newTestService(d.now).plugin())
	instance := &pb.Instance{
		Id: "sms", Revision: "1", Secrets: map[string]string{"access_key_secret": testSecret},
		ConfigJson: []byte(`{"provider":"aliyun","access_key_id":"` + testKeyID + `","sign_name":"青禾茶铺","template_code":"SMS_100000001","endpoint":` +
			strconv.Quote(d.URL) + `}`),
	}
	about, err := pb.NewPluginClient(conn).Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil || len(about.GetChannels()) != 1 || about.GetChannels()[0] != pb.Channel_CHANNEL_MOBILE {
		t.Fatalf("describe: %v, %v", about, err)
	}
	if !strings.Contains(string(about.GetConfigSchemaJson()), `"x-secret": true`) {
		t.Error("no secret in the schema")
	}
	checked, err := pb.NewPluginClient(conn).Validate(t.Context(), &pb.ValidateRequest{Instance: instance, Probe: true})
	if err != nil || len(checked.GetProblems()) != 0 {
		t.Fatalf("validate: %v, %v", checked, err)
	}
	wire := func(id, number string) *pb.Parcel {
		return &pb.Parcel{
			Id: id, Attempt: 1, Recipient: &pb.Recipient{To: &pb.Recipient_Mobile{Mobile: number}},
			Invoice: &pb.Invoice{Color: pb.InvoiceColor_INVOICE_COLOR_BLUE, Gross: "128.50", PickUpCode: "7KQ2M9XB4TD"},
		}
	}
	delivery := pb.NewDeliveryClient(conn)
	out, err := delivery.Deliver(t.Context(), &pb.DeliverRequest{Instance: instance, Parcels: []*pb.Parcel{wire("p1", buyer), wire("p2", "+14155550123")}})
	if err != nil {
		t.Fatal(err)
	}
	outcomes := [2]pb.Outcome{out.GetReceipts()[0].GetOutcome(), out.GetReceipts()[1].GetOutcome()}
	if outcomes != [2]pb.Outcome{pb.Outcome_OUTCOME_SENT, pb.Outcome_OUTCOME_REJECTED} {
		t.Errorf("outcomes %v", outcomes)
	}
	if d.count("p1") != 1 || d.taken[0].param != `{"code":"7KQ2M9XB4TD"}` {
		t.Errorf("taken %+v", d.taken)
	}
	tracked, err := delivery.Track(t.Context(), &pb.TrackRequest{Instance: instance, Parcels: []*pb.ParcelRef{{
		ParcelId: "p1", Recipient: &pb.Recipient{To: &pb.Recipient_Mobile{Mobile: buyer}}, SentAt: timestamppb.New(noon),
	}}})
	if err != nil || tracked.GetStandings()[0].GetState() != pb.TrackState_TRACK_STATE_SENT {
		t.Errorf("track: %v, %v", tracked, err)
	}
}
