-- +goose Up

CREATE TABLE terminal (
    id         TEXT    NOT NULL PRIMARY KEY,
    instance   TEXT    NOT NULL,
    seller     TEXT    NOT NULL,
    store      TEXT    NOT NULL,
    label      TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    secret     BLOB    NOT NULL,
    old_key_id TEXT    NOT NULL,
    old_secret BLOB    NOT NULL,
    old_until  INTEGER NOT NULL,
    sequence   INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    revoked    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE activation (
    hash       TEXT    NOT NULL PRIMARY KEY,
    instance   TEXT    NOT NULL,
    store      TEXT    NOT NULL,
    label      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE nonce (
    terminal TEXT    NOT NULL,
    nonce    TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (terminal, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonce_age ON nonce (terminal, at);

CREATE TABLE secret (
    instance TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    value    BLOB    NOT NULL,
    expires  INTEGER NOT NULL,
    PRIMARY KEY (instance, name)
) STRICT;

-- Data keys, encrypted by a key file that is not here; an erased one is kept as a memory.
CREATE TABLE dek (
    id         INTEGER NOT NULL PRIMARY KEY,
    seller     TEXT    NOT NULL,
    month      TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    wrapped    BLOB    NOT NULL,
    erased     INTEGER NOT NULL,
    UNIQUE (seller, month, generation)
) STRICT;
