//go:build !battery

package core

// The arithmetic can be broken on purpose only in the battery's builds (see seeded_on.go).

func seededFloatMoney() bool         { return false }
func seededLastRedRemainder() bool   { return false }
func taxByFloat(g Yuan, _ Rate) Yuan { return g }
