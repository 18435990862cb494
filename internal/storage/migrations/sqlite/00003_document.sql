-- +goose Up

CREATE TABLE document (
    id           TEXT    NOT NULL PRIMARY KEY,
    sale         TEXT    NOT NULL,
    part         INTEGER NOT NULL,
    color        TEXT    NOT NULL CHECK (color IN ('blue', 'red')),
    kind         TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN
        ('draft', 'ready', 'sending', 'unsure', 'accepted', 'issued', 'refused', 'dropped')),
    seller       TEXT    NOT NULL,
    store        TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    serial       TEXT    NOT NULL,
    number       TEXT    NOT NULL,
    issued_at    INTEGER NOT NULL,
    digest       TEXT    NOT NULL,
    original     TEXT    NOT NULL,
    cleared      INTEGER NOT NULL,
    external     INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    net          INTEGER NOT NULL,
    tax          INTEGER NOT NULL,
    gross        INTEGER NOT NULL,
    sent_at      INTEGER NOT NULL,
    not_found_at INTEGER NOT NULL,
    blind        INTEGER NOT NULL,
    code         TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    reversed     INTEGER NOT NULL DEFAULT 0, -- a blue that issued reds have reversed completely
    body         BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX document_serial ON document (serial) WHERE serial <> '';
CREATE UNIQUE INDEX document_number ON document (number, color) WHERE number <> '';
CREATE INDEX document_sale ON document (sale);
CREATE INDEX document_store ON document (store, id);
CREATE INDEX document_state ON document (state, id);
CREATE INDEX document_issued ON document (seller, issued_at) WHERE issued_at > 0;

-- The promise that a part of a sale has at most one live blue invoice.
CREATE UNIQUE INDEX document_live_blue ON document (sale, part)
    WHERE color = 'blue' AND reversed = 0 AND state NOT IN ('refused', 'dropped');

CREATE TABLE confirmation (
    document    TEXT    NOT NULL PRIMARY KEY,
    application TEXT    NOT NULL UNIQUE,
    state       TEXT    NOT NULL CHECK (state IN ('new', 'applying', 'unsure', 'rejected',
        '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13')),
    uuid        TEXT    NOT NULL,
    number      TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    red_number  TEXT    NOT NULL
) STRICT;

CREATE TABLE exchange (
    document    TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    seller      TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    serial      TEXT    NOT NULL,
    sent_at     INTEGER NOT NULL,
    answered_at INTEGER NOT NULL,
    outcome     TEXT    NOT NULL,
    code        TEXT    NOT NULL,
    request     BLOB    NOT NULL,
    response    BLOB    NOT NULL,
    PRIMARY KEY (document, id)
) STRICT;

CREATE TABLE file (
    document TEXT    NOT NULL,
    format   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    sha256   TEXT    NOT NULL,
    size     INTEGER NOT NULL,
    content  BLOB    NOT NULL,
    PRIMARY KEY (document, format)
) STRICT;

CREATE TABLE pick_up (
    document TEXT    NOT NULL PRIMARY KEY,
    hash     TEXT    NOT NULL UNIQUE,
    code     BLOB    NOT NULL,
    made_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE parcel (
    id           TEXT    NOT NULL PRIMARY KEY,
    document     TEXT    NOT NULL,
    sale         TEXT    NOT NULL,
    instance     TEXT    NOT NULL,
    store        TEXT    NOT NULL,
    seller       TEXT    NOT NULL,
    person       TEXT    NOT NULL, -- blind index of the recipient
    recipient    BLOB    NOT NULL,
    state        TEXT    NOT NULL,
    attempt      INTEGER NOT NULL,
    provider_ref TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    sent_at      INTEGER NOT NULL,
    rank         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX parcel_once ON parcel (document, instance, person);
