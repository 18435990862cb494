//go:build !race

package gmcrypto

const raceEnabled = false
