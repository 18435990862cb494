package main

import (
	"encoding/json"
	"net"
	"strconv"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

func TestConformance(t *testing.T) {
	sdktest.Conform(t, newMailer(&mailbox{}).plugin())
}

func TestSchemaNamesItsSecrets(t *testing.T) {
	var schema struct {
		Properties map[string]struct {
			Secret     bool `json:"x-secret"`
			Properties map[string]struct {
				Secret bool `json:"x-secret"`
			} `json:"properties"`
		} `json:"properties"`
		Required []string `json:"required"`
	}
	if err := json.Unmarshal(newMailer(&mailbox{}).plugin().Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	if !schema.Properties["password"].Secret || !schema.Properties["dkim"].Properties["private_key"].Secret {
		t.Error("password or key is not marked as a secret")
	}
	if len(schema.Required) != 2 {
		t.Errorf("required are %v, want host and from", schema.Required)
	}
}

// TestOverASocket sends a batch as the host does: gRPC on a Unix socket, SMTP with STARTTLS and a login on TCP.
func TestOverASocket(t *testing.T) {
	ca := newAuthority(t)
	box := startMailbox(t, mailboxOptions{starttls: ca.certify(t, mailHost), auth: true})
	_, port, _ := net.SplitHostPort(box.address)
	conn := sdktest.Dial(t, newMailer(box).plugin())
	instance := &pb.Instance{
		Id: "mail", Revision: "1", Secrets: map[string]string{"password": mailPass},
		ConfigJson: []byte(`{"host":"` + mailHost + `","port":` + port + `,"ca_file":` + strconv.Quote(ca.file) +
			`,"username":"` + mailUser + `","from":"invoice@shop.example"}`),
	}
	about, err := pb.NewPluginClient(conn).Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil || len(about.GetChannels()) != 1 || about.GetChannels()[0] != pb.Channel_CHANNEL_EMAIL {
		t.Fatalf("describe: %v, %v", about, err)
	}
	checked, err := pb.NewPluginClient(conn).Validate(t.Context(), &pb.ValidateRequest{Instance: instance, Probe: true})
	if err != nil || len(checked.GetProblems()) != 0 {
		t.Fatalf("validate: %v, %v", checked, err)
	}
	good, bad := wireParcel(t, "p1", buyer), wireParcel(t, "p2", "no address")
	delivery := pb.NewDeliveryClient(conn)
	out, err := delivery.Deliver(t.Context(), &pb.DeliverRequest{Instance: instance, Parcels: []*pb.Parcel{good, bad}})
	if err != nil {
		t.Fatal(err)
	}
	outcomes := [2]pb.Outcome{out.GetReceipts()[0].GetOutcome(), out.GetReceipts()[1].GetOutcome()}
	if outcomes != [2]pb.Outcome{pb.Outcome_OUTCOME_SENT, pb.Outcome_OUTCOME_REJECTED} {
		t.Errorf("outcomes %v", outcomes)
	}
	if len(box.all()) != 1 {
		t.Errorf("%d messages, want 1", len(box.all()))
	}
	tracked, err := delivery.Track(t.Context(), &pb.TrackRequest{Instance: instance, Parcels: []*pb.ParcelRef{{ParcelId: "p1"}}})
	if err != nil || tracked.GetStandings()[0].GetState() != pb.TrackState_TRACK_STATE_STILL_UNKNOWN {
		t.Errorf("track: %v, %v", tracked, err)
	}
}

func wireParcel(t *testing.T, id, to string) *pb.Parcel {
	p := parcel(t, nil)
	out := &pb.Parcel{
		Id: id, Attempt: 1, Language: p.Language, Recipient: &pb.Recipient{To: &pb.Recipient_Email{Email: to}},
		Invoice: &pb.Invoice{
			Number: p.Invoice.Number, Kind: pb.InvoiceKind_INVOICE_KIND_GENERAL, Color: pb.InvoiceColor_INVOICE_COLOR_BLUE,
			IssuedAt: timestamppb.New(p.Invoice.IssuedAt), Gross: p.Invoice.Gross, StoreName: p.Invoice.StoreName,
			PickUpCode: p.Invoice.PickUpCode, PageUrl: p.Invoice.PageURL,
		},
	}
	formats := map[sdk.FileFormat]pb.FileFormat{
		sdk.PDF: pb.FileFormat_FILE_FORMAT_PDF, sdk.OFD: pb.FileFormat_FILE_FORMAT_OFD, sdk.XML: pb.FileFormat_FILE_FORMAT_XML,
	}
	for _, f := range p.Invoice.Files {
		out.Invoice.Files = append(out.Invoice.Files, &pb.File{
			Format: formats[f.Format], Name: f.Name, Path: f.Path, Sha256: f.SHA256, Size: f.Size,
		})
	}
	return out
}
