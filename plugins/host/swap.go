package host

import (
	"context"
	"fmt"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Swap reads the lock file again and puts the plugin's new binary in the place of the running one: started beside it,
// tried on every instance, and only then given the calls, while the old one finishes what it has. If anything is wrong
// with the new one, the old one stays.
func (h *Host) Swap(ctx context.Context, name string) error {
	s, err := h.supervisor(name)
	if err != nil {
		return err
	}
	lock, err := ReadLock(h.options.LockFile)
	if err != nil {
		return err
	}
	e, ok := lock.Plugins[name]
	if !ok {
		return fmt.Errorf("swap plugin %s: %w in the lock file", name, ErrUnknownPlugin)
	}
	in, err := install(h.options.Dir, h.options.OwnDir, name, e)
	if err != nil {
		return err
	}
	w := swap{in: in, done: make(chan error, 1)}
	select {
	case s.swaps <- w:
	case <-ctx.Done():
		return fmt.Errorf("swap plugin %s: it is being started or replaced: %w", name, ctx.Err())
	case <-h.closing:
		return ErrClosed
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("swap plugin %s goes on: %w", name, ctx.Err())
	}
}

// replacement starts a new process and tries it on all instances.
func (s *supervisor) replacement(ctx context.Context, in *installed) (*process, error) {
	p, output, err := startProcess(ctx, in, s.options, s.counters)
	s.counters.Starts.Add(1)
	if err != nil {
		return nil, fmt.Errorf("%w; the old one stays; it printed:\n%s", err, s.options.Mask(output.String()))
	}
	if err := s.tryInstances(ctx, p); err != nil {
		p.stop()
		return nil, fmt.Errorf("new binary of plugin %s: %w; the old one stays", s.name, err)
	}
	return p, nil
}

func (s *supervisor) tryInstances(ctx context.Context, p *process) error {
	if s.options.Instances == nil {
		return nil
	}
	instances, err := s.options.Instances(ctx, s.name)
	if err != nil {
		return fmt.Errorf("list instances: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timings.Validate)
	defer cancel()
	for _, in := range instances {
		answer, err := pb.NewPluginClient(p.conn).Validate(ctx, &pb.ValidateRequest{Instance: in.wire()})
		if err != nil {
			return fmt.Errorf("validate instance %s: %w", in.ID, err)
		}
		for _, problem := range answer.GetProblems() {
			if !problem.GetWarning() {
				return fmt.Errorf("instance %s no longer fits: %s %s", in.ID, problem.GetPointer(), problem.GetMessage())
			}
		}
	}
	return nil
}
