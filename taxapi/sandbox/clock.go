package sandbox

import (
	"fmt"
	"time"
)

// beijing is the bureau's zone. China has kept UTC+8 without summer time since 1991, so no zone database is needed.
var beijing = time.FixedZone("CST", 8*60*60)

const (
	wireTimeLayout = "2006-01-02T15:04:05.000Z07:00"
	monthLayout    = "2006-01"
)

func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(beijing).Format(wireTimeLayout)
}

// duration reads and writes "72h" or "250ms" in JSON.
type duration time.Duration

// MarshalText writes Go's duration syntax.
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText accepts Go's duration syntax; negative durations only make sense for a clock skew.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q is not like 250ms or 72h: %w", text, err)
	}
	*d = duration(v)
	return nil
}
