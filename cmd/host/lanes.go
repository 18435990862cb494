package main

import (
	"context"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/config"
)

// laneCaps bounds the lanes that the configuration knows of.
func laneCaps(cfg *config.Config, sellers []core.Seller) map[core.Lane]int {
	caps := map[core.Lane]int{core.LanePrepare: 64, core.LaneSystem: 1}
	for _, s := range sellers {
		for _, c := range cfg.Channels {
			if c.ID == string(s.Channel) {
				n := max(c.Connections, 8)
				caps[core.SendLane(s.Channel, s.ID)], caps[core.QueryLane(s.Channel, s.ID)] = n, max(n/2, 8)
			}
		}
	}
	for _, d := range cfg.Deliveries {
		caps[core.DeliveryLane(core.InstanceID(d.ID))] = 128
	}
	for _, s := range cfg.Sources {
		caps[core.FeedLane(core.InstanceID(s.ID))] = 1
	}
	return caps
}

// slotsFor is room for every lane at its cap, so that one whose tasks hang keeps no other from working; and for some
// lanes of what the configuration no longer names.
func slotsFor(caps map[core.Lane]int) int {
	slots := 64
	for _, n := range caps {
		slots += n
	}
	return slots
}

func (h *host) setLaneCaps(ctx context.Context) error {
	return h.store.Do(ctx, "lanes", func(tx core.Tx) error {
		for lane, n := range laneCaps(h.cfg, h.book.Sellers()) {
			if err := tx.SetLaneCap(lane, n); err != nil {
				return err
			}
		}
		return nil
	})
}
