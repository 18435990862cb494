package mapping

import (
	"fmt"
	"time"
)

// china is the time zone of tax days. It has had no daylight saving since 1991, so no zone database is needed.
var china = time.FixedZone("CST", 8*60*60)

// day is a calendar day in China as yyyymmdd; 0 is "none". Laws and rules begin and end with whole days.
type day int32

func dayOf(t time.Time) day {
	if t.IsZero() {
		return 0
	}
	y, m, d := t.In(china).Date()
	return day(y*10000 + int(m)*100 + d)
}

// parseDay reads "2026-01-01"; the empty text is none.
func parseDay(s string) (day, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, china)
	if err != nil {
		return 0, fmt.Errorf("day %q is not like 2026-01-31", s)
	}
	return dayOf(t), nil
}

func (d day) String() string { return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100) }

// span is a range of days, both ends included; 0 leaves an end open.
type span struct{ from, to day }

func (s span) holds(d day) bool { return d >= s.from && (s.to == 0 || d <= s.to) }

func (s span) overlaps(o span) bool {
	return (s.to == 0 || o.from <= s.to) && (o.to == 0 || s.from <= o.to)
}
