package storage

import (
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// makeLane makes a lane's row with its default cap.
func (t transaction) makeLane(l core.Lane) error {
	return t.do("make lane", `INSERT INTO lane (name) VALUES (?) ON CONFLICT DO NOTHING`, l)
}

// setLane makes sure that a lane exists and changes it.
func (t transaction) setLane(l core.Lane, what, query string, args ...any) error {
	if err := t.makeLane(l); err != nil {
		return err
	}
	return t.do(what, query, append(args, l)...)
}

// SetLaneCap bounds how many tasks of a lane run at a time, on all hosts together.
func (t transaction) SetLaneCap(l core.Lane, limit int) error {
	if limit < 0 {
		return fmt.Errorf("set cap of lane %s: %d is negative", l, limit)
	}
	return t.setLane(l, "set lane's cap", `UPDATE lane SET cap = ? WHERE name = ?`, limit)
}

// PauseLane stops claims from a lane until it is resumed.
func (t transaction) PauseLane(l core.Lane, reason string) error {
	return t.setLane(l, "pause lane", `UPDATE lane SET paused = 1, reason = ? WHERE name = ?`, reason)
}

// ResumeLane lets claims from a lane go on.
func (t transaction) ResumeLane(l core.Lane) error {
	return t.setLane(l, "resume lane", `UPDATE lane SET paused = 0, reason = '' WHERE name = ?`)
}

// Lanes lists all lanes. Running counts the tasks whose lease has ended too, until they are claimed again.
func (v view) Lanes() ([]core.LaneState, error) {
	return many(v, "lanes", func(s scanner) (l core.LaneState, err error) {
		return l, s.Scan(&l.Lane, &l.Cap, flagColumn(&l.Paused), &l.Reason, &l.Ready, &l.Running)
	}, `SELECT name, cap, paused, reason,
		(SELECT COUNT(*) FROM task t WHERE t.lane = l.name AND t.state = 'ready'),
		(SELECT COUNT(*) FROM task t WHERE t.lane = l.name AND t.state = 'running')
		FROM lane l ORDER BY name`)
}

// TaskCount counts the tasks of a kind in any state. It looks at all tasks.
func (v view) TaskCount(kind core.TaskKind) (int, error) {
	return one(v, "number of tasks", value[int], `SELECT COUNT(*) FROM task WHERE kind = ?`, kind)
}

// NextTask is the time from which a claim finds something, zero if nothing waits. Tasks of paused lanes don't count, nor
// those of full ones, which the end of a running task makes claimable and no time.
func (v view) NextTask() (time.Time, error) {
	return one(v, "next task", func(s scanner) (at time.Time, err error) { return at, s.Scan(timeColumn(&at)) },
		`WITH open AS (SELECT name FROM lane l WHERE paused = 0
			AND cap > (SELECT COUNT(*) FROM task t WHERE t.lane = l.name AND t.state = 'running'))
		SELECT COALESCE(MIN(at), 0) FROM (
			SELECT (SELECT run_at FROM task t WHERE t.lane = l.name AND t.state = 'ready' ORDER BY due, fair_at LIMIT 1) AS at FROM open l
			UNION ALL
			SELECT (SELECT due FROM task t WHERE t.lane = l.name AND t.state = 'waiting' ORDER BY due LIMIT 1) FROM open l) heads`)
}
