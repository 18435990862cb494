package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Result says what a request came to, after the commit.
type Result string

// Results of an ingest.
const (
	Stored    Result = "stored"
	Duplicate Result = "duplicate"
	// Conflict: the same id with other content. Nothing is merged; a problem shows both bodies.
	Conflict Result = "conflict"
)

// Inbound is one request and what its source said of it. The verdict is accepted, unverified, or malformed and
// authentic; nothing else may be stored.
type Inbound struct {
	Raw    core.RawRequest
	Parsed core.Parsed
}

// Receipt is the outcome of one inbound request.
type Receipt struct {
	Result  Result
	Request core.ID
}

// inbound is a request made ready for the transaction: hashed and sealed.
type inbound struct {
	request core.RequestRecord
	hash    string
	events  []arrival
	problem *core.Problem
}

// arrival is an event with what it calls for: a task, or a day close to keep.
type arrival struct {
	core.EventRecord
	task core.Task
	day  *core.DayClose
}

// put stores an event, and what it calls for unless it is in conflict.
func (a arrival) put(tx core.Tx) error {
	if err := tx.PutEvent(a.EventRecord); err != nil {
		return err
	}
	switch {
	case a.State == core.EventConflict:
	case a.day != nil:
		return tx.PutDayClose(a.Instance, *a.day)
	case a.task.Kind != "":
		return tx.Enqueue(a.task)
	}
	return nil
}

