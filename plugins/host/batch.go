package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

const (
	// maxItems and maxBatchBytes bound one call.
	maxItems      = 128
	maxBatchBytes = 4 << 20
	// maxWaiting bounds the requests of one instance that wait for their turn.
	maxWaiting = 1024
	// maxSingles is how many requests of a batch that ran out of time are repeated at a time.
	maxSingles = 16
)

// batchKey: requests share a call only when they are for the same revision of the same instance.
type batchKey struct{ plugin, id, revision string }

// batcher lets requests that arrive while a call of their instance is under way share the next one. There is no timer: a
// lone request goes at once.
type batcher struct {
	host     *Host
	instance Instance
	waiting  []*waiting
	running  bool
}

type waiting struct {
	ctx     context.Context
	request *pb.Request
	size    int
	done    chan parsed // holds one
}

type parsed struct {
	result *pb.ParseResult
	err    error
}

// Parse has one request verified and decoded. An error means that there is no verdict: the sender must try again (or, of
// class [ErrInstance] or [ErrCapability], a person must mend the configuration).
func (h *Host) Parse(ctx context.Context, in Instance, r *pb.Request) (*pb.ParseResult, error) {
	if _, err := h.supervisor(in.Plugin); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, h.options.Timings.Parse)
	defer cancel()
	w := &waiting{ctx: ctx, request: r, size: proto.Size(r), done: make(chan parsed, 1)}
	if err := h.enqueue(in, w); err != nil {
		return nil, &CallError{Plugin: in.Plugin, Method: "Parse", Class: ErrUnavailable, NotCalled: true, Err: err}
	}
	select {
	case p := <-w.done:
		return p.result, p.err
	case <-ctx.Done():
		return nil, &CallError{Plugin: in.Plugin, Method: "Parse", Class: ErrUnavailable, Err: ctx.Err()}
	}
}

func (h *Host) enqueue(in Instance, w *waiting) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	key := batchKey{in.Plugin, in.ID, in.Revision}
	b := h.batchers[key]
	if b == nil {
		b = &batcher{host: h, instance: in}
		h.batchers[key] = b
	}
	if len(b.waiting) >= maxWaiting {
		return fmt.Errorf("%d requests of instance %s wait already", maxWaiting, in.ID)
	}
	b.waiting = append(b.waiting, w)
	if !b.running {
		b.running = true
		h.batching.Go(func() { b.run(key) })
	}
	return nil
}

// run makes calls as long as requests wait, then goes away.
func (b *batcher) run(key batchKey) {
	for {
		b.host.mu.Lock()
		if len(b.waiting) == 0 {
			delete(b.host.batchers, key)
			b.host.mu.Unlock()
			return
		}
		batch := b.take()
		b.host.mu.Unlock()
		if len(batch) > 0 {
			b.process(batch)
		}
	}
}

// take cuts the next batch from those that wait and still have time. The host's lock is held.
func (b *batcher) take() []*waiting {
	most := maxItems
	if p := b.host.supervisors[b.instance.Plugin].live.Load(); p != nil {
		if m := int(p.about.GetLimits().GetMaxBatch()); m > 0 {
			most = min(m, maxItems)
		}
	}
	var batch []*waiting
	bytes := 0
	for len(b.waiting) > 0 && len(batch) < most {
		w := b.waiting[0]
		if len(batch) > 0 && bytes+w.size > maxBatchBytes {
			break
		}
		b.waiting = b.waiting[1:]
		if w.ctx.Err() == nil {
			batch, bytes = append(batch, w), bytes+w.size
		}
	}
	return batch
}

// process answers every request of a batch. A batch that fails as a whole is repeated one by one, so that a request which
// kills, stops or confuses the plugin harms only itself.
func (b *batcher) process(batch []*waiting) {
	t := b.host.options.Timings
	if len(batch) == 1 {
		b.single(batch[0], t.Parse)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.Batch)
	results, err := b.call(ctx, t.Batch, batch)
	cancel()
	if err == nil {
		for i, w := range batch {
			w.done <- b.judge(results[i])
		}
		return
	}
	b.host.supervisors[b.instance.Plugin].counters.Repeats.Add(int64(len(batch)))
	if !isTimeout(err) {
		// Perhaps one of them killed the process. Alone, the culprit takes nobody with it.
		for _, w := range batch {
			b.single(w, t.Parse)
		}
		return
	}
	// One of them hangs. It must not eat the others' time.
	slots := make(chan struct{}, maxSingles)
	var all sync.WaitGroup
	for _, w := range batch {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			b.single(w, t.Parse)
		})
	}
	all.Wait()
}

// single sends one request by itself, within what is left of its own time.
func (b *batcher) single(w *waiting, limit time.Duration) {
	results, err := b.call(w.ctx, limit, []*waiting{w})
	if err != nil {
		w.done <- parsed{err: err}
		return
	}
	w.done <- b.judge(results[0])
}

func (b *batcher) call(ctx context.Context, limit time.Duration, batch []*waiting) ([]*pb.ParseResult, error) {
	requests := make([]*pb.Request, len(batch))
	for i, w := range batch {
		requests[i] = w.request
	}
	c := b.host.supervisors[b.instance.Plugin].counters
	c.Batches.Add(1)
	c.Requests.Add(int64(len(batch)))
	answer, err := call(ctx, b.host, b.instance.Plugin, "Parse", limit, func(ctx context.Context, conn *grpc.ClientConn) (*pb.ParseResponse, error) {
		return pb.NewSourceClient(conn).Parse(ctx, &pb.ParseRequest{Instance: b.instance.wire(), Requests: requests})
	})
	if err != nil {
		return nil, err
	}
	if n := len(answer.GetResults()); n != len(batch) {
		return nil, b.broken(fmt.Errorf("%d requests got %d results", len(batch), n))
	}
	return answer.GetResults(), nil
}

// judge turns a result without verdict into an error, and refuses one that breaks the contract.
func (b *batcher) judge(r *pb.ParseResult) parsed {
	switch r.GetVerdict() {
	case pb.Verdict_VERDICT_ACCEPTED, pb.Verdict_VERDICT_IGNORED, pb.Verdict_VERDICT_FORGED, pb.Verdict_VERDICT_MALFORMED:
		return parsed{result: r}
	case pb.Verdict_VERDICT_UNVERIFIED:
		for _, e := range r.GetEvents() {
			if e.GetOrderRef() == nil {
				return parsed{err: b.broken(errors.New("an unverified request may carry order references only"))}
			}
		}
		return parsed{result: r}
	}
	return parsed{err: b.broken(fmt.Errorf("no verdict: %s: %s", r.GetReason(), r.GetDetail()))}
}

func (b *batcher) broken(err error) error {
	return &CallError{Plugin: b.instance.Plugin, Method: "Parse", Class: ErrPlugin, Err: err}
}
