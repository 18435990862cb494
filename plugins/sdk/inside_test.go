package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// fill sets every field of an SDK value, words among them, so that a conversion which forgets one shows.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1_800_000_000, 0)))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.String:
		word, known := map[reflect.Type]string{
			reflect.TypeFor[SaleKind](): "ORDER", reflect.TypeFor[SaleStatus](): "PAID", reflect.TypeFor[LineKind](): "FEE",
			reflect.TypeFor[LineFlag](): "GIFT", reflect.TypeFor[FundedBy](): "SHOP", reflect.TypeFor[TenderKind](): "CASH",
			reflect.TypeFor[TitleType](): "COMPANY", reflect.TypeFor[LinkType](): "VOIDS", reflect.TypeFor[RefundState](): "CLOSED",
			reflect.TypeFor[RefundKind](): "RETURN", reflect.TypeFor[PortionKind](): "MONEY", reflect.TypeFor[InvoiceKind](): "SPECIAL",
			reflect.TypeFor[InvoiceRequestState](): "CANCELLED", reflect.TypeFor[DayCloseStatus](): "OPEN",
		}[v.Type()]
		if !known {
			word = "x"
		}
		v.SetString(word)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(7)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	default:
		t.Fatalf("no way to fill %s", v.Type())
	}
}

// wantAllSet fails for each field of a message, and of those within, that is not set.
func wantAllSet(t *testing.T, m protoreflect.Message) {
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		if !m.Has(f) {
			if f.ContainingOneof() == nil || f.HasOptionalKeyword() {
				t.Errorf("%s is not set", f.FullName())
			}
			continue
		}
		switch {
		case f.IsList() && f.Message() != nil:
			wantAllSet(t, m.Get(f).List().Get(0).Message())
		case f.Message() != nil && !strings.HasPrefix(string(f.Message().FullName()), "google."):
			wantAllSet(t, m.Get(f).Message())
		}
	}
}

func TestEveryFieldTravels(t *testing.T) {
	for _, body := range []EventBody{&SaleSnapshot{}, &Refund{}, &InvoiceRequest{}, &OrderRef{}, &DayClose{}} {
		v := reflect.ValueOf(body).Elem()
		fill(t, v)
		out, err := eventsPB([]Event{{ID: "1", OccurredAt: time.Unix(1, 0), FetchStartedAt: time.Unix(2, 0), Body: v.Interface().(EventBody)}})
		if err != nil {
			t.Errorf("%T: %v", body, err)
			continue
		}
		wantAllSet(t, out[0].ProtoReflect())
	}
}

