package webhooks_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/webhooks"
)

// pass is a source that accepts everything at once: what is measured is the edge and the store.
type pass struct{}

func (pass) Parse(_ context.Context, _ core.InstanceID, r core.RawRequest) (core.Parsed, error) {
	key := header(r, "Webhook-Id")
	e := coretest.Sale(key).Goods("茶杯", "1", "113.00").Event()
	e.Key = key
	return core.Parsed{Verdict: core.Accepted, RequestKey: key, Events: []core.Event{e}}, nil
}

// none stores nothing: what is measured is the edge alone.
type none struct{}

func (none) Ingest(_ context.Context, _ core.InstanceID, in []flow.Inbound) ([]flow.Receipt, error) {
	out := make([]flow.Receipt, len(in))
	for i := range out {
		out[i].Result = flow.Stored
	}
	return out, nil
}

// BenchmarkHooks posts 2 KB events over kept connections. events/s and p99 are those of durable answers. The senders run
// in the same process: cpu-us is theirs too. It does not depend on what else the machine does; two cores do at least
// 2,000,000 / cpu-us events a second.
func BenchmarkHooks(b *testing.B) {
	for _, senders := range []int{64, 256} {
		b.Run(fmt.Sprintf("stored/%d", senders), func(b *testing.B) {
			store := openStore(b, filepath.Join(b.TempDir(), "bench.db"))
			clock, ids := coretest.NewClock(coretest.T0), coretest.NewIDs(1)
			benchHooks(b, senders, flow.New(flow.Options{Store: store, Vault: vault{}, Book: book{}, Clock: clock, IDs: ids}))
		})
		b.Run(fmt.Sprintf("edge/%d", senders), func(b *testing.B) { benchHooks(b, senders, none{}) })
	}
}

func benchHooks(b *testing.B, senders int, inbox webhooks.Ingester) {
	p, err := webhooks.NewPublic(webhooks.PublicOptions{Source: pass{}, Hooks: []webhooks.Hook{{Instance: coretest.Instance, Token: token}},
		Clock: coretest.NewClock(coretest.T0), IDs: coretest.NewIDs(2), Inbox: inbox, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	addr := serve(b, p)
	body := `{"type":"order.paid","data":"` + strings.Repeat("x", 2000) + `"}`
	var next atomic.Int64
	took := make([]time.Duration, b.N)
	var all sync.WaitGroup
	b.ReportAllocs()
	before := cpuTime(b)
	b.ResetTimer()
	for range senders {
		all.Go(func() {
			conn := dial(b, addr)
			defer conn.Close()
			br := bufio.NewReader(conn)
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				begun := time.Now()
				if _, err := io.WriteString(conn, post("/hooks/"+token, body, fmt.Sprintf("Webhook-Id: msg_%012d", n))); err != nil {
					b.Error(err)
					return
				}
				if r, err := readReply(br); err != nil || r.status != 200 {
					b.Errorf("%d %s %v", r.status, r.body, err)
					return
				}
				took[n-1] = time.Since(begun)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-us")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
