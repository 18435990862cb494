package battery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/kaipiao/kaipiao/internal/fault"
)

// caught is what a gate saw that must not be.
type caught string

func (c caught) Error() string { return string(c) }

// gate looks for one mistake. It returns nil, a caught, or why it could not look.
type gate struct {
	bug, about string
	look       func(ctx context.Context, b bench) error
}

// bench is what a gate works with: the binaries, a folder of its own and the environment that switches the bug on.
type bench struct {
	bin Binaries
	dir string
	env []string
}

var gates = []gate{
	{fault.BugNoFsync, "strace: between request and 2xx the log is synced", syncedBeforeReply},
	{fault.BugReplyBeforeCommit, "slow disk, killed at the 2xx, started again: the event is known", knownAfterKill},
	{fault.BugNoUniqueKey, "the same message again is a duplicate", duplicatesKnown},
	{fault.BugResendWithoutQuery, "wire log and ledger after answers that got lost", noBlindRepeat},
	{fault.BugSharedSM4Block, "parallel encryption comes back right", goTest("./internal/gmcrypto", "^TestParallelUse$")},
	{fault.BugCBody, "a compressed body is refused", plainBodiesOnly},
	{fault.BugFloatMoney, "checker: the tax of plain orders", plainOrders},
	{fault.BugLastRedRemainder, "checker: the tax of many small refunds", smallRefunds},
	{fault.BugMissingLeaseCheck, "storage suite: a lost lease ends nothing", goTest("./internal/storage/sqlite", "^TestStore$/^tasks$/^an_expired_lease")},
	{fault.BugPluginKillNoDeadline, "a host with a frozen plugin stops in time", stopsInTime},
}

// Verdict is what became of one bug's gate: run without the bug and with it.
type Verdict struct {
	Bug, Gate string
	// Without and With are what the gate saw, empty for nothing.
	Without, With string
	Took          time.Duration
}

// OK says that the gate is worth something: green without the bug, red with it.
func (v Verdict) OK() bool { return v.Without == "" && v.With != "" }

// Bugs runs each gate without its bug and with it.
func Bugs(ctx context.Context, bin Binaries, dir string, only string, progress func(Verdict)) ([]Verdict, error) {
	var out []Verdict
	for _, g := range gates {
		if only != "" && only != g.bug {
			continue
		}
		v, begun := Verdict{Bug: g.bug, Gate: g.about}, time.Now()
		for _, run := range []struct {
			saw *string
			env []string
		}{{&v.Without, nil}, {&v.With, []string{fault.EnvBug + "=" + g.bug}}} {
			at, err := os.MkdirTemp(dir, "gate")
			if err != nil {
				return out, err
			}
			var c caught
			if err := g.look(ctx, bench{bin, at, run.env}); errors.As(err, &c) {
				*run.saw = string(c)
			} else if err != nil {
				return out, fmt.Errorf("gate for %s (%v): %w", g.bug, run.env, err)
			}
		}
		v.Took = time.Since(begun)
		out = append(out, v)
		progress(v)
	}
	return out, nil
}
