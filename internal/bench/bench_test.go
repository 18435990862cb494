//go:build linux

package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/shop/generic"
	"github.com/kaipiao/kaipiao/taxapi/gm"
)

func TestEventsAreWhatTheShopPluginTakes(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	shop := generic.Config{Secret: "whsec_" + base64.StdEncoding.EncodeToString(key)}
	if err := shop.Prepare(); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]pb.Verdict{orderPaid: pb.Verdict_VERDICT_ACCEPTED, notOurs: pb.Verdict_VERDICT_IGNORED} {
		seen := map[string]bool{}
		for _, n := range []int64{0, 1, 99_999, 1_000_000} {
			wire := newEvents(kind, 0).request(nil, "example", "/hooks/x", key, n)
			head, body, _ := bytes.Cut(wire, []byte("\r\n\r\n"))
			if len(body) != eventSize {
				t.Errorf("%s %d has %d bytes, want %d", kind, n, len(body), eventSize)
			}
			r := sdk.Request{Method: http.MethodPost, Body: body, ReceivedAt: time.Now()}
			for _, line := range strings.Split(string(head), "\r\n")[1:] {
				name, value, _ := strings.Cut(line, ": ")
				r.Headers = append(r.Headers, sdk.Header{Name: name, Value: value})
			}
			p := shop.Parse(r)
			if got := pb.Verdict(reflect.ValueOf(p).FieldByName("verdict").Int()); got != want {
				t.Fatalf("%s %d: verdict %v, want %v: %+v", kind, n, got, want, p)
			}
			seen[string(body)] = true
		}
		if len(seen) != 4 {
			t.Errorf("%s: %d different bodies of 4", kind, len(seen))
		}
	}
}

