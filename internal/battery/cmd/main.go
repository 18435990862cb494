// Command battery runs the long battery: every failpoint so many times, and each seeded bug's gate without and with its bug.
// It prints the table and, unless told otherwise, writes it to docs/battery.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/kaipiao/kaipiao/internal/battery"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "battery: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	kills := flag.Int("kills", 20, "kills at each failpoint")
	houses := flag.Int("houses", 3, "houses worked side by side")
	seed := flag.Uint64("seed", 1, "seed of the traffic")
	out := flag.String("out", "docs/battery.md", "file for the table; empty for none")
	bug := flag.String("bug", "", "only the gate of this seeded bug, and no kills")
	keep := flag.Bool("keep", false, "keep the scratch folder")
	flag.Parse()

	dir, err := os.MkdirTemp("", "battery")
	if err != nil {
		return err
	}
	defer func() {
		if *keep || err != nil {
			fmt.Fprintln(os.Stderr, "kept: "+dir)
			return
		}
		_ = os.RemoveAll(dir)
	}()
	begun := time.Now()
	bin, err := battery.Build(ctx, filepath.Join(dir, "bin"))
	if err != nil {
		return err
	}
	fmt.Printf("built in %s\n", time.Since(begun).Round(time.Second))
	verdicts, err := battery.Bugs(ctx, bin, dir, *bug, func(v battery.Verdict) {
		fmt.Printf("%-26s caught: %-5v %4s  with it: %s\n", v.Bug, v.OK(), v.Took.Round(time.Second), v.With)
	})
	if err != nil || *bug != "" {
		return err
	}
	n := 0
	result, err := battery.Matrix(ctx, bin, dir, battery.Settings{Kills: *kills, Houses: *houses, Seed: *seed, Log: os.Stderr}, func(r battery.Row) {
		n++
		fmt.Printf("%3d  %-36s %3d kills  %4d orders  %d violations  %s\n", n, r.Point, r.Kills, r.Orders, r.Violations, r.Took.Round(time.Second))
	})
	if err != nil {
		return err
	}
	text := battery.Document(result, verdicts, *kills, time.Now())
	fmt.Print("\n" + text)
	fmt.Printf("\nwhole run: %s\n", time.Since(begun).Round(time.Second))
	if why := battery.Failed(result, verdicts, *kills); len(why) > 0 {
		return fmt.Errorf("failed: %q", why)
	}
	if *out == "" {
		return nil
	}
	return os.WriteFile(*out, []byte(text), 0o644)
}
