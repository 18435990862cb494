package flow

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// pause stops a taxpayer's sends at a channel, opens one problem for all of them and starts probing. Queries go on.
func (f *Flow) pause(tx core.Tx, d core.DocumentRecord, code core.ProblemCode, detail string) error {
	lane := core.SendLane(d.Channel, d.Seller)
	if err := tx.PauseLane(lane, string(code)); err != nil {
		return err
	}
	p := core.Problem{ID: f.IDs.New(), Scope: core.ScopeIssue, Code: code, Subject: string(lane), Detail: detail, OpenedAt: f.now()}
	if err := tx.OpenProblem(p); err != nil {
		return err
	}
	return tx.Enqueue(f.probeTask(d.Channel, d.Seller))
}

func (f *Flow) probeTask(c core.ChannelID, s core.SellerID) core.Task {
	return core.Task{ID: f.IDs.New(), Kind: core.TaskProbe, Lane: core.QueryLane(c, s), Key: "probe:" + string(c) + "/" + string(s),
		Subject: string(c), Name: string(s), RunAt: f.now().Add(f.Schedule.Probe), EnqueuedAt: f.now()}
}

// Probe asks a paused channel whether it answers again, and resumes the lane when it does. What a person must mend stays
// open until a send that it held back goes through: a bureau that answers questions may still refuse to issue.
func (f *Flow) Probe(ctx context.Context, task core.Task) error {
	channelID, sellerID := core.ChannelID(task.Subject), core.SellerID(task.Name)
	channel, ok := f.Channels.Channel(channelID)
	seller, known := f.seller(sellerID)
	if !ok || !known {
		return f.finish(ctx, task)
	}
	ctx, cancel := context.WithTimeout(ctx, f.Schedule.SendDeadline)
	defer cancel()
	if !answers(ctx, channel, seller) {
		return f.Store.Do(ctx, "probe.silent", func(tx core.Tx) error { return tx.Retry(task, f.now().Add(f.Schedule.Probe)) })
	}
	return f.Store.Do(ctx, "probe.resumed", func(tx core.Tx) error {
		if err := f.resume(tx, channelID, sellerID, core.ProblemLanePaused); err != nil {
			return err
		}
		return tx.Finish(task)
	})
}

func (f *Flow) seller(id core.SellerID) (core.Seller, bool) {
	for _, s := range f.Book.Sellers() {
		if s.ID == id {
			return s, true
		}
	}
	return core.Seller{}, false
}

// answers says whether a channel gives a usable answer to a harmless question. With a quota to ask about, there must
// be some left.
func answers(ctx context.Context, c core.Channel, seller core.Seller) bool {
	if c.Quotas != nil {
		q, err := c.Quotas.Quota(ctx, seller)
		return err == nil && q.Available.Sign() > 0
	}
	a, err := c.Issuer.Query(ctx, seller, "PROBE000000000000000")
	return err == nil && a.Outcome != core.OutcomeUnsure && a.Outcome != core.OutcomeNotTaken
}

// ResumeLane resumes a taxpayer's sends by a person's act.
func (f *Flow) ResumeLane(ctx context.Context, who string, c core.ChannelID, s core.SellerID) error {
	err := f.Store.Do(ctx, "lane.resume", func(tx core.Tx) error {
		if err := f.resume(tx, c, s, core.ProblemLanePaused, core.ProblemQuota, core.ProblemLogin); err != nil {
			return err
		}
		return tx.PutAct(f.act(who, "lane.resume", string(core.SendLane(c, s)), ""))
	})
	if err != nil {
		return fmt.Errorf("resume %s: %w", core.SendLane(c, s), err)
	}
	return nil
}

func (f *Flow) resume(tx core.Tx, c core.ChannelID, s core.SellerID, solved ...core.ProblemCode) error {
	lane := core.SendLane(c, s)
	if err := tx.ResumeLane(lane); err != nil {
		return err
	}
	for _, code := range solved {
		if err := tx.CloseProblem(core.ScopeIssue, code, string(lane), f.now()); err != nil {
			return err
		}
	}
	return nil
}
