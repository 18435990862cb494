package sqlite

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/kaipiao/kaipiao/internal/fault"
)

// writer is the one goroutine that changes the database.
type writer struct {
	db      *DB
	source  connector
	session *session // nil while there is no usable connection

	group      []*job
	committing bool
	walPages   int // pages in the write-ahead log since it was last taken over completely
}

func newWriter(db *DB, source connector) *writer {
	return &writer{db: db, source: source, group: make([]*job, 0, db.opts.MaxGroup)}
}

func (w *writer) connect() error {
	c, err := w.source.connect()
	if err != nil {
		return err
	}
	c.RegisterRollbackHook(func() { c.gone = true })
	// A use case that says COMMIT would publish the unfinished work of others: make it a rollback.
	c.RegisterCommitHook(func() int32 {
		if w.committing {
			return 0
		}
		return 1
	})
	w.session = newSession(c)
	return nil
}

func (w *writer) disconnect() error {
	if w.session == nil {
		return nil
	}
	err := w.session.close()
	w.session = nil
	return err
}

func (w *writer) run() {
	defer w.db.checkpoint.stop()
	for first := range w.db.queue {
		w.commitGroup(first)
		w.db.checkpoint.afterCommit(w)
	}
}

// commitGroup runs the first job and everything that waits behind it, commits once, and
// answers all.
func (w *writer) commitGroup(first *job) {
	w.group = w.group[:0]
	err := w.begin()
	for j := first; j != nil; j = w.next() {
		if !j.state.CompareAndSwap(waiting, started) {
			continue
		}
		w.group = append(w.group, j)
		if err != nil {
			break
		}
		if err = w.runJob(j); err != nil {
			break
		}
		if fault.Bug(fault.BugReplyBeforeCommit) {
			j.reply()
		}
	}
	if err == nil {
		err = w.commit()
	}
	if err != nil {
		w.lose(err)
	}
	w.answer(err)
}

// next takes a job that is waiting already; it never waits for one.
func (w *writer) next() *job {
	if len(w.group) >= w.db.opts.MaxGroup {
		return nil
	}
	select {
	case j := <-w.db.queue: // nil once the queue is closed and empty
		return j
	default:
		return nil
	}
}

func (w *writer) begin() error {
	if w.session == nil {
		if err := w.connect(); err != nil {
			return err
		}
	}
	return w.session.exec("BEGIN IMMEDIATE")
}

// runJob runs one job in its savepoint. It returns an error only if the whole transaction is
// gone; the job's own error is kept in the job.
func (w *writer) runJob(j *job) error {
	if err := w.session.exec("SAVEPOINT usecase"); err != nil {
		return err
	}
	tx := &writeTx{session: w.session}
	j.err = w.call(j, tx)
	tx.over = true
	w.session.conn.closeCursors()
	if w.session.conn.gone {
		return errors.Join(errGone, j.err)
	}
	if j.err != nil {
		if err := w.session.exec("ROLLBACK TO usecase"); err != nil {
			return err
		}
	} else {
		j.after = tx.after
	}
	return w.session.exec("RELEASE usecase")
}

// call protects the writer from a panic. Of an unknown panic value only the type is shown,
// for it may hold personal data.
func (w *writer) call(j *job, tx *writeTx) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		what := fmt.Sprintf("%T", r)
		if e, ok := r.(runtime.Error); ok {
			what = e.Error()
		}
		w.db.opts.Logger.Error("use case panicked; its changes are undone", "usecase", j.name, "panic", what, "stack", string(debug.Stack()))
		err = fmt.Errorf("write %s: panic: %s", j.name, what)
	}()
	return j.fn(tx)
}

func (w *writer) commit() error {
	if fault.Enabled {
		w.points("commit.before:")
	}
	w.committing = true
	err := w.session.exec("COMMIT")
	w.committing = false
	if err != nil {
		return err
	}
	if fault.Enabled {
		w.points("commit.after:")
	}
	return nil
}

// points visits a failpoint for each use case in the group.
func (w *writer) points(prefix string) {
	visited := map[string]bool{}
	for _, j := range w.group {
		if !visited[j.name] {
			visited[j.name] = true
			fault.Point(prefix + j.name)
		}
	}
}

// lose ends a transaction that can't be committed. The connection goes with it: after an I/O
// error its cache can't be trusted, and a new one costs a millisecond.
func (w *writer) lose(cause error) {
	w.db.opts.Logger.Error("transaction lost; its use cases are answered as not stored", "usecases", len(w.group), "err", cause)
	if err := w.disconnect(); err != nil {
		w.db.opts.Logger.Warn("closing the writer's connection after a lost transaction", "err", err)
	}
}

// answer tells each caller what became of its job. If the transaction was lost, an error that
// a job returned by itself counts for nothing: it may rest on another job's lost change.
func (w *writer) answer(lost error) {
	stored := 0
	for _, j := range w.group {
		if lost != nil && !j.replied {
			j.err = fmt.Errorf("write %s: %w: %v", j.name, ErrNotStored, lost)
		}
		if j.err == nil {
			stored++
		}
	}
	w.db.counts.note(len(w.group), stored, lost)
	if lost == nil && stored > 0 {
		w.notify()
	}
	for i, j := range w.group {
		j.reply()
		w.group[i] = nil
	}
}

// notify wakes whoever waits for committed work.
func (w *writer) notify() {
	defer func() {
		if r := recover(); r != nil {
			w.db.opts.Logger.Error("callback after a commit panicked", "panic", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
		}
	}()
	for _, j := range w.group {
		for _, f := range j.after {
			f()
		}
	}
	if w.db.opts.OnCommit != nil {
		w.db.opts.OnCommit()
	}
}

func (j *job) reply() {
	if !j.replied {
		j.replied = true
		close(j.done)
	}
}
