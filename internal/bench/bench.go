//go:build linux

// Package bench measures the product on the machine it runs on: how fast it stores, takes webhooks and issues, and what
// that costs in processor time and memory. It builds the real binaries and drives them through their doors.
//
// Absolute figures say little about another machine, so every durable one stands beside what the disk did at that moment,
// and where a limit can be measured in the same run the goal is a ratio to it. A missed goal is a result, not an error.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// limit bounds a whole run.
const limit = 8 * time.Minute

// Options say what is measured and where.
type Options struct {
	// Dir is where the scratch folder is made; empty is the system's folder for temporary files. It must be on the disk
	// that is meant to be measured.
	Dir string
	// Short measures everything for a moment only, to see that it works.
	Short bool
	// Only names the parts to measure: store, door, pipeline, memory. Empty means all of them.
	Only []string
	// Bin is a folder with the host and, in plugins, its plugins; empty means that they are built.
	Bin string
	// Keep leaves the scratch folder behind.
	Keep bool
	Out  io.Writer
	// BureauCommand starts [Bureau] as a process of its own; its arguments follow.
	BureauCommand []string
}

// scale is how much is measured.
type scale struct {
	rounds            int // of alternating limit and store
	bare, transaction time.Duration
	stored, unstored  time.Duration
	lines             []line
	warmUp, window    time.Duration
	waiting           int // orders in the memory figure
	waitingTime       time.Duration
}

// line is one setting of the pipeline: connections to a bureau that holds each answer back, give or take a share.
type line struct {
	connections int
	jitter      float64
}

var (
	full = scale{rounds: 3, bare: time.Second, transaction: 3 * time.Second, stored: 22 * time.Second, unstored: 8 * time.Second,
		lines: []line{{16, 0}, {64, 0}, {64, 0.2}, {256, 0}}, warmUp: 3 * time.Second, window: 15 * time.Second,
		waiting: 100_000, waitingTime: 180 * time.Second}
	short = scale{rounds: 1, bare: 500 * time.Millisecond, transaction: time.Second, stored: 4 * time.Second, unstored: 2 * time.Second,
		lines: []line{{64, 0}}, warmUp: 2 * time.Second, window: 5 * time.Second, waiting: 4000, waitingTime: 30 * time.Second}
)

// run is one run of the bench.
type run struct {
	Options
	scale
	dir    string // scratch
	report *report
	bin    binaries
	// bareRate is the rate of the bare grouped writer, as last measured.
	bareRate float64
}

type part struct {
	name    string
	measure func(*run, context.Context) error
}

// parts are what can be measured, in order.
var parts = []part{
	{"store", (*run).storeLayer}, {"door", (*run).door}, {"pipeline", (*run).pipeline}, {"memory", (*run).memory},
}

// Run measures and prints a table. Its error tells what could not be measured; the rest is measured all the same.
func Run(ctx context.Context, o Options) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, name := range o.Only {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("nothing to measure is called %q", name)
		}
	}
	r := &run{Options: o, scale: full, report: &report{out: o.Out}}
	if o.Short {
		r.scale = short
	}
	if r.dir, err = os.MkdirTemp(o.Dir, "kaipiao-bench-"); err == nil {
		r.dir, err = filepath.Abs(r.dir)
	}
	if err != nil {
		return fmt.Errorf("make a scratch folder: %w", err)
	}
	if o.Keep {
		fmt.Fprintln(o.Out, "scratch folder:", r.dir)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	}
	r.report.head()
	var errs []error
	for _, p := range parts {
		if len(o.Only) > 0 && !slices.Contains(o.Only, p.name) {
			continue
		}
		if err := p.measure(r, ctx); err != nil {
			fmt.Fprintf(o.Out, "%s: %s\n", p.name, firstLine(err))
			errs = append(errs, fmt.Errorf("measure %s: %w", p.name, err))
		}
	}
	r.report.foot()
	return errors.Join(errs...)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
