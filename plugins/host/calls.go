package host

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// call runs one unary call on the live process within a deadline.
func call[R any](ctx context.Context, h *Host, plugin, method string, limit time.Duration, f func(context.Context, *grpc.ClientConn) (R, error)) (R, error) {
	var none R
	s, err := h.supervisor(plugin)
	if err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	notCalled := func(err error) (R, error) {
		s.counters.CallErrors.Add(1)
		return none, &CallError{Plugin: plugin, Method: method, Class: ErrUnavailable, NotCalled: true, Err: err}
	}
	p, err := s.acquire(ctx)
	if err != nil {
		return notCalled(err)
	}
	defer p.calls.leave()
	if p.slots != nil {
		select {
		case p.slots <- struct{}{}:
			defer func() { <-p.slots }()
		case <-ctx.Done():
			return notCalled(errors.New("the plugin takes no more calls at a time"))
		}
	}
	if err := ctx.Err(); err != nil {
		return notCalled(err)
	}
	if d := p.about.GetLimits().GetCallTimeout().AsDuration(); d > 0 && d < limit {
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	s.counters.Calls.Add(1)
	out, err := f(ctx, p.conn)
	if err != nil {
		s.counters.CallErrors.Add(1)
		if ctx.Err() == nil && classOf(err) == ErrUnavailable && !p.healthy(context.WithoutCancel(ctx)) {
			s.lose(p)
		}
		return none, &CallError{Plugin: plugin, Method: method, Class: classOf(err), Err: err}
	}
	return out, nil
}

// Validate checks an instance's configuration; with probe also its credentials.
func (h *Host) Validate(ctx context.Context, in Instance, probe bool) ([]*pb.Problem, error) {
	out, err := call(ctx, h, in.Plugin, "Validate", h.options.Timings.Validate, func(ctx context.Context, c *grpc.ClientConn) (*pb.ValidateResponse, error) {
		return pb.NewPluginClient(c).Validate(ctx, &pb.ValidateRequest{Instance: in.wire(), Probe: probe})
	})
	return out.GetProblems(), err
}

// Refresh renews an instance's tokens. A failure that the plugin reports is in the response, not an error.
func (h *Host) Refresh(ctx context.Context, in Instance) (*pb.RefreshResponse, error) {
	return call(ctx, h, in.Plugin, "Refresh", h.options.Timings.Refresh, func(ctx context.Context, c *grpc.ClientConn) (*pb.RefreshResponse, error) {
		return pb.NewPluginClient(c).Refresh(ctx, &pb.RefreshRequest{Instance: in.wire()})
	})
}

// Fetch reads orders. Every order number comes back as events or as a failure, or the call fails as a whole.
// An answer that is too large is asked for again in halves.
func (h *Host) Fetch(ctx context.Context, in Instance, orderNos []string) (*pb.FetchResponse, error) {
	out := &pb.FetchResponse{}
	for part := range h.batches(in.Plugin, len(orderNos)) {
		r, err := h.fetchPart(ctx, in, orderNos[part.from:part.to])
		if err != nil {
			return nil, err
		}
		out.Events = append(out.Events, r.GetEvents()...)
		out.Failures = append(out.Failures, r.GetFailures()...)
	}
	return out, nil
}

func (h *Host) fetchPart(ctx context.Context, in Instance, orderNos []string) (*pb.FetchResponse, error) {
	out, err := call(ctx, h, in.Plugin, "Fetch", h.options.Timings.Fetch, func(ctx context.Context, c *grpc.ClientConn) (*pb.FetchResponse, error) {
		return pb.NewSourceClient(c).Fetch(ctx, &pb.FetchRequest{Instance: in.wire(), OrderNos: orderNos})
	})
	if n := len(orderNos); errors.Is(err, ErrTooLarge) && n > 1 {
		first, err := h.fetchPart(ctx, in, orderNos[:n/2])
		if err != nil {
			return nil, err
		}
		second, err := h.fetchPart(ctx, in, orderNos[n/2:])
		if err != nil {
			return nil, err
		}
		proto.Merge(first, second)
		return first, nil
	}
	return out, err
}

// Pull reads the events that follow a cursor, at most limit of them, and may wait for a first one. An answer that is too
// large is asked for again with half the limit: nothing is acknowledged before its cursor comes back.
func (h *Host) Pull(ctx context.Context, in Instance, cursor []byte, limit int, wait time.Duration) (*pb.PullResponse, error) {
	for {
		out, err := call(ctx, h, in.Plugin, "Pull", wait+h.options.Timings.Pull, func(ctx context.Context, c *grpc.ClientConn) (*pb.PullResponse, error) {
			return pb.NewSourceClient(c).Pull(ctx, &pb.PullRequest{
				Instance: in.wire(), Cursor: cursor, Limit: int32(limit), Wait: durationpb.New(wait),
			})
		})
		if !errors.Is(err, ErrTooLarge) || limit <= 1 {
			return out, err
		}
		limit /= 2
	}
}

// Deliver sends parcels and gives a receipt for each, in order. A part of the batch that failed as a call has receipts
// too: RETRY where the plugin certainly never saw it, UNKNOWN otherwise.
func (h *Host) Deliver(ctx context.Context, in Instance, parcels []*pb.Parcel) ([]*pb.Receipt, error) {
	if _, err := h.supervisor(in.Plugin); err != nil {
		return nil, err
	}
	out := make([]*pb.Receipt, 0, len(parcels))
	for part := range h.batches(in.Plugin, len(parcels)) {
		out = append(out, h.deliverPart(ctx, in, parcels[part.from:part.to])...)
	}
	return out, nil
}

func (h *Host) deliverPart(ctx context.Context, in Instance, parcels []*pb.Parcel) []*pb.Receipt {
	answer, err := call(ctx, h, in.Plugin, "Deliver", h.options.Timings.Deliver, func(ctx context.Context, c *grpc.ClientConn) (*pb.DeliverResponse, error) {
		return pb.NewDeliveryClient(c).Deliver(ctx, &pb.DeliverRequest{Instance: in.wire(), Parcels: parcels})
	})
	missing := pb.Outcome_OUTCOME_UNKNOWN
	reason := "the plugin gave no receipt"
	if err != nil {
		reason = err.Error()
	}
	if errors.Is(err, ErrNotCalled) || errors.Is(err, ErrCapability) || errors.Is(err, ErrInstance) {
		missing = pb.Outcome_OUTCOME_RETRY
	}
	byID := map[string]*pb.Receipt{}
	for _, r := range answer.GetReceipts() {
		if r.GetOutcome() != pb.Outcome_OUTCOME_UNSPECIFIED {
			byID[r.GetParcelId()] = r
		}
	}
	out := make([]*pb.Receipt, len(parcels))
	for i, p := range parcels {
		if out[i] = byID[p.GetId()]; out[i] == nil {
			out[i] = &pb.Receipt{ParcelId: p.GetId(), Outcome: missing, Reason: reason, ReasonClass: pb.ReasonClass_REASON_CLASS_PROVIDER}
		}
	}
	return out
}

// Track says what became of parcels, in order. A missing answer counts as still unknown.
func (h *Host) Track(ctx context.Context, in Instance, refs []*pb.ParcelRef) ([]*pb.Standing, error) {
	out := make([]*pb.Standing, 0, len(refs))
	for part := range h.batches(in.Plugin, len(refs)) {
		asked := refs[part.from:part.to]
		answer, err := call(ctx, h, in.Plugin, "Track", h.options.Timings.Track, func(ctx context.Context, c *grpc.ClientConn) (*pb.TrackResponse, error) {
			return pb.NewDeliveryClient(c).Track(ctx, &pb.TrackRequest{Instance: in.wire(), Parcels: asked})
		})
		if err != nil {
			return nil, err
		}
		byID := map[string]*pb.Standing{}
		for _, s := range answer.GetStandings() {
			if s.GetState() != pb.TrackState_TRACK_STATE_UNSPECIFIED {
				byID[s.GetParcelId()] = s
			}
		}
		for _, ref := range asked {
			s := byID[ref.GetParcelId()]
			if s == nil {
				s = &pb.Standing{ParcelId: ref.GetParcelId(), State: pb.TrackState_TRACK_STATE_STILL_UNKNOWN, Reason: "the plugin gave no answer"}
			}
			out = append(out, s)
		}
	}
	return out, nil
}

type span struct{ from, to int }

// batches cuts n items into calls of at most the plugin's wish, or maxItems.
func (h *Host) batches(plugin string, n int) func(yield func(span) bool) {
	size := maxItems
	if s, err := h.supervisor(plugin); err == nil {
		if p := s.live.Load(); p != nil {
			if m := int(p.about.GetLimits().GetMaxBatch()); m > 0 {
				size = min(m, maxItems)
			}
		}
	}
	return func(yield func(span) bool) {
		for from := 0; from < n; from += size {
			if !yield(span{from, min(from+size, n)}) {
				return
			}
		}
	}
}
