package storage

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kaipiao/kaipiao/core"
)

// promoted bounds how many waiting tasks of a lane one claim makes ready.
const promoted = 256

// laneWork is what a claim may do in a lane.
type laneWork struct {
	lane                core.Lane
	v                   int64
	room                int
	expired, due, ready bool
}

// Claim leases tasks lane by lane, the lane that was served longest ago first. Its cost is a few index look-ups for
// each lane and each claimed task, whatever waits.
func (t transaction) Claim(c core.Claimant) ([]core.Task, error) {
	now := micros(c.Now)
	lanes, err := many(t.view, "work of the lanes", scanLaneWork,
		`SELECT name, v, cap - (SELECT COUNT(*) FROM task t WHERE t.lane = l.name AND t.state = 'running' AND t.due > ?),
		CASE WHEN EXISTS (SELECT 1 FROM task t WHERE t.lane = l.name AND t.state = 'running' AND t.due <= ?) THEN 1 ELSE 0 END,
		CASE WHEN EXISTS (SELECT 1 FROM task t WHERE t.lane = l.name AND t.state = 'waiting' AND t.due <= ?) THEN 1 ELSE 0 END,
		CASE WHEN EXISTS (SELECT 1 FROM task t WHERE t.lane = l.name AND t.state = 'ready') THEN 1 ELSE 0 END
		FROM lane l WHERE paused = 0 ORDER BY last_claim, name`, now, now, now)
	if err != nil {
		return nil, err
	}
	var out []core.Task
	for _, w := range lanes {
		room := min(w.room, c.Max-len(out))
		if room <= 0 || !w.expired && !w.due && !w.ready {
			continue
		}
		tasks, err := t.claimLane(c, w, room)
		if err != nil {
			return nil, fmt.Errorf("claim from lane %s: %w", w.lane, err)
		}
		out = append(out, tasks...)
	}
	return out, nil
}

func scanLaneWork(s scanner) (w laneWork, err error) {
	return w, s.Scan(&w.lane, &w.v, &w.room, flagColumn(&w.expired), flagColumn(&w.due), flagColumn(&w.ready))
}

// claimLane takes tasks whose lease has ended first, then ready ones in the order of their turns.
func (t transaction) claimLane(c core.Claimant, w laneWork, room int) ([]core.Task, error) {
	if w.due {
		err := t.do("make due tasks ready", `UPDATE task SET state = 'ready', due = 0 WHERE key IN (
			SELECT key FROM task WHERE lane = ? AND state = 'waiting' AND due <= ? ORDER BY due LIMIT ?)`, w.lane, micros(c.Now), promoted)
		if err != nil {
			return nil, err
		}
	}
	var claimed []claimedTask
	if w.expired {
		expired, err := t.lease(c, `lane = ? AND state = 'running' AND due <= ?`, w.lane, micros(c.Now), room)
		if err != nil {
			return nil, err
		}
		claimed = expired
	}
	if left := room - len(claimed); left > 0 && (w.ready || w.due) {
		ready, err := t.lease(c, `lane = ? AND state = ?`, w.lane, taskReady, left)
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, ready...)
	}
	v := w.v
	tasks := make([]core.Task, len(claimed))
	for i, task := range claimed {
		tasks[i], v = task.Task, max(v, task.turn)
	}
	return tasks, t.do("move lane's clock", `UPDATE lane SET v = ?, last_claim = ? WHERE name = ?`, v, micros(c.Now), w.lane)
}

type claimedTask struct {
	core.Task
	turn int64
}

// lease takes the first tasks of a queue.
func (t transaction) lease(c core.Claimant, queue string, args ...any) ([]claimedTask, error) {
	until := micros(c.Now.Add(c.Lease))
	tasks, err := many(t.view, "leased tasks", func(s scanner) (r claimedTask, err error) {
		r.Owner, r.LeaseUntil = c.Owner, fromMicros(until)
		return r, s.Scan(&r.ID, &r.Kind, &r.Lane, &r.Key, &r.Subject, &r.Name, &r.Store, timeColumn(&r.RunAt), &r.Priority, &r.Attempt,
			timeColumn(&r.EnqueuedAt), &r.turn)
	}, `UPDATE task SET state = 'running', owner = ?, due = ? WHERE key IN (
		SELECT key FROM task WHERE `+queue+` ORDER BY due, fair_at, priority, id LIMIT ?)
		RETURNING id, kind, lane, key, subject, name, store, run_at, priority, attempt, enqueued_at, fair_at`,
		append([]any{c.Owner, until}, args...)...)
	slices.SortFunc(tasks, func(a, b claimedTask) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.ID, b.ID))
	})
	return tasks, err
}