func TestBureauSpeaksTheChannel(t *testing.T) {
	key := gmcrypto.NewKey()
	b := &bureau{key: key, secret: []byte("a secret of the bench")}
	server := httptest.NewServer(b)
	defer server.Close()
	client, err := gm.New(gm.Options{BaseURL: server.URL, AppID: appID, Key: key, Secret: gm.Secret(b.secret)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	draft, faults := core.NewDraft(core.DraftInput{Kind: core.GeneralInvoice, Seller: coretest.Seller(), Buyer: coretest.Person(), Policy: core.DefaultPolicy(),
		Lines: []core.DraftLine{{Sale: core.SaleLine{No: "1", Name: "燕麦", Unit: "袋"}, Gross: coretest.Yuan("113.00"), List: coretest.Yuan("113.00"),
			Quantity: core.Pieces(2), Mapped: core.Mapped{Code: "1030201020000000000", ShortName: "谷物", Rate: core.Percent(13)}}}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	inv := draft.Invoice()
	start := time.Now()
	a, err := client.Issue(t.Context(), core.IssueOrder{Serial: "BENCH000000000000001", Invoice: inv, At: time.Now()},
		func(context.Context, core.Exchange) error { return nil })
	if err != nil || a.Outcome != core.OutcomeIssued {
		t.Fatalf("issue: %+v, %v", a, err)
	}
	if took := time.Since(start); took < hold {
		t.Errorf("answered after %s, want not before %s", took, hold)
	}
	if a, err := client.Query(t.Context(), inv.Seller, "BENCH000000000000002"); err != nil || a.Outcome != core.OutcomeNotFound {
		t.Errorf("query: %+v, %v", a, err)
	}
	n, err := (&double{url: server.URL}).issued(t.Context())
	if err != nil || n != 1 {
		t.Errorf("%d issued, want 1: %v", n, err)
	}
}

func TestDriveCountsAndStops(t *testing.T) {
	var done atomic.Int64
	d, err := drive(8, upTo(1000, time.Now().Add(time.Minute)), func(int) (func(int64) error, error) {
		return func(int64) error { done.Add(1); return nil }, nil
	})
	if err != nil || len(d.took) != 1000 || done.Load() != 1000 {
		t.Errorf("%d timed and %d done of 1000: %v", len(d.took), done.Load(), err)
	}
	if d.quantile(.5) > d.quantile(.99) || d.quantile(1) != d.took[999] {
		t.Errorf("quantiles %s, %s, %s are out of order", d.quantile(.5), d.quantile(.99), d.quantile(1))
	}
	broken := errors.New("broken")
	if _, err := drive(8, until(time.Now().Add(time.Minute)), func(int) (func(int64) error, error) {
		return func(i int64) error {
			if i == 20 {
				return broken
			}
			return nil
		}, nil
	}); !errors.Is(err, broken) {
		t.Errorf("got %v, want the worker's error", err)
	}
}

func TestLoaderRefusesAnyOtherAnswer(t *testing.T) {
	var answers atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers.Add(1) == 300 {
			http.Error(w, "no", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	l := &loader{host: strings.TrimPrefix(server.URL, "http://"), path: "/hooks/x", key: []byte("k"), events: newEvents(orderPaid, 0)}
	if d, err := l.send(t.Context(), upTo(200, time.Now().Add(time.Minute))); err != nil || len(d.took) != 200 {
		t.Fatalf("%d of 200 sent: %v", len(d.took), err)
	}
	if _, err := l.send(t.Context(), upTo(200, time.Now().Add(time.Minute))); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("got %v, want an error that tells of the 503", err)
	}
}

func TestBareWriterWritesWhatItAcknowledges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bare")
	w, err := newBareWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.write([]byte("a record")), w.close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || len(b) != bareSize || !bytes.Equal(b[8:16], []byte("a record")) {
		t.Errorf("file of %d bytes holds %q: %v", len(b), b[:min(16, len(b))], err)
	}
}

func TestProcIsRead(t *testing.T) {
	spent, parent, err := parseStat("42 (a ) b) S 7 42 42 0 -1 4194304 1 2 3 4 250 50 9 9 20 0 1 0 100 1000 200")
	if err != nil || spent != 3*time.Second || parent != 7 {
		t.Errorf("spent %s, parent %d: %v", spent, parent, err)
	}
	if _, _, err := parseStat("42 (x) S 7"); err == nil {
		t.Error("a cut line was read")
	}
	m, err := parseStatus("Name:\tkaipiao\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n")
	if err != nil || m != (memory{now: 1 << 20, peak: 2 << 20}) {
		t.Errorf("memory %+v: %v", m, err)
	}
	if _, err := parseStatus("Name:\tx\n"); err == nil {
		t.Error("a status without memory was read")
	}
	if own, _, err := cpuOf(os.Getpid()); err != nil || own < 0 {
		t.Errorf("own processor time %s: %v", own, err)
	}
}

func TestMetricsAreSummedOverLabels(t *testing.T) {
	m, err := parseMetrics([]byte("# HELP x y\n# TYPE x counter\nx 3\ny{a=\"b\",c=\"d\"} 1.5\ny{a=\"e\"} 2 1700000000\n\n"))
	if err != nil || m["x"] != 3 || m["y"] != 3.5 {
		t.Errorf("%v: %v", m, err)
	}
	for _, bad := range []string{"x\n", "x many\n"} {
		if _, err := parseMetrics([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestReportSaysWhetherGoalsAreMet(t *testing.T) {
	var out strings.Builder
	r := &report{out: &out}
	r.add(figure{name: "rate", value: 1234567, unit: "/s", goal: goal{atLeast, 1000}})
	r.add(figure{name: "time", value: 1.26, decimals: 1, unit: " ms", goal: goal{atMost, 1.2}, note: "beside"})
	r.add(figure{name: "no goal", value: -1234.5, decimals: 2})
	r.foot()
	for _, want := range []string{"1,234,567/s  ≥ 1,000/s      met", "1.3 ms  ≤ 1.2 ms       MISSED  beside", "-1,234.50", "1 met, 1 missed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestRunKnowsItsParts(t *testing.T) {
	var out strings.Builder
	if err := Run(t.Context(), Options{Dir: t.TempDir(), Only: []string{"shop"}, Out: &out}); err == nil || !strings.Contains(err.Error(), "shop") {
		t.Errorf("got %v, want an error that names the part", err)
	}
}

// hex is what the key file holds; the program of the double reads it back.
func TestBureauRefusesABadKey(t *testing.T) {
	dir := t.TempDir()
	for key, ok := range map[string]bool{hex.EncodeToString(make([]byte, 16)): true, "xyz": false, "00": false} {
		if err := errors.Join(os.WriteFile(filepath.Join(dir, keyFile), []byte(key), 0o600), os.WriteFile(filepath.Join(dir, secretFile), []byte("s"), 0o600)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Bureau(ctx, []string{"-dir", dir}); (err == nil) != ok {
			t.Errorf("key %q: %v", key, err)
		}
	}
}
