package host

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"
)

// Options configure a [Host]. Dir, LockFile and OwnDir are required.
type Options struct {
	// Dir holds the plugins' files, LockFile names those that may run.
	Dir      string
	LockFile string
	// OwnDir, mode 0700, keeps the copies that are run. It must not be on a file system mounted noexec.
	OwnDir string
	// RunDir, mode 0700, holds sockets. Its path must be short. "" makes one in the temporary directory.
	RunDir string
	// Only names the plugins to start; empty means all in the lock file.
	Only []string

	HostVersion string
	Log         *slog.Logger
	// Mask hides personal data and secrets in what plugins print. Nil leaves the text as it is.
	Mask func(string) string
	// Instances lists a plugin's instances, so that a new binary can be tried on all of them before it takes over.
	Instances func(ctx context.Context, plugin string) ([]Instance, error)
	Timings   Timings
	// Now and Jitter are for tests.
	Now    func() time.Time
	Jitter func() float64
}

// Timings are the supervisor's and the calls' times. Zero fields take the defaults.
type Timings struct {
	Start    time.Duration // handshake and connection; 10 s
	Describe time.Duration // 5 s
	Drain    time.Duration // 20 s
	Kill     time.Duration // tidying up after SIGKILL; 5 s

	HealthEvery    time.Duration // 10 s
	HealthDeadline time.Duration // 2 s
	HealthMisses   int           // 3

	BackoffMin         time.Duration // 200 ms
	BackoffMax         time.Duration // 1 min, also the pause between tries in quarantine
	Quiet              time.Duration // after it a plugin's deaths are forgotten; 5 min
	DeathWindow        time.Duration // 10 min
	DeathsToQuarantine int           // 5

	Parse    time.Duration // one request, all told; 3 s
	Batch    time.Duration // a call that carries several requests; 1 s
	Fetch    time.Duration // 30 s
	Pull     time.Duration // beyond what the caller lets it wait; 30 s
	Deliver  time.Duration // 60 s
	Track    time.Duration // 30 s
	Refresh  time.Duration // 30 s
	Validate time.Duration // 30 s
}

func (t Timings) withDefaults() Timings {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Start, 10 * time.Second}, {&t.Describe, 5 * time.Second}, {&t.Drain, 20 * time.Second}, {&t.Kill, 5 * time.Second},
		{&t.HealthEvery, 10 * time.Second}, {&t.HealthDeadline, 2 * time.Second},
		{&t.BackoffMin, 200 * time.Millisecond}, {&t.BackoffMax, time.Minute}, {&t.Quiet, 5 * time.Minute}, {&t.DeathWindow, 10 * time.Minute},
		{&t.Parse, 3 * time.Second}, {&t.Batch, time.Second}, {&t.Fetch, 30 * time.Second}, {&t.Pull, 30 * time.Second},
		{&t.Deliver, time.Minute}, {&t.Track, 30 * time.Second}, {&t.Refresh, 30 * time.Second}, {&t.Validate, 30 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if t.HealthMisses == 0 {
		t.HealthMisses = 3
	}
	if t.DeathsToQuarantine == 0 {
		t.DeathsToQuarantine = 5
	}
	return t
}

func (o Options) withDefaults() Options {
	o.Timings = o.Timings.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Mask == nil {
		o.Mask = func(s string) string { return s }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.RunDir == "" {
		o.RunDir = os.TempDir()
	}
	return o
}
