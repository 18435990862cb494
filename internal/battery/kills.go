package battery

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/internal/fault"
)

// left are points that no traffic leads to: passed once in a database's life, or when the host or a plugin fails by chance.
var left = []string{"changed", "key.add", "failed", "finish", "plugin.state"}

// Discover runs traffic in several weathers, and restarts after the deaths that some points need, with the list of points
// switched on; it returns the points that were passed.
func (r *Run) Discover(ctx context.Context, in []weather, patience time.Duration) ([]string, error) {
	list := r.house.file("points")
	env := fault.EnvFailLog + "=" + list
	for i, w := range in {
		if err := r.house.setWeather(ctx, w, r.seed+i); err != nil {
			return nil, err
		}
		for _, death := range []string{"send.after:issue#2", "send.after:red_apply", "commit.after:deliver.intent#2", ""} {
			if err := r.restart(ctx, env, fault.EnvFail+"="+death); err != nil {
				return nil, err
			}
			if _, err := r.talkUntilDeath(ctx, 2, aim{patience: patience, lives: [][]int{nil, reds}[i%2]}); err != nil {
				return nil, err
			}
		}
	}
	return readPoints(list)
}

func readPoints(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("list of failpoints: %w", err)
	}
	defer func() { _ = f.Close() }()
	var points []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		point := lines.Text()
		if name := point[strings.IndexByte(point, ':')+1:]; !slices.Contains(points, point) && !slices.Contains(left, name) {
			points = append(points, point)
		}
	}
	slices.Sort(points)
	return points, nil
}

// restart stops the host if it runs and starts it with an environment. Dying at a point while it starts is no fault.
func (r *Run) restart(ctx context.Context, env ...string) error {
	if r.house.host != nil {
		select {
		case <-r.house.host.ended:
		default:
			if err := r.house.Stop(30 * time.Second); err != nil {
				return err
			}
		}
	}
	err := r.house.Start(ctx, env...)
	if errors.Is(err, errEnded) && r.house.host.killed() {
		return nil
	}
	return err
}

// talkUntilDeath tells orders until the host dies at its failpoint, at most so many batches. It says whether it died.
func (r *Run) talkUntilDeath(ctx context.Context, batches int, a aim) (bool, error) {
	for n := 0; ; {
		if r.talking == nil {
			if n == batches {
				return false, nil
			}
			n++
			if err := r.batch(ctx, 3, a); err != nil {
				return false, err
			}
		}
		select {
		case <-r.house.host.ended:
			return true, r.diedAsPlanned()
		case err := <-r.talking:
			r.heard("traffic", err)
			if _, err := r.rest(ctx, a.patience); errors.Is(err, errEnded) {
				return true, r.diedAsPlanned()
			}
		}
	}
}

func (r *Run) diedAsPlanned() error {
	<-r.house.host.ended
	if !r.house.host.killed() {
		return fmt.Errorf("the host ended by itself (%s); see host.log in %s", r.house.host.cmd.ProcessState, r.house.dir)
	}
	return nil
}

// arrivals are at which arrival at a point the host dies; a rare point falls back to the first.
var arrivals = []int{1, 2, 3, 1, 5, 2, 8, 1}

// Kill lets the host die at a point. It says whether the point was reached.
func (r *Run) Kill(ctx context.Context, point string, n int) (bool, error) {
	name := point[strings.IndexByte(point, ':')+1:]
	a := aimAt(point)
	tries := []int{1}
	if a.common {
		tries = []int{arrivals[n%len(arrivals)], 1}
	}
	for _, arrival := range tries {
		if err := r.house.setWeather(ctx, a.weather, r.seed+100*n+len(r.Kills)); err != nil {
			return false, err
		}
		if first, needed := before[name]; needed {
			if err := r.restart(ctx, fault.EnvFail+"="+first); err != nil {
				return false, err
			}
			if died, err := r.talkUntilDeath(ctx, 4, a); err != nil || !died {
				return false, err
			}
		}
		if err := r.restart(ctx, fmt.Sprintf("%s=%s#%d", fault.EnvFail, point, arrival)); err != nil {
			return false, err
		}
		died, err := r.talkUntilDeath(ctx, 4, a)
		if err != nil {
			return false, err
		}
		if died {
			r.Kills[point]++
			return true, nil
		}
	}
	return false, nil
}

// Row is one line of the report.
type Row struct {
	Point                     string
	Kills, Orders, Violations int
	Took                      time.Duration
}

// maxMisses bounds the attempts at a point in which the host did not come by.
const maxMisses = 4

// row kills the host so often at a point, and then judges.
func (r *Run) row(ctx context.Context, point string, kills int) (Row, error) {
	row := Row{Point: point}
	begun, orders, violations := time.Now(), len(r.Orders), len(r.Violations)
	for misses := 0; row.Kills < kills && misses < maxMisses; {
		died, err := r.Kill(ctx, point, row.Kills+misses)
		switch {
		case err != nil:
			return row, fmt.Errorf("kill %d at %s: %w", row.Kills+1, point, err)
		case died:
			row.Kills++
		default:
			misses++
		}
	}
	if err := r.settle(ctx, point, false); err != nil {
		return row, fmt.Errorf("after %s: %w", point, err)
	}
	row.Orders, row.Violations, row.Took = len(r.Orders)-orders, len(r.Violations)-violations, time.Since(begun)
	return row, nil
}
