package sdk

import (
	"context"
	"errors"
	"reflect"
	"time"
)

// Webhook adds the capability to verify and decode requests. The function must be pure: no I/O, no clock but the
// request's. An error, like a panic, means that there is no verdict and the sender has to try again.
func Webhook[C any](parse func(context.Context, C, Request) (Parsed, error)) Part {
	return part[C](func(p *Plugin) {
		p.parse = func(ctx context.Context, cfg any, r Request) (Parsed, error) { return parse(ctx, cfg.(C), r) }
	})
}

// Fetcher adds the capability to read one order, with its refunds, from the platform. The SDK splits batches. An order
// that doesn't exist is [Permanent]; any other error is tried again.
func Fetcher[C any](fetch func(ctx context.Context, cfg C, orderNo string) ([]Event, error)) Part {
	return part[C](func(p *Plugin) {
		p.fetch = func(ctx context.Context, cfg any, no string) ([]Event, error) { return fetch(ctx, cfg.(C), no) }
	})
}

// PullRequest asks for the events that follow a cursor; the first cursor is empty.
type PullRequest struct {
	Cursor []byte
	Limit  int
	// Wait is how long the plugin may wait for a first event.
	Wait time.Duration
}

// Page is the events that follow a cursor. The cursor is opaque to the host, which stores it with the events.
type Page struct {
	Events    []Event
	Cursor    []byte
	More      bool
	NextAfter time.Duration
}

// Puller adds the capability to read a feed. Being given a cursor means that all before it is stored.
func Puller[C any](pull func(context.Context, C, PullRequest) (Page, error)) Part {
	return part[C](func(p *Plugin) {
		p.pull = func(ctx context.Context, cfg any, r PullRequest) (Page, error) { return pull(ctx, cfg.(C), r) }
	})
}

// Deliverer adds the capability to send one parcel by the given channels. The SDK splits batches. An error or a panic
// counts as "perhaps sent"; return [Retry] where it is certain that nothing was.
func Deliverer[C any](deliver func(context.Context, C, Parcel) (Receipt, error), channels ...Channel) Part {
	return part[C](func(p *Plugin) {
		p.channels = channels
		p.deliver = func(ctx context.Context, cfg any, x Parcel) (Receipt, error) { return deliver(ctx, cfg.(C), x) }
	})
}

// Tracker adds the capability to say what became of a parcel. An error counts as still unknown.
func Tracker[C any](track func(context.Context, C, ParcelRef) (Standing, error)) Part {
	return part[C](func(p *Plugin) {
		p.track = func(ctx context.Context, cfg any, x ParcelRef) (Standing, error) { return track(ctx, cfg.(C), x) }
	})
}

// Renewed holds the secrets that changed, by their path in the configuration, and how long they last.
type Renewed struct {
	Secrets   map[string]string
	ExpiresAt time.Time
}

// Refresher adds the capability to renew tokens. The host runs one at a time for an instance. A [Permanent] error means
// that a person must grant access again.
func Refresher[C any](refresh func(context.Context, C) (Renewed, error)) Part {
	return part[C](func(p *Plugin) {
		p.refresh = func(ctx context.Context, cfg any) (Renewed, error) { return refresh(ctx, cfg.(C)) }
	})
}

// Problem is a fault in a configuration, placed by a JSON pointer such as "/keys/0/secret".
type Problem struct {
	Pointer string
	Message string
	Warning bool
}

// Validator adds checks beyond the schema. With probe set it may try the credentials.
func Validator[C any](validate func(ctx context.Context, cfg C, probe bool) []Problem) Part {
	return part[C](func(p *Plugin) {
		p.validate = func(ctx context.Context, cfg any, probe bool) []Problem { return validate(ctx, cfg.(C), probe) }
	})
}

func part[C any](add func(*Plugin)) Part { return Part{config: reflect.TypeFor[C](), add: add} }

// instruction is an error that also says what the host is to do.
type instruction struct {
	error
	permanent  bool
	retryAfter time.Duration
}

func (i *instruction) Unwrap() error { return i.error }

// Permanent marks an error that no repetition will mend.
func Permanent(err error) error { return &instruction{error: err, permanent: true} }

// RetryAfter marks an error that time will mend, such as a rate limit.
func RetryAfter(after time.Duration, err error) error {
	return &instruction{error: err, retryAfter: after}
}

func instructionOf(err error) (permanent bool, retryAfter time.Duration) {
	var i *instruction
	if errors.As(err, &i) {
		return i.permanent, i.retryAfter
	}
	return false, 0
}
