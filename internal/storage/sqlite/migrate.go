package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Migrate brings the schema up to the newest version in fsys, whose root holds goose files
// such as 00001_start.sql. Each file is one transaction. Write may be used meanwhile.
func (db *DB) Migrate(ctx context.Context, fsys fs.FS) (err error) {
	pool := sql.OpenDB(db.writer.source)
	pool.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, pool.Close()) }()

	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, fsys)
	if err != nil {
		return fmt.Errorf("read migrations for database %s: %w", db.opts.Path, err)
	}
	done, err := provider.Up(ctx)
	for _, m := range done {
		db.opts.Logger.Info("database migrated", "version", m.Source.Version, "took", m.Duration)
	}
	if err != nil {
		return fmt.Errorf("migrate database %s (a copy of it before the upgrade stays usable with the program before the upgrade): %w", db.opts.Path, err)
	}
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version of database %s: %w", db.opts.Path, err)
	}
	if have > known {
		return fmt.Errorf("database %s has schema %d from a newer program, this one knows %d: run the newer program, or open a copy from before the upgrade",
			db.opts.Path, have, known)
	}
	return nil
}
