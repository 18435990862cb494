-- +goose Up

CREATE TABLE sale (
    id           TEXT    NOT NULL PRIMARY KEY,
    instance     TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    seller       TEXT    NOT NULL,
    store        TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    has_sale     INTEGER NOT NULL,
    paid_at      INTEGER NOT NULL,
    first_seen   INTEGER NOT NULL,
    total        INTEGER NOT NULL,
    class        TEXT    NOT NULL,
    policy       TEXT    NOT NULL,
    roll_out     INTEGER NOT NULL,
    selected     INTEGER NOT NULL,
    buyer_tax    TEXT    NOT NULL,
    buyer_mobile TEXT    NOT NULL,
    buyer_email  TEXT    NOT NULL,
    body         BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX sale_name ON sale (name, instance);
CREATE INDEX sale_store ON sale (store, id);
CREATE INDEX sale_instance ON sale (instance, id);
CREATE INDEX sale_class ON sale (class, id);
CREATE INDEX sale_buyer_tax ON sale (buyer_tax) WHERE buyer_tax <> '';
CREATE INDEX sale_buyer_mobile ON sale (buyer_mobile) WHERE buyer_mobile <> '';
CREATE INDEX sale_buyer_email ON sale (buyer_email) WHERE buyer_email <> '';

-- The other names of a sale; a platform's order number names one sale only.
CREATE TABLE sale_alias (
    number   TEXT NOT NULL,
    platform TEXT NOT NULL,
    sale     TEXT NOT NULL,
    PRIMARY KEY (number, platform)
) STRICT, WITHOUT ROWID;

CREATE TABLE refund (
    sale TEXT NOT NULL,
    no   TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (sale, no)
) STRICT, WITHOUT ROWID;

-- Each portion of a refund is accounted for once in each part of its sale.
CREATE TABLE cover (
    sale     TEXT    NOT NULL,
    part     INTEGER NOT NULL,
    refund   TEXT    NOT NULL,
    portion  INTEGER NOT NULL,
    document TEXT    NOT NULL,
    PRIMARY KEY (sale, part, refund, portion)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy (
    version TEXT NOT NULL PRIMARY KEY,
    body    TEXT NOT NULL
) STRICT;
