package main

import (
	"testing"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/config"
)

// However many deliveries hang, there is room for invoices: the lanes' caps bound what runs, never the slots.
func TestSlotsSufficeForAllLanes(t *testing.T) {
	cfg := &config.Config{Channels: []config.Channel{{ID: "bureau", Connections: 32}, {ID: "unused"}},
		Deliveries: []config.Delivery{{ID: "email"}, {ID: "sms"}}, Sources: []config.Source{{ID: "shop"}}}
	caps := laneCaps(cfg, []core.Seller{{ID: "s1", Channel: "bureau"}, {ID: "s2", Channel: "bureau"}})
	want := map[core.Lane]int{core.LanePrepare: 64, core.LaneSystem: 1, core.FeedLane("shop"): 1,
		core.DeliveryLane("email"): 128, core.DeliveryLane("sms"): 128,
		core.SendLane("bureau", "s1"): 32, core.SendLane("bureau", "s2"): 32,
		core.QueryLane("bureau", "s1"): 16, core.QueryLane("bureau", "s2"): 16}
	sum := 0
	for lane, n := range want {
		if caps[lane] != n {
			t.Errorf("lane %s has a cap of %d, want %d", lane, caps[lane], n)
		}
		sum += n
	}
	if len(caps) != len(want) || slotsFor(caps) < sum {
		t.Errorf("%d lanes, %d slots for tasks that may run at once: %d", len(caps), slotsFor(caps), sum)
	}
}
