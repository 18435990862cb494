//go:build battery

package core

import "github.com/shopspring/decimal"

// SeededBugs breaks the arithmetic on purpose, so that the battery can show that its gates notice. It exists only
// with the build tag "battery" and is set once before anything runs.
var SeededBugs struct{ FloatMoney, LastRedRemainder bool }

func seededFloatMoney() bool       { return SeededBugs.FloatMoney }
func seededLastRedRemainder() bool { return SeededBugs.LastRedRemainder }

func taxByFloat(gross Yuan, rate Rate) Yuan {
	g, _ := gross.d.Float64()
	r, _ := rate.d.Float64()
	return Yuan{decimal.NewFromInt(int64(g / (1 + r) * r * 100)).Shift(-2)}
}
