//go:build !battery

package fault_test

import (
	"testing"

	"github.com/kaipiao/kaipiao/internal/fault"
)

func TestNothingHappensWithoutTheTag(t *testing.T) {
	t.Setenv(fault.EnvFail, "here")
	for _, bug := range fault.Bugs() {
		t.Setenv(fault.EnvBug, bug)
		if fault.Bug(bug) {
			t.Errorf("bug %s is on in a normal build", bug)
		}
	}
	fault.Point("here") // would kill this test
	if fault.Enabled {
		t.Error("Enabled is true in a normal build")
	}
	if n := testing.AllocsPerRun(100, func() { fault.Point("here") }); n != 0 {
		t.Errorf("Point allocates %v times", n)
	}
}
