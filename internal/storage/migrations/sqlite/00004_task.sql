-- +goose Up

-- A lane's clock v is the highest turn that was claimed from it; last_claim lets the lane that waited longest go first.
CREATE TABLE lane (
    name       TEXT    NOT NULL PRIMARY KEY,
    cap        INTEGER NOT NULL DEFAULT 8,
    v          INTEGER NOT NULL DEFAULT 0,
    last_claim INTEGER NOT NULL DEFAULT 0,
    paused     INTEGER NOT NULL DEFAULT 0,
    reason     TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- The last turn that a store was given in a lane.
CREATE TABLE turn (
    lane  TEXT    NOT NULL,
    store TEXT    NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (lane, store)
) STRICT, WITHOUT ROWID;

-- due is when a waiting task becomes ready or a running one's lease ends, 0 of a ready task: those are in the order of
-- their turns, fair_at. So one index serves all three queues, and its cost does not grow with what waits.
CREATE TABLE task (
    key         TEXT    NOT NULL PRIMARY KEY,
    id          TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    lane        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    store       TEXT    NOT NULL,
    run_at      INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('ready', 'waiting', 'running')),
    due         INTEGER NOT NULL,
    fair_at     INTEGER NOT NULL,
    attempt     INTEGER NOT NULL DEFAULT 0,
    owner       TEXT    NOT NULL DEFAULT '',
    again       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX task_queue ON task (lane, state, due, fair_at, priority, id);
