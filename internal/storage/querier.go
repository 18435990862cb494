// Package storage keeps the sales, documents and tasks of the host in one SQL database.
package storage

import (
	"database/sql"
	"errors"
)

// Querier runs SQL inside one transaction. Statements are written with ? as the placeholder;
// an engine that wants $1 rewrites them. No statement can be cancelled once it has begun.
//
// Rows that are still open when the transaction's function returns are closed for it.
type Querier interface {
	Exec(query string, args ...any) (sql.Result, error)
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

// Tx is what a writing use case sees of the database. It is valid only until its function
// returns, and only in the goroutine that called the function.
type Tx interface {
	Querier
	// AfterCommit has f called once the use case is committed, and never if it is not.
	// f runs on the writer's path: it may wake somebody, it must not wait or write.
	AfterCommit(f func())
}

// What a caller of an engine can tell apart. Both mean "answer 503, the sender may repeat".
var (
	// ErrBusy: the queue of waiting use cases is full; this one has not been started.
	ErrBusy = errors.New("storage is busy: too many changes are waiting to be committed")
	// ErrNotStored: the change is not known to be on disk. Repeating it under the same key is safe;
	// after a failed sync of the disk it may come to light at the next start.
	ErrNotStored = errors.New("the change was not stored")
)