// Every word of the wire has a name in the SDK, and no name is off the wire.
func TestWordsMatchTheWire(t *testing.T) {
	for prefix, words := range map[string][]string{
		"SALE_KIND_":             list(Order, ReceiptSale, ReceiptReturn, Exchange, PostVoid, TopUp, AccountSettlement, NonSale),
		"SALE_STATUS_":           list(Unpaid, Paid, PartlyShipped, Shipped, Completed, Closed, Cancelled, Voided, Suspended, Training, Reversed),
		"LINE_KIND_":             list(Goods, Shipping, Fee),
		"LINE_FLAG_":             list(Gift, GiftCard, Virtual, Service, Tip, Deposit, Weighed, SetParent, SetChild),
		"FUNDED_BY_":             list(ByShop, ByPlatform, ByOther),
		"TENDER_KIND_":           list(Cash, Card, WeChat, Alipay, UnionPay, PrepaidCard, StoreCredit, Points, Voucher, PlatformSubsidy, GovSubsidy, OnAccount, OtherTender),
		"TITLE_TYPE_":            list(TitleUnknown, Personal, Company),
		"LINK_TYPE_":             list(ReturnOf, Replaces, Voids, Resumes, SplitOf, MergedFrom),
		"REFUND_STATE_":          list(RefundOpened, RefundSucceeded, RefundClosed, RefundDeleted),
		"REFUND_KIND_":           list(Return, AmountOnly, PriceProtection, Compensation, ExchangeRefund),
		"PORTION_KIND_":          list(GoodsQuantity, GoodsAmount, ShippingRefund, Money),
		"INVOICE_KIND_":          list(General, Special),
		"INVOICE_REQUEST_STATE_": list(Requested, TitleChanged, RequestCancelled),
		"INVOICE_COLOR_":         list(Blue, Red),
		"DAY_CLOSE_STATUS_":      list(DayOpen, DayClosing, DayClosed, DayChanged),
		"FILE_FORMAT_":           list(PDF, OFD, XML),
		"CHANNEL_":               list(ByEmail, ByMobile, ByOrder),
		"OUTCOME_":               list(OutcomeSent, OutcomeRetry, OutcomeRejected, OutcomeUnknown),
		"REASON_CLASS_":          list(RecipientProblem, ContentProblem, CredentialsProblem, RateProblem, BalanceProblem, ProviderProblem, OrderProblem, OtherProblem),
		"TRACK_STATE_":           list(TrackSent, TrackNotSent, TrackDelivered, TrackFailed, TrackStillUnknown),
	} {
		on := map[string]bool{}
		for _, file := range []protoreflect.FileDescriptor{pb.File_einvoice_plugin_v1_plugin_proto, pb.File_einvoice_plugin_v1_event_proto} {
			for i := range file.Enums().Len() {
				values := file.Enums().Get(i).Values()
				if string(values.Get(0).Name()) != prefix+"UNSPECIFIED" {
					continue
				}
				for j := 1; j < values.Len(); j++ {
					on[strings.TrimPrefix(string(values.Get(j).Name()), prefix)] = true
				}
			}
		}
		for _, w := range words {
			if !on[w] {
				t.Errorf("%s%s is not on the wire", prefix, w)
			}
			delete(on, w)
		}
		if len(on) > 0 {
			t.Errorf("%s: the SDK has no name for %v", prefix, on)
		}
	}
}

func list[S ~string](words ...S) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

func TestReceiptsNeverTravelUnspecified(t *testing.T) {
	for _, r := range []Receipt{{}, {Outcome: "ODD"}, {Outcome: OutcomeSent, Class: "ODD"}} {
		if got := r.pb("p"); got.GetOutcome() != pb.Outcome_OUTCOME_UNKNOWN || got.GetParcelId() != "p" {
			t.Errorf("%+v became %v", r, got)
		}
	}
	good := Retry(time.Minute, RateProblem, "limit").pb("p")
	want := &pb.Receipt{ParcelId: "p", Outcome: pb.Outcome_OUTCOME_RETRY, RetryAfter: span(time.Minute), Reason: "limit", ReasonClass: pb.ReasonClass_REASON_CLASS_RATE}
	if !proto.Equal(good, want) {
		t.Errorf("got %v, want %v", good, want)
	}
}

func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newLogHandler(&out)).With("shop", "s").WithGroup("g").With("a", 1)
	log.Warn("slow", "error", errors.New("cut"), "took", time.Second, slog.Group("in", "b", true))
	log.Log(context.Background(), slog.LevelDebug-4, "deep")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000000Z07:00", got["@timestamp"].(string)); err != nil {
		t.Error(err)
	}
	delete(got, "@timestamp")
	want := map[string]any{"@level": "warn", "@message": "slow", "shop": "s", "g.a": 1.0, "g.error": "cut", "g.took": "1s", "g.in.b": true}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if !strings.Contains(lines[1], `"@level":"debug"`) {
		t.Errorf("got %s", lines[1])
	}
}

// Items that have no time to begin are skipped, the others finish.
func TestEachStopsBeforeTheDeadline(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make([]string, 20)
	each(ctx, len(done), func(i int) {
		if i == 5 {
			cancel()
		}
		done[i] = "done"
	}, func(i int) { done[i] = "skipped" })
	if done[0] != "done" || done[5] != "done" || done[19] != "skipped" {
		t.Errorf("got %v", done)
	}
}
