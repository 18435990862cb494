//go:build !battery

package main

// armBattery does nothing outside the battery's builds.
func armBattery() {}
