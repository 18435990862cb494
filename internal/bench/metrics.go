//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// metrics are a host's figures by name, summed over their labels.
type metrics map[string]float64

// Figures that the bench reads.
const (
	commitsTotal = "kaipiao_db_commits_total"
	changesTotal = "kaipiao_db_use_cases_total"
)

// parseMetrics reads the text format of Prometheus.
func parseMetrics(text []byte) (metrics, error) {
	m := metrics{}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest := line, ""
		if i := strings.IndexAny(line, "{ "); i > 0 {
			name, rest = line[:i], line[i:]
		}
		if strings.HasPrefix(rest, "{") {
			_, rest, _ = strings.Cut(rest, "} ") // values of labels here hold no such thing
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return nil, fmt.Errorf("metric %s has no value", name)
		}
		v, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return nil, fmt.Errorf("metric %s: %w", name, err)
		}
		m[name] += v
	}
	return m, nil
}

// metrics reads the figures of the host; those that the bench needs must be among them.
func (h *house) metrics(ctx context.Context) (metrics, error) {
	text, err := get(ctx, h.admin+"/metrics")
	if err != nil {
		return nil, err
	}
	m, err := parseMetrics(text)
	for _, name := range []string{commitsTotal, changesTotal} {
		if _, ok := m[name]; err == nil && !ok {
			err = fmt.Errorf("the host has no metric %s", name)
		}
	}
	return m, err
}
