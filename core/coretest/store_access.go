package coretest

import (
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var accessTests = []storeTest{
	{"tills replace themselves by id", terminals},
	{"an activation code is used once", activations},
	{"a nonce is fresh once", nonces},
	{"secrets replace themselves by name", secrets},
}

func terminals(b *bench) {
	till := core.TerminalRecord{ID: "T1", Instance: "pos", Seller: "seller-a", Store: Store, Label: "till 1", KeyID: "k1", Secret: sealed("secret"),
		OldKeyID: "k0", OldSecret: sealed("old"), OldUntil: after(time.Hour), Sequence: 1 << 40, LastSeen: T0, CreatedAt: T0}
	second := core.TerminalRecord{ID: "T0", Instance: "pos"}
	b.do(func(tx core.Tx) error {
		if err := tx.PutTerminal(till); err != nil {
			return err
		}
		return tx.PutTerminal(second)
	})
	b.same("till", read(b, func(v core.View) (core.TerminalRecord, error) { return v.Terminal("T1") }), till)
	till.Revoked, till.Sequence, till.KeyID = true, 1<<40+1, "k2"
	b.do(func(tx core.Tx) error { return tx.PutTerminal(till) })
	b.same("tills", read(b, func(v core.View) ([]core.TerminalRecord, error) { return v.Terminals() }), []core.TerminalRecord{second, till})
	b.missing("till", func(v core.View) error { _, err := v.Terminal("none"); return err })
}

func activations(b *bench) {
	a := core.ActivationRecord{Hash: "hash", Instance: "pos", Store: Store, Label: "till 1", ExpiresAt: after(time.Hour)}
	b.do(func(tx core.Tx) error { return tx.PutActivation(a) })
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutActivation(a) })
	activation := func() core.ActivationRecord {
		return read(b, func(v core.View) (core.ActivationRecord, error) { return v.Activation("hash") })
	}
	b.same("code", activation(), a)
	b.do(func(tx core.Tx) error { return tx.UseActivation("hash", after(time.Minute)) })
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.UseActivation("hash", after(2*time.Minute)) })
	a.UsedAt = after(time.Minute)
	b.same("used code", activation(), a)
	b.fails(core.ErrNotFound, func(tx core.Tx) error { return tx.UseActivation("none", T0) })
	b.missing("code", func(v core.View) error { _, err := v.Activation("none"); return err })
}

func nonces(b *bench) {
	const window = 10 * time.Minute
	for _, test := range []struct {
		terminal, nonce string
		at              time.Duration
		want            bool
	}{
		{"T1", "a", 0, true},
		{"T1", "a", time.Minute, false},
		{"T2", "a", time.Minute, true},
		{"T1", "b", 9 * time.Minute, true},
		{"T1", "a", 10 * time.Minute, false},
		{"T1", "a", 11 * time.Minute, true}, // forgotten: its timestamp would be refused
		{"T1", "b", 12 * time.Minute, false},
	} {
		b.do(func(tx core.Tx) error {
			fresh, err := tx.RememberNonce(test.terminal, test.nonce, after(test.at), after(test.at-window))
			if fresh != test.want {
				b.Errorf("nonce %s of %s at %s: fresh %v, want %v", test.nonce, test.terminal, test.at, fresh, test.want)
			}
			return err
		})
	}
}

func secrets(b *bench) {
	all := func(i core.InstanceID) map[string]core.Sealed {
		return read(b, func(v core.View) (map[string]core.Sealed, error) { return v.Secrets(i) })
	}
	if got := all(Instance); len(got) != 0 {
		b.Errorf("secrets of an empty store: %v", got)
	}
	b.do(func(tx core.Tx) error {
		for _, s := range []struct{ name, value string }{{"token", "one"}, {"refresh", "two"}, {"token", "three"}} {
			if err := tx.PutSecret(Instance, s.name, sealed("%s", s.value), after(time.Hour)); err != nil {
				return err
			}
		}
		return tx.PutSecret("shop-b", "token", sealed("other"), time.Time{})
	})
	b.same("secrets", all(Instance), map[string]core.Sealed{"token": sealed("three"), "refresh": sealed("two")})
}
