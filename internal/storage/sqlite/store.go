package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/fault"
	"github.com/kaipiao/kaipiao/internal/storage"
)

// Store is the business storage of the host in this database.
type Store struct{ db *DB }

var _ core.Store = Store{}

// OpenStore brings the schema of an open database up to date and returns the store in it. Closing the database ends
// the store.
func OpenStore(ctx context.Context, db *DB) (Store, error) {
	if err := db.Migrate(ctx, storage.SQLiteMigrations()); err != nil {
		return Store{}, err
	}
	if fault.Bug(fault.BugNoUniqueKey) {
		err := db.Write(ctx, "seeded bug", func(tx Tx) error {
			_, err := tx.Exec(`DROP INDEX IF EXISTS document_live_blue`)
			return err
		})
		if err != nil {
			return Store{}, err
		}
	}
	return Store{db}, nil
}

// Do runs a use case in the writer's transaction; see [DB.Write].
func (s Store) Do(ctx context.Context, name string, fn func(core.Tx) error) error {
	err := s.db.Write(ctx, name, func(tx Tx) error { return fn(storage.NewTx(tx)) })
	return asCore(err)
}

// View runs fn on a consistent snapshot beside the writer; see [DB.Read].
func (s Store) View(ctx context.Context, fn func(core.View) error) error {
	return s.db.Read(ctx, func(q storage.Querier) error { return fn(storage.NewView(q)) })
}

// asCore says in core's words that nothing is on disk.
func asCore(err error) error {
	if errors.Is(err, ErrNotStored) || errors.Is(err, ErrBusy) || errors.Is(err, ErrClosed) {
		return fmt.Errorf("%w: %w", core.ErrNotStored, err)
	}
	return err
}

// Abandon gives back what an earlier process of this host had in hand when it ended. The file lock proves that no other
// host is at work.
func (s Store) Abandon(ctx context.Context) error {
	return asCore(s.db.Write(ctx, "tasks.abandon", func(tx Tx) error { return storage.AbandonTasks(tx) }))
}