// Ingest stores requests of one instance in one transaction and answers each by itself, in order. A nil error means
// that everything the receipts call stored is on disk; ErrNotStored that nothing is.
func (f *Flow) Ingest(ctx context.Context, instance core.InstanceID, in []Inbound) ([]Receipt, error) {
	info, ok := f.Book.Instance(instance)
	if !ok {
		return nil, fmt.Errorf("ingest for instance %s: %w in the configuration", instance, core.ErrNotFound)
	}
	ready := make([]inbound, len(in))
	for i := range in {
		var err error
		if ready[i], err = f.prepareInbound(info, in[i]); err != nil {
			return nil, err
		}
	}
	var receipts []Receipt
	err := f.Store.Do(ctx, "ingest", func(tx core.Tx) error {
		receipts = receipts[:0]
		for i := range ready {
			r, err := f.storeInbound(tx, &ready[i])
			if err != nil {
				return err
			}
			receipts = append(receipts, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ingest %d requests of %s: %w", len(in), instance, err)
	}
	return receipts, nil
}

func (f *Flow) prepareInbound(info core.InstanceInfo, in Inbound) (inbound, error) {
	now := f.now()
	key := in.Parsed.RequestKey
	bodyHash := hash(in.Raw.Body)
	if key == "" {
		key = bodyHash
	}
	out := inbound{hash: bodyHash, request: core.RequestRecord{ID: f.IDs.New(), Instance: info.ID, Seller: info.Seller, Key: key, At: in.Raw.ReceivedAt}}
	raw, err := EncodeRaw(in.Raw)
	if err != nil {
		return out, err
	}
	if out.request.Raw, err = f.sealBytes(info.Seller, requestPlace(out.request.ID), raw); err != nil {
		return out, err
	}
	if in.Parsed.Verdict == core.Malformed {
		f.park(&out, in.Parsed, now)
		return out, nil
	}
	for _, e := range in.Parsed.Events {
		if in.Parsed.Verdict == core.Unverified && e.Kind != core.EventRef {
			continue // a source that can't sign is only believed about which order to fetch
		}
		if err := f.addEvent(&out, info, e, now); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (f *Flow) addEvent(out *inbound, info core.InstanceInfo, e core.Event, now time.Time) error {
	plain, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", e.Key, err)
	}
	rec := core.EventRecord{ID: f.IDs.New(), Request: out.request.ID, Instance: info.ID, Seller: info.Seller, Key: e.Key, Hash: hash(plain),
		Kind: e.Kind, SaleName: e.SaleName(), At: now, State: core.EventNew}
	if rec.Body, err = f.sealBytes(info.Seller, eventPlace(rec.ID), plain); err != nil {
		return err
	}
	task := core.Task{ID: f.IDs.New(), Subject: string(info.ID), Name: rec.SaleName, Store: info.Store, RunAt: now, EnqueuedAt: now}
	switch e.Kind {
	case core.EventDayClose:
		rec.State = core.EventApplied
		out.events = append(out.events, arrival{EventRecord: rec, day: e.DayClose})
		return nil
	case core.EventRef:
		task.Kind, task.Lane, task.Key = core.TaskFetch, core.FeedLane(info.ID), "fetch:"+string(info.ID)+"/"+e.OrderNo
	default:
		if e.Sale != nil && e.Sale.Store != "" {
			task.Store = e.Sale.Store
		}
		task.Kind, task.Lane, task.Key = core.TaskSettle, core.LanePrepare, core.SettleKey(info.ID, rec.SaleName)
	}
	out.events = append(out.events, arrival{EventRecord: rec, task: task})
	return nil
}

// park keeps an authentic request that can't be used, as a problem.
func (f *Flow) park(out *inbound, p core.Parsed, now time.Time) {
	code := core.ProblemMalformed
	if p.Code == string(core.ProblemBadNumber) {
		code = core.ProblemBadNumber
	}
	out.events = append(out.events, arrival{EventRecord: core.EventRecord{ID: f.IDs.New(), Request: out.request.ID, Instance: out.request.Instance,
		Seller: out.request.Seller, Key: "parked:" + out.request.Key, Hash: out.hash, Kind: "parked", At: now, State: core.EventParked}})
	out.problem = &core.Problem{ID: f.IDs.New(), Scope: core.ScopeIngest, Code: code, Subject: string(out.request.ID),
		Detail: core.MaskText(p.Code + ": " + p.Reason), OpenedAt: now}
}

func (f *Flow) storeInbound(tx core.Tx, in *inbound) (Receipt, error) {
	r := Receipt{Result: Stored, Request: in.request.ID}
	seen, err := tx.Remember(core.DedupeRequest, in.request.Instance, in.request.Key, in.hash)
	if err != nil {
		return r, err
	}
	switch seen {
	case core.SeenSame:
		return Receipt{Result: Duplicate}, nil
	case core.SeenOther:
		return f.conflict(tx, in, in.request.Key)
	}
	if err := tx.PutRequest(in.request); err != nil {
		return r, err
	}
	fresh := 0
	for _, e := range in.events {
		seen, err := tx.Remember(core.DedupeEvent, e.Instance, e.Key, e.Hash)
		if err != nil {
			return r, err
		}
		switch seen {
		case core.SeenSame:
			continue
		case core.SeenOther:
			r.Result = Conflict
			if err := tx.OpenProblem(f.conflictProblem(e.Key, in.request.ID)); err != nil {
				return r, err
			}
			e.State = core.EventConflict
		}
		if err := e.put(tx); err != nil {
			return r, err
		}
		fresh++
	}
	if in.problem != nil {
		if err := tx.OpenProblem(*in.problem); err != nil {
			return r, err
		}
	}
	if r.Result == Stored && fresh == 0 && len(in.events) > 0 {
		r.Result = Duplicate // a new delivery of facts that are all known
	}
	return r, nil
}

// conflict stores a body that came under a known request key with other content, so that both can be compared.
func (f *Flow) conflict(tx core.Tx, in *inbound, key string) (Receipt, error) {
	seen, err := tx.Remember(core.DedupeRequest, in.request.Instance, key+"\x00"+in.hash, in.hash)
	if err != nil || seen != core.SeenFresh {
		return Receipt{Result: Conflict}, err
	}
	if err := tx.PutRequest(in.request); err != nil {
		return Receipt{}, err
	}
	return Receipt{Result: Conflict, Request: in.request.ID}, tx.OpenProblem(f.conflictProblem(key, in.request.ID))
}

func (f *Flow) conflictProblem(key string, request core.ID) core.Problem {
	return core.Problem{ID: f.IDs.New(), Scope: core.ScopeIngest, Code: core.ProblemEventConflict, Subject: key + "@" + string(request),
		Detail: "the id came again with other content; the first is kept", OpenedAt: f.now()}
}

func hash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}
