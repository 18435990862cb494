package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kaipiao/kaipiao/core"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Instances finds an instance's configuration and secrets as they are now.
type Instances interface {
	Instance(id core.InstanceID) (Instance, bool)
}

// Adapter makes core's ports of a Host: sources and couriers by instance.
type Adapter struct {
	Host      *Host
	Instances Instances
	// Language of the texts that deliveries write: zh or en.
	Language string
	// FileDir is a folder of the host's own for the files of parcels; they live as long as a call.
	FileDir string
}

var (
	_ core.Source  = (*Adapter)(nil)
	_ core.Courier = (*Adapter)(nil)
)

// ClearFiles makes an empty FileDir: a host that was killed in a call has left what it handed over. Only the host that
// holds the database may call it, before its first delivery.
func (a *Adapter) ClearFiles() error {
	if err := os.RemoveAll(a.FileDir); err != nil {
		return fmt.Errorf("remove old files of parcels: %w", err)
	}
	if err := os.MkdirAll(a.FileDir, 0o700); err != nil {
		return fmt.Errorf("folder for files of parcels: %w", err)
	}
	return nil
}

func (a *Adapter) find(id core.InstanceID) (Instance, error) {
	if a.Host == nil {
		return Instance{}, fmt.Errorf("instance %s: no plugins run in this process, start the host: %w", id, core.ErrUnavailable)
	}
	in, ok := a.Instances.Instance(id)
	if !ok {
		return in, fmt.Errorf("instance %s: %w in the configuration", id, core.ErrNotFound)
	}
	return in, nil
}

// unavailable marks errors that a later call may not have.
func unavailable(err error) error {
	if err == nil || errors.Is(err, ErrCapability) {
		return err
	}
	return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
}

// Parse verifies and decodes one request; requests of an instance that come together share a call.
func (a *Adapter) Parse(ctx context.Context, id core.InstanceID, r core.RawRequest) (core.Parsed, error) {
	in, err := a.find(id)
	if err != nil {
		return core.Parsed{}, err
	}
	res, err := a.Host.Parse(ctx, in, wireRequest(r))
	if err != nil {
		return core.Parsed{}, unavailable(err)
	}
	return verdict(res)
}

// Fetch fetches orders from their platform.
func (a *Adapter) Fetch(ctx context.Context, id core.InstanceID, orders []string) (core.Fetched, error) {
	in, err := a.find(id)
	if err != nil {
		return core.Fetched{}, err
	}
	res, err := a.Host.Fetch(ctx, in, orders)
	if err != nil {
		return core.Fetched{}, unavailable(err)
	}
	return fetched(res)
}

// Pull takes the page behind a cursor.
func (a *Adapter) Pull(ctx context.Context, id core.InstanceID, cursor []byte, limit int) (core.Page, error) {
	in, err := a.find(id)
	if err != nil {
		return core.Page{}, err
	}
	res, err := a.Host.Pull(ctx, in, cursor, limit, 0)
	if err != nil {
		return core.Page{}, unavailable(err)
	}
	return page(res)
}

// Deliver hands parcels over. Their files lie in a 0700 folder, read-only, until the call returns. Where nothing can have
// been sent the receipts say so, so that nobody has to ask for it.
func (a *Adapter) Deliver(ctx context.Context, id core.InstanceID, parcels []core.Parcel) ([]core.DeliveryReceipt, error) {
	in, err := a.find(id)
	if err != nil {
		return notBegun(parcels, err), nil
	}
	dir := ""
	wire := make([]*pb.Parcel, len(parcels))
	for i, p := range parcels {
		wire[i] = wireParcel(p, a.Language)
		if len(p.Files) == 0 {
			continue
		}
		if dir == "" {
			if dir, err = os.MkdirTemp(a.FileDir, "parcel-"); err != nil {
				return notBegun(parcels, fmt.Errorf("write files for the plugin: %w", err)), nil
			}
			defer func() { _ = os.RemoveAll(dir) }()
		}
		if wire[i].Invoice.Files, err = writeFiles(filepath.Join(dir, string(p.ID)), p.Files); err != nil {
			return notBegun(parcels, fmt.Errorf("write files for the plugin: %w", err)), nil
		}
	}
	res, err := a.Host.Deliver(ctx, in, wire)
	if err != nil {
		return notBegun(parcels, err), nil
	}
	out := make([]core.DeliveryReceipt, len(res))
	for i, r := range res {
		out[i] = receipt(r)
	}
	return out, nil
}

// notBegun says of every parcel that nothing was sent, so that it may be tried again without asking.
func notBegun(parcels []core.Parcel, err error) []core.DeliveryReceipt {
	out := make([]core.DeliveryReceipt, len(parcels))
	for i, p := range parcels {
		out[i] = core.DeliveryReceipt{Parcel: p.ID, Outcome: core.DeliveryRetry, Reason: err.Error()}
	}
	return out
}

func writeFiles(dir string, files []core.File) ([]*pb.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var out []*pb.File
	for _, f := range files {
		path := filepath.Join(dir, filepath.Base(f.Name))
		if err := os.WriteFile(path, f.Content, 0o400); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(f.Content)
		out = append(out, &pb.File{Format: fileFormats[f.Format], Name: filepath.Base(f.Name), Path: path,
			Sha256: hex.EncodeToString(sum[:]), Size: int64(len(f.Content))})
	}
	return out, nil
}

// Track asks what became of parcels.
func (a *Adapter) Track(ctx context.Context, id core.InstanceID, queries []core.TrackQuery) (map[core.ID]core.Tracking, error) {
	in, err := a.find(id)
	if err != nil {
		return nil, err
	}
	refs := make([]*pb.ParcelRef, len(queries))
	for i, q := range queries {
		refs[i] = &pb.ParcelRef{ParcelId: string(q.Parcel), ProviderRef: q.ProviderRef, Recipient: recipient(q.Email, q.Mobile, q.Order),
			SentAt: timestamppb.New(q.SentAt), InvoiceNumber: q.Number, Attempt: int32(min(q.Attempt, 1<<30))}
	}
	res, err := a.Host.Track(ctx, in, refs)
	if err != nil {
		return nil, unavailable(err)
	}
	out := map[core.ID]core.Tracking{}
	for _, s := range res {
		out[core.ID(s.GetParcelId())] = tracks[s.GetState()]
	}
	return out, nil
}

// Described is what a running plugin said of itself, nil while it is not ready. It does not wait.
func (h *Host) Described(name string) *pb.DescribeResponse {
	s, ok := h.supervisors[name]
	if !ok {
		return nil
	}
	if p := s.live.Load(); p != nil {
		return p.about
	}
	return nil
}
