package battery

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Settings of a kill matrix.
type Settings struct {
	Kills  int    // at each point
	Houses int    // worked side by side
	Seed   uint64 // of the traffic
	Log    io.Writer
}

// Result is what a kill matrix came to.
type Result struct {
	Rows                                 []Row
	Kills, Orders, Messages, Sends, Asks int
	Violations                           []string
	Took                                 time.Duration
}

// Matrix discovers the points and lets the host die at each of them. Houses share the points; each is used across kills.
func Matrix(ctx context.Context, bin Binaries, dir string, s Settings, progress func(Row)) (Result, error) {
	begun := time.Now()
	var result Result
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var points []string
	found, work := make(chan struct{}), make(chan string)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range max(s.Houses, 1) {
		all.Go(func() {
			err := inHouse(ctx, bin, dir, s.Seed+uint64(i), s.Log, func(r *Run) (err error) {
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					result.add(r)
				}()
				if i == 0 {
					points, err = r.Discover(ctx, weathers, 8*time.Second)
					if err == nil {
						err = r.settle(ctx, "discovery", false)
					}
					if err != nil {
						return err
					}
					close(found)
				}
				for point := range work {
					row, err := r.row(ctx, point, s.Kills)
					if err != nil {
						return err
					}
					mu.Lock()
					result.Rows = append(result.Rows, row)
					progress(row)
					mu.Unlock()
				}
				return r.settle(ctx, "the end", true)
			})
			if err != nil {
				cancel(err)
			}
		})
	}
	select {
	case <-found:
	case <-ctx.Done():
	}
	for _, point := range points {
		select {
		case work <- point:
		case <-ctx.Done():
		}
	}
	close(work)
	all.Wait()
	result.Took = time.Since(begun)
	return result, context.Cause(ctx)
}

// inHouse makes a house, uses it and tears it down. A house whose use failed is kept for looking at.
func inHouse(ctx context.Context, bin Binaries, dir string, seed uint64, log io.Writer, use func(*Run) error) error {
	at, err := os.MkdirTemp(dir, "house")
	if err != nil {
		return err
	}
	h, err := NewHouse(ctx, bin, at)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := use(NewRun(h, seed, log)); err != nil {
		return fmt.Errorf("house %s: %w", at, err)
	}
	return nil
}

func (result *Result) add(r *Run) {
	for _, n := range r.Kills {
		result.Kills += n
	}
	result.Orders += len(r.Orders)
	result.Messages += r.house.sender.posts
	result.Sends, result.Asks = result.Sends+r.wire.sends, result.Asks+r.wire.asks
	result.Violations = append(result.Violations, r.Violations...)
}
