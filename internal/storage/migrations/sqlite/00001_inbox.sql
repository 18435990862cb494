-- Times are microseconds since 1970 in UTC, 0 for none. Amounts are fen. Flags are 0 or 1.
-- Rows name each other without foreign keys: each use case writes whole stories, and old months leave by range.

-- +goose Up

-- The two keys that are remembered for ever. A key longer than 64 bytes is kept as '#' and its SHA-256.
-- event is the first event that was stored under the key.
CREATE TABLE dedupe (
    kind     TEXT NOT NULL,
    instance TEXT NOT NULL,
    key      TEXT NOT NULL,
    hash     TEXT NOT NULL,
    event    TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (kind, instance, key)
) STRICT, WITHOUT ROWID;

-- Tables with large values keep their rowid: without it a value over a quarter page gets a page of its own.
-- month (such as 202611) is that of the id, so that a month can be moved away by range.
CREATE TABLE request (
    month    INTEGER NOT NULL,
    id       TEXT    NOT NULL,
    instance TEXT    NOT NULL,
    seller   TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    raw      BLOB    NOT NULL,
    PRIMARY KEY (month, id)
) STRICT;

CREATE TABLE event (
    id        TEXT    NOT NULL PRIMARY KEY,
    request   TEXT    NOT NULL,
    instance  TEXT    NOT NULL,
    seller    TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    hash      TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    sale_name TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    state     TEXT    NOT NULL,
    body      BLOB    NOT NULL
) STRICT;
CREATE INDEX event_sale ON event (instance, sale_name);

CREATE TABLE feed (
    instance TEXT NOT NULL PRIMARY KEY,
    position BLOB NOT NULL
) STRICT;

CREATE TABLE day_close (
    store    TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    instance TEXT    NOT NULL,
    terminal TEXT    NOT NULL,
    number   TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (store, day, revision, instance, terminal, number)
) STRICT, WITHOUT ROWID;
