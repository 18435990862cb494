// Package fault holds failpoints and seeded bugs for the crash battery.
//
// In a normal build every function here is an empty constant function that the compiler
// removes. With the build tag battery the environment decides:
//
//	KAIPIAO_FAIL=name[#n]   the n-th arrival (default the first) at the named point
//	                        kills the process with SIGKILL
//	KAIPIAO_FAIL_LOG=path   each distinct point that is reached is appended, one a line
//	KAIPIAO_BUG=a,b         the named defects are switched on
//
// A battery that finds no violation proves something only if it finds each seeded bug.
package fault

// Environment variables that steer a battery build.
const (
	EnvFail    = "KAIPIAO_FAIL"
	EnvFailLog = "KAIPIAO_FAIL_LOG"
	EnvBug     = "KAIPIAO_BUG"
)

// The seeded bugs. Each is a mistake that this product could plausibly have made.
const (
	// BugNoFsync lets the database answer before the data is synced to disk.
	BugNoFsync = "no-fsync"
	// BugReplyBeforeCommit answers the sender before the commit.
	BugReplyBeforeCommit = "reply-before-commit"
	// BugNoUniqueKey takes the unique key away from the deduplication of events.
	BugNoUniqueKey = "no-unique-key"
	// BugResendWithoutQuery repeats a send of unknown outcome without asking the bureau first.
	BugResendWithoutQuery = "resend-without-query"
	// BugSharedSM4Block shares one SM4 block, whose scratch space is not safe for that, between operations.
	BugSharedSM4Block = "shared-sm4-block"
	// BugCBody reads webhook bodies after the framework's silent decompression.
	BugCBody = "c-body"
	// BugFloatMoney computes a tax amount in binary floating point.
	BugFloatMoney = "float-money"
	// BugLastRedRemainder gives the last red invoice of a line whatever tax is left.
	BugLastRedRemainder = "last-red-remainder"
	// BugMissingLeaseCheck stores a finished task although its lease was lost.
	BugMissingLeaseCheck = "missing-lease-check"
	// BugPluginKillNoDeadline waits without limit for a plugin that was told to stop.
	BugPluginKillNoDeadline = "plugin-kill-no-deadline"
)

// Bugs lists the names of all seeded bugs.
func Bugs() []string {
	return []string{
		BugNoFsync, BugReplyBeforeCommit, BugNoUniqueKey, BugResendWithoutQuery, BugSharedSM4Block,
		BugCBody, BugFloatMoney, BugLastRedRemainder, BugMissingLeaseCheck, BugPluginKillNoDeadline,
	}
}
