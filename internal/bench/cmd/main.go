//go:build linux

// Command cmd measures the product and prints a table; see package bench. It ends with 0 whether the goals are met or not,
// and with 1 if something could not be measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/kaipiao/kaipiao/internal/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "bureau" {
		return bench.Bureau(ctx, args[1:])
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, which is the bureau's double too: %w", err)
	}
	o := bench.Options{Out: os.Stdout, BureauCommand: []string{exe, "bureau"}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&o.Short, "short", false, "measure for a moment only, to see that everything works")
	flags.BoolVar(&o.Keep, "keep", false, "leave the scratch folder behind")
	flags.StringVar(&o.Bin, "bin", "", "folder with the binaries to measure; they are built if it is not given")
	flags.StringVar(&o.Dir, "dir", "", "where the scratch folder is made; it must be on the disk to be measured")
	only := flags.String("only", "", "parts to measure: store,door,pipeline,memory")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	return bench.Run(ctx, o)
}
