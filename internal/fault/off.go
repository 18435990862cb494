//go:build !battery

package fault

// Enabled tells whether this binary was built with the tag battery. Guard with it the
// building of a point's name where that costs something.
const Enabled = false

// Point marks a place where the battery may kill the process.
func Point(string) {}

// Bug tells whether the named seeded bug is on.
func Bug(string) bool { return false }
