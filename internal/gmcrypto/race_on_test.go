//go:build race

package gmcrypto

const raceEnabled = true
