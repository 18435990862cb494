package battery

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// weather is how the bureau behaves for a while. Faults of single orders come on top.
type weather string

const (
	gusts  weather = "gusts"  // now and then something goes wrong, with every operation
	slow   weather = "slow"   // the bureau accepts now and issues later; files take their time
	storm  weather = "storm"  // nobody answers questions for a while, so that the lane pauses
	deaf   weather = "deaf"   // applications for reds get lost on the way there
	silent weather = "silent" // applications for reds are taken and not answered, and neither are questions about them
	busy   weather = "busy"   // applications for reds are put off
)

var weathers = []weather{gusts, slow, storm, deaf, silent, busy}

// aim is what brings the host to a point soon: a weather, the lives and the faults of the orders that are told, and how long
// a batch is worth waiting for.
type aim struct {
	weather  weather
	lives    []int
	fault    string
	patience time.Duration
	// common points are passed often, so that the host can die at a later arrival.
	common bool
}

var reds = []int{6, 7, 8, 9}

// aims by the name of the point, without its "commit.before:" and the like.
var aims = map[string]aim{
	"ingest": {common: true}, "claim": {common: true}, "settle": {common: true}, "issue.intent": {common: true}, "issue.issued": {common: true},
	"files": {common: true}, "issue": {common: true}, "finish": {}, "edge.ingest": {common: true}, "edge.ingested": {common: true},
	"issue.accepted": {weather: slow}, "query.accepted": {weather: slow}, "files.late": {weather: slow},
	"issue.unsure": {fault: "reset_after"}, "query.issued": {fault: "reset_after"}, "query": {fault: "reset_after"}, "issue.not_taken": {fault: "busy"},
	"query.not_yet": {fault: "reset_before"}, "query.not_found": {fault: "reset_before", patience: 12 * time.Second},
	"query.blind": {weather: storm, fault: "reset_after"}, "probe.silent": {weather: storm, fault: "reset_after", patience: 6 * time.Second},
	"probe.resumed": {weather: storm, fault: "reset_after", patience: 6 * time.Second}, "quota": {weather: storm, fault: "reset_after", patience: 6 * time.Second},
	"apply.intent": {lives: reds}, "apply.seen": {lives: reds}, "red_apply": {lives: reds}, "red_issue": {lives: reds},
	"apply.not_taken": {lives: reds, weather: busy}, "apply.unsure": {lives: reds, weather: silent}, "confirm.seen": {lives: reds, weather: silent},
	"confirm.blind": {lives: reds, weather: silent}, "red_query": {lives: reds, weather: silent}, "apply.crashed": {lives: reds},
	"confirm.not_found": {lives: reds, weather: deaf, patience: 12 * time.Second},
}

func aimAt(point string) aim {
	a := aims[point[strings.IndexByte(point, ':')+1:]]
	if a.weather == "" {
		a.weather = gusts
	}
	if a.patience == 0 {
		a.patience = 2 * time.Second
	}
	return a
}

// before names a point at which the host must die so that, started again, it comes by another one.
var before = map[string]string{
	"issue.crashed": "send.after:issue", "apply.crashed": "send.after:red_apply", "track": "commit.after:deliver.intent",
}

// rules are the bureau's faults in each weather. Percentages are drawn by a seed and a count, so nothing is random.
func (w weather) rules(seed int) []map[string]any {
	rule := func(op, kind string, more ...any) map[string]any {
		r := map[string]any{"id": fmt.Sprintf("%s %s", op, kind), "op": op, "kind": kind, "seed": seed}
		for i := 0; i < len(more); i += 2 {
			r[more[i].(string)] = more[i+1]
		}
		return r
	}
	switch w {
	case storm:
		return []map[string]any{rule("query", "http_status", "status", 503, "times", 8), rule("red_query", "html", "times", 6),
			rule("quota", "http_status", "status", 503, "times", 2), rule("red_apply", "reset_after", "percent", 50), rule("issue", "reset_after", "percent", 50)}
	case deaf:
		return []map[string]any{rule("red_apply", "reset_before", "percent", 70)}
	case silent:
		return []map[string]any{rule("red_apply", "reset_after", "percent", 80), rule("red_query", "html", "percent", 40)}
	case busy:
		return []map[string]any{rule("red_apply", "busy", "percent", 80)}
	}
	return []map[string]any{
		rule("red_apply", "timeout_after", "percent", 12), rule("red_apply", "timeout_before", "percent", 8), rule("red_apply", "busy", "percent", 12),
		rule("red_issue", "timeout_after", "percent", 12), rule("red_issue", "reset_before", "percent", 8), rule("red_issue", "busy", "percent", 8),
		rule("query", "http_status", "status", 503, "percent", 8), rule("red_query", "html", "percent", 10), rule("files", "reset_after", "percent", 5),
	}
}

// setWeather changes the bureau's mood and forgets its faults.
func (h *House) setWeather(ctx context.Context, w weather, seed int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, h.bureau+"/sandbox/faults", nil)
	if err != nil {
		return err
	}
	if err := h.exchange(req, nil); err != nil {
		return err
	}
	late := "0s"
	if w == slow {
		late = "300ms"
	}
	if err := h.control(ctx, "settings", map[string]any{"asynchronous": w == slow, "latency": late, "files_delay": late}); err != nil {
		return err
	}
	return h.control(ctx, "faults", w.rules(seed))
}

// clear ends all faults, so that everything can come to rest.
func (h *House) clear(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, h.bureau+"/sandbox/faults", nil)
	if err != nil {
		return err
	}
	return h.exchange(req, nil)
}
