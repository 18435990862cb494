package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// Files fetches the files of an issued invoice, gives it a pick-up code and makes its parcels. An invoice is issued
// whether or not its files are ready; e-mail waits for them.
func (f *Flow) Files(ctx context.Context, task core.Task) error {
	d, sale, err := f.readDocument(ctx, core.ID(task.Subject))
	if err != nil {
		return fmt.Errorf("files of document %s: %w", task.Subject, err)
	}
	if d.State != core.DocIssued {
		return f.finish(ctx, task)
	}
	channel, ok := f.Channels.Channel(d.Channel)
	if !ok {
		return fmt.Errorf("files of document %s: channel %s: %w in the configuration", d.ID, d.Channel, core.ErrNotFound)
	}
	files, late, err := f.fetchFiles(ctx, channel, d)
	if err != nil {
		return fmt.Errorf("files of document %s: %w", d.ID, err)
	}
	if late != "" {
		return f.filesLate(ctx, task, d, late)
	}
	pick, err := f.pickUp(d)
	if err != nil {
		return err
	}
	parcels, lacks, err := f.parcels(ctx, d, sale)
	if err != nil {
		return err
	}
	return f.Store.Do(ctx, "files", func(tx core.Tx) error {
		for _, file := range files {
			if err := tx.PutFile(file); err != nil {
				return err
			}
		}
		if err := tx.PutPickUp(pick); err != nil {
			return err
		}
		if err := tx.CloseProblem(core.ScopeDelivery, core.ProblemFiles, string(d.ID), f.now()); err != nil {
			return err
		}
		if err := f.putParcels(tx, parcels); err != nil {
			return err
		}
		if lacks {
			if err := tx.OpenProblem(f.deliveryProblem(d, core.ProblemNoRecipient, "no usable e-mail address or mobile number")); err != nil {
				return err
			}
		}
		return tx.Finish(task)
	})
}

// fetchFiles gets the three formats; late names the first that is not ready.
func (f *Flow) fetchFiles(ctx context.Context, c core.Channel, d core.DocumentRecord) (out []core.FileRecord, late core.FileFormat, err error) {
	if c.Files == nil {
		return nil, "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.Schedule.SendDeadline)
	defer cancel()
	for _, format := range []core.FileFormat{core.PDF, core.OFD, core.XML} {
		file, ready, err := c.Files.File(ctx, d.Content.Invoice().Seller, d.Number, format)
		if err != nil || !ready {
			return nil, format, nil //nolint:nilerr // late or failing, both are tried again
		}
		sum := sha256.Sum256(file.Content)
		rec := core.FileRecord{Document: d.ID, Format: format, Name: file.Name, SHA256: hex.EncodeToString(sum[:]), Size: len(file.Content)}
		if rec.Content, err = f.sealBytes(d.Seller, filePlace(d.ID, format), file.Content); err != nil {
			return nil, "", err
		}
		out = append(out, rec)
	}
	return out, "", nil
}

func (f *Flow) filesLate(ctx context.Context, task core.Task, d core.DocumentRecord, late core.FileFormat) error {
	at := f.now().Add(f.Schedule.PollWait(task.Attempt, d.Serial))
	return f.Store.Do(ctx, "files.late", func(tx core.Tx) error {
		if f.now().Sub(task.EnqueuedAt) >= f.Schedule.PollProblem {
			if err := tx.OpenProblem(f.deliveryProblem(d, core.ProblemFiles, "the "+string(late)+" file can't be had yet")); err != nil {
				return err
			}
		}
		return tx.Retry(task, at)
	})
}

// pickUp draws the code by which the buyer picks the invoice up: ten random characters and a check character.
func (f *Flow) pickUp(d core.DocumentRecord) (core.PickUpRecord, error) {
	code := core.PickUpCode(f.IDs.New())
	sealed, err := f.sealBytes(d.Seller, pickUpPlace(d.ID), []byte(code))
	return core.PickUpRecord{Document: d.ID, Hash: f.Vault.Index("pickup", code), Code: sealed, MadeAt: f.now()}, err
}
