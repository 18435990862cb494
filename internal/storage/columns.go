package storage

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// micros writes a time: microseconds since 1970 in UTC, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// flag writes a bool as 0 or 1, which every engine compares alike.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// blob keeps an empty value from becoming NULL.
func blob[B ~[]byte](b B) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// column is a destination of Scan that converts; src is what the driver found.
type column func(src any) error

// Scan implements sql.Scanner.
func (c column) Scan(src any) error { return c(src) }

func timeColumn(t *time.Time) column {
	return integer(func(n int64) { *t = fromMicros(n) })
}

func fenColumn(y *core.Yuan) column {
	return integer(func(n int64) { *y = core.Fen(n) })
}

func flagColumn(b *bool) column {
	return integer(func(n int64) { *b = n != 0 })
}

func integer(set func(int64)) column {
	return func(src any) error {
		n, ok := src.(int64)
		if !ok {
			return fmt.Errorf("want an integer, found %T", src)
		}
		set(n)
		return nil
	}
}

// blobColumn copies, for the driver may use its memory again.
func blobColumn[B ~[]byte](b *B) column {
	return func(src any) error {
		v, ok := src.([]byte)
		if !ok && src != nil {
			return fmt.Errorf("want bytes, found %T", src)
		}
		*b = append(B(nil), v...)
		return nil
	}
}

// jsonColumn decodes a text of JSON.
func jsonColumn(v any) column {
	return func(src any) error {
		s, ok := src.(string)
		if !ok {
			return fmt.Errorf("want a text, found %T", src)
		}
		return json.Unmarshal([]byte(s), v)
	}
}

func jsonText(what string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", what, err)
	}
	return string(b), nil
}
