package sqlite

import (
	"log/slog"
	"time"
)

// Options says where the database is and how it behaves. Zero values mean the default.
type Options struct {
	// Path of the database file; its folder is made if it is missing. The files beside it
	// are Path-wal, Path-shm and Path.lock. They must be on a local disk.
	Path string

	// Logger gets panics of use cases, lost transactions and the alarm for the write-ahead log.
	Logger *slog.Logger

	// MaxGroup is the largest number of use cases that share one commit (default 256).
	MaxGroup int
	// MaxQueue is the number of use cases that may wait for a commit (default 4096);
	// above it Write answers ErrBusy at once.
	MaxQueue int

	// Readers is the number of connections that read beside the writer (default 4).
	Readers int
	// ReadLimit ends a read that takes longer, since an open snapshot keeps the
	// write-ahead log growing (default 10 s).
	ReadLimit time.Duration

	// CheckpointBytes is the size of the write-ahead log at which its content is moved into
	// the database file (default 64 MiB). The log's file keeps about this size.
	CheckpointBytes int64
	// WALAlarmBytes is the size of the write-ahead log at which OnWALAlarm is called (default
	// 512 MiB): a reader that never ends, or a disk that can't keep up.
	WALAlarmBytes int64
	// OnWALAlarm is called once each time the log grows past WALAlarmBytes. It must not wait.
	OnWALAlarm func(bytes int64)

	// OnCommit is called after each commit that holds at least one successful use case,
	// before the callers are answered. It must not wait.
	OnCommit func()
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.MaxGroup, 256)
	setDefault(&o.MaxQueue, 4096)
	setDefault(&o.Readers, 4)
	setDefault(&o.ReadLimit, 10*time.Second)
	setDefault(&o.CheckpointBytes, 64<<20)
	setDefault(&o.WALAlarmBytes, 512<<20)
	return o
}

func setDefault[T ~int | ~int64](value *T, def T) {
	if *value <= 0 {
		*value = def
	}
}
