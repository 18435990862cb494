package sdk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

type sourceServer struct {
	pb.UnimplementedSourceServer
	*server
}

func (s sourceServer) Parse(ctx context.Context, r *pb.ParseRequest) (*pb.ParseResponse, error) {
	if s.plugin.parse == nil {
		return nil, lacks(s.plugin, "Parse")
	}
	defer s.calls.begin()()
	cfg, err := s.config(r.GetInstance())
	if err != nil {
		return nil, err
	}
	out := &pb.ParseResponse{Results: make([]*pb.ParseResult, len(r.GetRequests()))}
	for i, request := range r.GetRequests() {
		out.Results[i] = s.parseOne(ctx, cfg, requestFrom(request))
	}
	return out, nil
}

// parseOne gives a result without verdict when the author's code failed: the host then has the sender try again.
func (s sourceServer) parseOne(ctx context.Context, cfg any, r Request) *pb.ParseResult {
	result, err := guard("parse", func() (*pb.ParseResult, error) {
		parsed, err := s.plugin.parse(ctx, cfg, r)
		if err != nil {
			return nil, err
		}
		if err := parsed.check(); err != nil {
			return nil, err
		}
		return parsed.pb()
	})
	var panicked *panicError
	switch {
	case errors.As(err, &panicked):
		return &pb.ParseResult{Reason: string(PluginPanic), Detail: err.Error()}
	case err != nil:
		return &pb.ParseResult{Reason: string(PluginError), Detail: err.Error()}
	}
	return result
}

// check refuses answers that contradict themselves.
func (p Parsed) check() error {
	switch p.verdict {
	case pb.Verdict_VERDICT_UNSPECIFIED:
		return errors.New("the plugin returned the zero Parsed: every request needs a verdict")
	case pb.Verdict_VERDICT_ACCEPTED, pb.Verdict_VERDICT_UNVERIFIED:
		if len(p.events) == 0 {
			return errors.New("a request with a verdict that takes events has none; use Ignored")
		}
	default:
		if len(p.events) > 0 {
			return fmt.Errorf("a request with verdict %s has events", p.verdict)
		}
	}
	return nil
}

func (s sourceServer) Fetch(ctx context.Context, r *pb.FetchRequest) (*pb.FetchResponse, error) {
	if s.plugin.fetch == nil {
		return nil, lacks(s.plugin, "Fetch")
	}
	defer s.calls.begin()()
	cfg, err := s.config(r.GetInstance())
	if err != nil {
		return nil, err
	}
	nos := r.GetOrderNos()
	events, failures := make([][]*pb.Event, len(nos)), make([]*pb.Failure, len(nos))
	each(ctx, len(nos), func(i int) {
		events[i], failures[i] = s.fetchOne(ctx, cfg, nos[i])
	}, func(i int) {
		failures[i] = &pb.Failure{Key: nos[i], Reason: "not begun: the call ran out of time"}
	})
	out := &pb.FetchResponse{}
	for i := range nos {
		out.Events = append(out.Events, events[i]...)
		if failures[i] != nil {
			out.Failures = append(out.Failures, failures[i])
		}
	}
	return out, nil
}

func (s sourceServer) fetchOne(ctx context.Context, cfg any, orderNo string) ([]*pb.Event, *pb.Failure) {
	started := time.Now()
	events, err := guard("fetch", func() ([]*pb.Event, error) {
		events, err := s.plugin.fetch(ctx, cfg, orderNo)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			return nil, errors.New("the plugin returned neither events nor an error")
		}
		for i := range events {
			if events[i].FetchStartedAt.IsZero() {
				events[i].FetchStartedAt = started
			}
		}
		return eventsPB(events)
	})
	if err != nil {
		return nil, failure(orderNo, err)
	}
	return events, nil
}

func (s sourceServer) Pull(ctx context.Context, r *pb.PullRequest) (*pb.PullResponse, error) {
	if s.plugin.pull == nil {
		return nil, lacks(s.plugin, "Pull")
	}
	defer s.calls.begin()()
	cfg, err := s.config(r.GetInstance())
	if err != nil {
		return nil, err
	}
	out, err := guard("pull", func() (*pb.PullResponse, error) {
		page, err := s.plugin.pull(ctx, cfg, PullRequest{Cursor: r.GetCursor(), Limit: int(r.GetLimit()), Wait: r.GetWait().AsDuration()})
		if err != nil {
			return nil, err
		}
		events, err := eventsPB(page.Events)
		return &pb.PullResponse{Events: events, Cursor: page.Cursor, More: page.More, NextAfter: span(page.NextAfter)}, err
	})
	permanent, after := instructionOf(err)
	switch {
	case err == nil:
		return out, nil
	case after > 0:
		slog.Warn("nothing pulled", "instance", r.GetInstance().GetId(), "retry_after", after, "error", err)
		return &pb.PullResponse{Cursor: r.GetCursor(), NextAfter: span(after)}, nil
	case permanent:
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return nil, status.Error(codes.Internal, err.Error())
}
