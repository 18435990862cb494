package sdk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Register puts the plugin's services on a gRPC server. [Serve] does so for a process; tests do so for themselves.
func (p *Plugin) Register(r grpc.ServiceRegistrar) {
	s := &server{plugin: p}
	pb.RegisterPluginServer(r, pluginServer{server: s})
	if p.parse != nil || p.fetch != nil || p.pull != nil {
		pb.RegisterSourceServer(r, sourceServer{server: s})
	}
	if p.deliver != nil || p.track != nil {
		pb.RegisterDeliveryServer(r, deliveryServer{server: s})
	}
}

// server runs an author's functions: it decodes the configuration, counts what is under way for Drain, and turns a panic
// into an error of the one item that caused it.
type server struct {
	plugin *Plugin
	calls  inFlight
}

type pluginServer struct {
	pb.UnimplementedPluginServer
	*server
}

func (s pluginServer) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	p := s.plugin
	out := &pb.DescribeResponse{
		Name: p.name, Version: p.version, Capabilities: p.capabilities(), ConfigSchemaJson: p.configs.schema,
		Limits: &pb.Limits{
			MaxBatch: int32(p.limits.MaxBatch), MaxInFlight: int32(p.limits.MaxInFlight), CallTimeout: span(p.limits.CallTimeout),
		},
	}
	var c converter
	for _, ch := range p.channels {
		out.Channels = append(out.Channels, word[pb.Channel](&c, pb.Channel_value, "CHANNEL_", ch))
	}
	if c.err != nil {
		return nil, status.Error(codes.Internal, c.err.Error())
	}
	return out, nil
}

func (s pluginServer) Validate(ctx context.Context, r *pb.ValidateRequest) (*pb.ValidateResponse, error) {
	defer s.calls.begin()()
	problems, err := guard("validate", func() ([]Problem, error) {
		cfg, err := s.plugin.configs.get(r.GetInstance())
		var bad *configError
		switch {
		case errors.As(err, &bad):
			return bad.problems, nil
		case err != nil:
			return nil, err
		case s.plugin.validate == nil:
			return nil, nil
		}
		return s.plugin.validate(ctx, cfg, r.GetProbe()), nil
	})
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	out := &pb.ValidateResponse{}
	for _, p := range problems {
		out.Problems = append(out.Problems, &pb.Problem{Pointer: p.Pointer, Message: p.Message, Warning: p.Warning})
	}
	return out, nil
}

func (s pluginServer) Refresh(ctx context.Context, r *pb.RefreshRequest) (*pb.RefreshResponse, error) {
	if s.plugin.refresh == nil {
		return nil, lacks(s.plugin, "Refresh")
	}
	defer s.calls.begin()()
	cfg, err := s.config(r.GetInstance())
	if err != nil {
		return nil, err
	}
	renewed, err := guard("refresh", func() (Renewed, error) { return s.plugin.refresh(ctx, cfg) })
	if err != nil {
		return &pb.RefreshResponse{Failure: failure("", err)}, nil
	}
	return &pb.RefreshResponse{Secrets: renewed.Secrets, ExpiresAt: stamp(renewed.ExpiresAt)}, nil
}

func (s pluginServer) Drain(ctx context.Context, _ *pb.DrainRequest) (*pb.DrainResponse, error) {
	return &pb.DrainResponse{}, s.calls.wait(ctx)
}

// config gives the instance's configuration, or the error of the whole call: without it there is nothing to do.
func (s *server) config(in *pb.Instance) (any, error) {
	cfg, err := guard("configuration", func() (any, error) { return s.plugin.configs.get(in) })
	if err != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "%s: %v", BadConfig, err)
	}
	return cfg, nil
}

func lacks(p *Plugin, method string) error {
	return status.Errorf(codes.Unimplemented, "plugin %s does not serve %s", p.name, method)
}

func failure(key string, err error) *pb.Failure {
	permanent, after := instructionOf(err)
	return &pb.Failure{Key: key, Permanent: permanent, RetryAfter: span(after), Reason: err.Error()}
}

// panicError is a panic of the author's code. Its text has no panic value: that may quote what was being decoded.
type panicError struct{ what string }

func (e *panicError) Error() string { return fmt.Sprintf("%s: %s", PluginPanic, e.what) }

func guard[T any](what string, f func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("the plugin's code panicked", "in", what, "kind", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = &panicError{what}
		}
	}()
	return f()
}

// inFlight counts calls so that Drain can wait for them. Begin may come during a wait, which a WaitGroup forbids.
type inFlight struct {
	mu   sync.Mutex
	n    int
	idle chan struct{}
}

func (i *inFlight) begin() (end func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.n++
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.n--; i.n == 0 && i.idle != nil {
			close(i.idle)
			i.idle = nil
		}
	}
}

func (i *inFlight) wait(ctx context.Context) error {
	i.mu.Lock()
	if i.n == 0 {
		i.mu.Unlock()
		return nil
	}
	if i.idle == nil {
		i.idle = make(chan struct{})
	}
	idle := i.idle
	i.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// parallel is how many items of one call run at a time.
const parallel = 4

// each runs f for every index and waits for all. Once time is nearly up, those not begun are left to skip.
func each(ctx context.Context, n int, f, skip func(int)) {
	reserve := 200 * time.Millisecond // for the answer's way back
	if deadline, limited := ctx.Deadline(); limited {
		reserve = min(reserve, time.Until(deadline)/10) // a short call must still begin
	}
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		deadline, limited := ctx.Deadline()
		if ctx.Err() != nil || limited && time.Until(deadline) < reserve {
			skip(i)
			<-slots
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	wg.Wait()
}
