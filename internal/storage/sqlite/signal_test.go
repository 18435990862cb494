package sqlite

import (
	"context"
	"database/sql/driver"
	"os/signal"
	"syscall"

	engine "modernc.org/sqlite"
)

// cancelInterrupt is the SQL function that cancels the statement it stands in.
func cancelInterrupt(*engine.FunctionContext, []driver.Value) (driver.Value, error) {
	if cancel, ok := tripwire.Load("cancel"); ok {
		cancel.(context.CancelFunc)()
	}
	return int64(1), nil
}

// ignoreFileSizeSignal turns the signal for a file that is too large into an error of write.
func ignoreFileSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }
