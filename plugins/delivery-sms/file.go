package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// record is one SMS in the file. It holds the full number, which the reader of the file needs to send it on.
type record struct {
	At     time.Time `json:"at"`
	Parcel string    `json:"parcel"`
	Mobile string    `json:"mobile"`
	Red    bool      `json:"red,omitempty"`
	Code   string    `json:"code"`
	Amount string    `json:"amount,omitempty"`
}

// fileProvider appends each SMS to a file, once: the parcels in the file are what was sent, whatever died in between.
type fileProvider struct {
	outbox *outbox
	now    func() time.Time
}

func (f *fileProvider) Send(_ context.Context, m message) sdk.Receipt {
	r := record{
		At: f.now().UTC(), Parcel: m.parcelID, Mobile: m.mobile.international(), Red: m.red, Code: m.code, Amount: m.amount,
	}
	written, err := f.outbox.append(r)
	switch {
	case err == nil:
		return sdk.Sent(m.parcelID)
	case written:
		return sdk.Unknown(m.parcelID, "the file was written to, but it is not certain that the line is whole: "+pathless(err))
	}
	return sdk.Retry(time.Minute, sdk.ProviderProblem, "not sent: the file cannot be used: "+pathless(err))
}

func (f *fileProvider) Track(_ context.Context, p sent) sdk.Standing {
	at, found, err := f.outbox.find(p.parcelID)
	switch {
	case err != nil:
		return sdk.Standing{State: sdk.TrackStillUnknown, Reason: "the file cannot be read: " + pathless(err), Class: sdk.ProviderProblem}
	case found:
		return sdk.Standing{State: sdk.TrackSent, ProviderRef: p.parcelID, At: at}
	}
	return sdk.Standing{State: sdk.TrackNotSent, Reason: "the file has no such parcel"}
}

func (f *fileProvider) Probe(context.Context) *sdk.Problem {
	if err := f.outbox.probe(); err != nil {
		return &sdk.Problem{Pointer: "/file", Message: "cannot be used: " + pathless(err)}
	}
	return nil
}

// pathless leaves the path out of a file's error.
func pathless(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Op + ": " + p.Err.Error()
	}
	return err.Error()
}

// outboxes gives every path one outbox, so that calls and instances that share a file take turns.
type outboxes struct {
	mu     sync.Mutex
	byPath map[string]*outbox
}

func (o *outboxes) at(path string) *outbox {
	o.mu.Lock()
	defer o.mu.Unlock()
	path = filepath.Clean(path)
	if o.byPath == nil {
		o.byPath = map[string]*outbox{}
	}
	if o.byPath[path] == nil {
		o.byPath[path] = &outbox{path: path}
	}
	return o.byPath[path]
}

// outbox is the file and an index of its parcels. The index is only a shortcut: it follows the file.
type outbox struct {
	path string

	mu      sync.Mutex
	seen    map[string]time.Time
	indexed int64 // bytes of the file that the index covers, all whole lines
}

// append adds a line unless the parcel has one. With an error, written says whether part of the line may be there.
func (o *outbox) append(r record) (written bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, err := o.open()
	if err != nil {
		return false, err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	torn, err := o.follow(f)
	if err != nil {
		return false, err
	}
	if _, there := o.seen[r.Parcel]; there {
		return true, f.Sync() // a crash may have come between writing and syncing
	}
	line, err := json.Marshal(r)
	if err != nil {
		return false, fmt.Errorf("encode the line: %w", err)
	}
	line = append(line, '\n')
	if torn {
		line = append([]byte{'\n'}, line...) // the rest of a write that a crash cut off stays a line of its own
	}
	if _, err := f.Write(line); err != nil {
		return true, err
	}
	return true, f.Sync()
}

func (o *outbox) find(parcel string) (at time.Time, found bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, err := os.OpenFile(o.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, err
	}
	defer func() { _ = f.Close() }()
	if _, err := o.follow(f); err != nil {
		return time.Time{}, false, err
	}
	if at, found = o.seen[parcel]; found {
		err = f.Sync() // whoever wrote the line may have died before that
	}
	return at, found, err
}

func (o *outbox) probe() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, err := o.open()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return errors.New("others than the owner may open it")
	}
	return nil
}

// open opens the file for appending, or makes it, so that a crash of the machine can't lose it again.
func (o *outbox) open() (*os.File, error) {
	f, err := os.OpenFile(o.path, os.O_RDWR|os.O_APPEND, 0o600)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if f, err = os.OpenFile(o.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(o.path))
	if err == nil {
		err = dir.Sync()
		_ = dir.Close()
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// follow reads what was added since the last time. torn says that the file ends in a part of a line.
func (o *outbox) follow(f *os.File) (torn bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if o.seen == nil || info.Size() < o.indexed {
		o.seen, o.indexed = map[string]time.Time{}, 0 // begun anew by whoever owns the file
	}
	in := bufio.NewReader(io.NewSectionReader(f, o.indexed, info.Size()-o.indexed))
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return false, err
		}
		var r record // a part of a line is no JSON object, so one that lacks its end only counts
		if json.Unmarshal(bytes.TrimSpace(line), &r) == nil && r.Parcel != "" {
			o.seen[r.Parcel] = r.At
		}
		if err == io.EOF {
			return len(line) > 0, nil
		}
		o.indexed += int64(len(line))
	}
}
