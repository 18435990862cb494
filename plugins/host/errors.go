package host

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The classes of a failed call; test with errors.Is.
var (
	// ErrUnavailable: the plugin is down, too slow or overloaded. The outcome is open; try again later.
	ErrUnavailable = errors.New("plugin unavailable")
	// ErrNotCalled comes with ErrUnavailable when it is certain that the plugin never saw the call.
	ErrNotCalled = errors.New("plugin was not called")
	// ErrCapability: the plugin does not serve this method; a mistake in the configuration.
	ErrCapability = errors.New("plugin lacks the capability")
	// ErrInstance: the instance's configuration cannot be used, or a person must act; repeating does not help.
	ErrInstance = errors.New("plugin cannot use the instance")
	// ErrTooLarge: a message is beyond 16 MiB.
	ErrTooLarge = errors.New("message to or from the plugin is too large")
	// ErrPlugin: the plugin broke the contract or its code failed. There is no verdict; try again later.
	ErrPlugin = errors.New("plugin failed")
	// ErrUnknownPlugin: no plugin of this name is in the lock file.
	ErrUnknownPlugin = errors.New("no such plugin")
	// ErrUntrusted: a file differs from the lock file, or others may write to it.
	ErrUntrusted = errors.New("plugin is not trusted")
	// ErrClosed: the host is shutting down.
	ErrClosed = errors.New("plugin host is closed")
)

// CallError is a failed call to a plugin.
type CallError struct {
	Plugin string
	Method string
	// Class is one of the errors above.
	Class error
	// NotCalled: the plugin certainly never saw the call.
	NotCalled bool
	Err       error
}

func (e *CallError) Error() string {
	return fmt.Sprintf("%s of plugin %s: %v: %v", e.Method, e.Plugin, e.Class, e.Err)
}

// Unwrap lists the classes and the cause.
func (e *CallError) Unwrap() []error {
	if e.NotCalled {
		return []error{e.Class, ErrNotCalled, e.Err}
	}
	return []error{e.Class, e.Err}
}

// classOf maps what gRPC reports to a class. An error of the transport is never a verdict.
func classOf(err error) error {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return ErrUnavailable
	case codes.Unimplemented:
		return ErrCapability
	case codes.FailedPrecondition:
		return ErrInstance
	case codes.ResourceExhausted:
		return ErrTooLarge
	}
	return ErrPlugin
}

// isTimeout says whether a call ended by its deadline, not by the plugin's death.
func isTimeout(err error) bool {
	var c *CallError
	return errors.As(err, &c) && (status.Code(c.Err) == codes.DeadlineExceeded || errors.Is(c.Err, context.DeadlineExceeded))
}
