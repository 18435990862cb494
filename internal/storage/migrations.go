package storage

import (
	"embed"
	"io/fs"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// SQLiteMigrations are the schema's goose files for SQLite. They only go forward: the way back is a copy of the
// database from before the upgrade.
func SQLiteMigrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}
