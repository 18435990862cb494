package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/fault"
)

// plainKey is the longest key that is stored as it is.
const plainKey = 64

// Remember records a key for ever and says whether it was known.
func (t transaction) Remember(kind core.Dedupe, instance core.InstanceID, key, hash string) (core.Seen, error) {
	key = storedKey(key)
	fresh, err := t.exec("remember "+string(kind)+" key",
		`INSERT INTO dedupe (kind, instance, key, hash) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, kind, instance, key, hash)
	switch {
	case err != nil:
		return "", err
	case fresh == 1, fault.Bug(fault.BugNoUniqueKey):
		return core.SeenFresh, nil
	}
	known, err := one(t.view, "dedupe key", value[string],
		`SELECT hash FROM dedupe WHERE kind = ? AND instance = ? AND key = ?`, kind, instance, key)
	if err != nil {
		return "", err
	}
	if known == hash {
		return core.SeenSame, nil
	}
	return core.SeenOther, nil
}

// storedKey keeps short keys readable and hashes the others. A hashed key has 65 characters, so it can't be mistaken
// for a plain one.
func storedKey(key string) string {
	if len(key) <= plainKey && utf8.ValidString(key) && !strings.Contains(key, "\x00") {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "#" + hex.EncodeToString(sum[:])
}

// monthOf is the month, such as 202611, in which an id was made; 0 for an id that carries no time.
func monthOf(id core.ID) int {
	if !id.Valid() {
		return 0
	}
	var ms int64
	for i := range 10 {
		ms = ms<<5 | int64(strings.IndexByte(crockford, id[i]))
	}
	at := time.UnixMilli(ms).UTC()
	return at.Year()*100 + int(at.Month())
}

// crockford is the alphabet of ids.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// PutRequest stores an accepted request.
func (t transaction) PutRequest(r core.RequestRecord) error {
	return t.do("store request", `INSERT INTO request (month, id, instance, seller, key, at, raw) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		monthOf(r.ID), r.ID, r.Instance, r.Seller, r.Key, micros(r.At), blob(r.Raw))
}

// Request reads a stored request.
func (v view) Request(id core.ID) (core.RequestRecord, error) {
	return one(v, fmt.Sprintf("request %s", id), func(s scanner) (r core.RequestRecord, err error) {
		return r, s.Scan(&r.ID, &r.Instance, &r.Seller, &r.Key, timeColumn(&r.At), blobColumn(&r.Raw))
	}, `SELECT id, instance, seller, key, at, raw FROM request WHERE month = ? AND id = ?`, monthOf(id), id)
}
