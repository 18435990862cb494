package taxapi

import (
	"fmt"
	"strings"
	"time"
)

// beijing is the bureaus' zone. China has had no summer time since 1991.
var beijing = time.FixedZone("CST", 8*60*60)

// Window is a time in which a bureau is known to be closed: once, or each day or week by Beijing time.
type Window struct {
	// From and To bound a window that comes once.
	From, To time.Time
	// start and length describe one that comes back; weekday is -1 for each day.
	start, length time.Duration
	weekday       time.Weekday
}

var weekdays = map[string]time.Weekday{"Sun": 0, "Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6}

const everyDay time.Weekday = -1

// ParseWindow reads "23:30-00:30" (each day, here over midnight), "Sun 02:00-04:00" (each week), or two RFC 3339 times
// with a slash between them (once).
func ParseWindow(text string) (Window, error) {
	if from, to, once := strings.Cut(text, "/"); once {
		return parseOnce(from, to)
	}
	w := Window{weekday: everyDay}
	hours := text
	if day, rest, weekly := strings.Cut(text, " "); weekly {
		weekday, known := weekdays[day]
		if !known {
			return Window{}, fmt.Errorf("maintenance window %q: the day is none of Sun to Sat", text)
		}
		w.weekday, hours = weekday, rest
	}
	from, to, _ := strings.Cut(hours, "-")
	start, err := time.Parse("15:04", from)
	if err != nil {
		return Window{}, fmt.Errorf("maintenance window %q is not like 23:30-00:30 or Sun 02:00-04:00", text)
	}
	end, err := time.Parse("15:04", to)
	if err != nil {
		return Window{}, fmt.Errorf("maintenance window %q is not like 23:30-00:30 or Sun 02:00-04:00", text)
	}
	w.start, w.length = time.Duration(start.Hour())*time.Hour+time.Duration(start.Minute())*time.Minute, end.Sub(start)
	if w.length <= 0 {
		w.length += 24 * time.Hour
	}
	return w, nil
}

func parseOnce(from, to string) (w Window, err error) {
	if w.From, err = time.Parse(time.RFC3339, from); err != nil {
		return Window{}, fmt.Errorf("maintenance window: start %q is not RFC 3339", from)
	}
	if w.To, err = time.Parse(time.RFC3339, to); err != nil {
		return Window{}, fmt.Errorf("maintenance window: end %q is not RFC 3339", to)
	}
	if !w.From.Before(w.To) {
		return Window{}, fmt.Errorf("maintenance window: end %q is not after its start", to)
	}
	return w, nil
}

// Covers says whether the bureau is closed at a time, and until when.
func (w Window) Covers(t time.Time) (until time.Time, closed bool) {
	if !w.From.IsZero() {
		return w.To, !t.Before(w.From) && t.Before(w.To)
	}
	t = t.In(beijing)
	today := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, beijing)
	for _, day := range []time.Time{today, today.AddDate(0, 0, -1)} { // yesterday's may reach over midnight
		start := day.Add(w.start)
		end := start.Add(w.length)
		if (w.weekday == everyDay || w.weekday == day.Weekday()) && !t.Before(start) && t.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}
