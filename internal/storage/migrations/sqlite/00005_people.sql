-- +goose Up

CREATE TABLE problem (
    id        TEXT    NOT NULL PRIMARY KEY,
    scope     TEXT    NOT NULL,
    code      TEXT    NOT NULL,
    sale      TEXT    NOT NULL,
    document  TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    store     TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX problem_once ON problem (scope, code, subject, sale) WHERE closed_at = 0;
CREATE INDEX problem_open ON problem (id) WHERE closed_at = 0;
CREATE INDEX problem_sale ON problem (sale, id) WHERE sale <> '';

-- identity is what makes two products the same one: the SKU, else name and spec.
CREATE TABLE review (
    id          TEXT    NOT NULL PRIMARY KEY,
    seller      TEXT    NOT NULL,
    store       TEXT    NOT NULL,
    identity    TEXT    NOT NULL,
    item        TEXT    NOT NULL,
    candidates  TEXT    NOT NULL,
    why         TEXT    NOT NULL,
    answer      TEXT    NOT NULL,
    answered_by TEXT    NOT NULL,
    answered_at INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX review_once ON review (seller, identity) WHERE answered_at = 0;

CREATE TABLE review_sale (
    review TEXT NOT NULL,
    sale   TEXT NOT NULL,
    PRIMARY KEY (review, sale)
) STRICT, WITHOUT ROWID;

CREATE TABLE map_rule (
    id         TEXT    NOT NULL PRIMARY KEY,
    seller     TEXT    NOT NULL,
    store      TEXT    NOT NULL,
    compares   TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    preference TEXT    NOT NULL,
    from_at    INTEGER NOT NULL,
    to_at      INTEGER NOT NULL,
    author     TEXT    NOT NULL,
    confirmed  INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX map_rule_seller ON map_rule (seller, id);

CREATE TABLE counter (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, value) VALUES ('rules', 0);

CREATE TABLE act (
    id      TEXT    NOT NULL PRIMARY KEY,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    verb    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL
) STRICT;
CREATE INDEX act_subject ON act (subject, id);
