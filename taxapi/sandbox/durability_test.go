package sandbox

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRestart(t *testing.T) {
	b := newBench(t)
	b.set(map[string]any{"grace": "1s"})
	b.control("POST", "/sandbox/codes", map[string]any{"code": goodsCode, "short_name": "谷物加工品"}, nil)
	b.fault(map[string]any{"id": "third", "kind": "busy", "op": "issue", "nth": 3, "times": 1})
	b.advance("24h")
	r := b.sale("100.00")
	number := b.issue(r)
	c := b.apply(b.redOfBlue(b.bookedSale("50.00"), reasonReturned), confirmWaitBuyer)
	before := b.ledger()
	var settingsBefore, settingsAfter settings
	b.control("GET", "/sandbox/settings", nil, &settingsBefore)
	used := fmt.Sprintf("%032x", b.nonce.Load())

	b.stop()
	b.start()
	if after := b.ledger(); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	b.control("GET", "/sandbox/settings", nil, &settingsAfter)
	if !reflect.DeepEqual(settingsBefore, settingsAfter) {
		t.Errorf("settings before %+v, after %+v", settingsBefore, settingsAfter)
	}
	b.client.nonce = func() string { return used }
	b.call("query", queryRequest{Serial: r.Serial}, codeNonce, nil)
	b.client.nonce = b.nextNonce
	b.call("issue", r, codeBusy, nil) // the rule had counted two
	b.call("issue", r, codeDuplicate, nil)
	b.stateOf(c.UUID, confirmWaitBuyer)
	if next := b.issue(b.sale("1.00")); next <= number {
		t.Errorf("number %s after %s", next, number)
	}
	wrong := b.sale("1.00")
	wrong.Lines[0].ShortName = "别的"
	b.call("issue", wrong, codeClassification, nil)
	var quota quotaResult
	b.call("quota", quotaRequest{TaxNo: sellerNo}, codeDone, &quota)
	if quota.Used.String() != "151.00" {
		t.Errorf("quota: %+v", quota)
	}
}

func TestOneBureauPerFolder(t *testing.T) {
	b := newBench(t)
	if second, err := Open(Options{Dir: b.dir}); err == nil {
		second.Close()
		t.Error("a second bureau opened the same folder")
	}
}

// What lies on disk while the bureau runs is what a crash of the machine leaves.
func TestCrashImage(t *testing.T) {
	b := newBench(t)
	var numbers []string
	for range 5 {
		numbers = append(numbers, b.issue(b.sale("1.00")))
	}
	image := t.TempDir()
	for _, name := range []string{"sandbox.db", "sandbox.db-wal"} {
		text, err := os.ReadFile(filepath.Join(b.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(image, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.stop()
	b.dir = image
	b.start()
	l := b.ledger()
	if len(l.Invoices) != len(numbers) {
		t.Fatalf("%d invoices, want %d", len(l.Invoices), len(numbers))
	}
	for i, number := range numbers {
		if l.Invoices[i].Number != number {
			t.Errorf("invoice %d is %s, want %s", i, l.Invoices[i].Number, number)
		}
	}
}

// A bureau killed without warning, under load, has kept everything that it answered.
func TestKilled(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(address, "error") {
		t.Fatalf("the child said %q: %v", address, err)
	}
	home := b.server.URL
	b.server.URL, b.client.base = "http://"+strings.TrimSpace(address), "http://"+strings.TrimSpace(address)
	b.client.now = time.Now
	b.control("POST", "/sandbox/apps", map[string]any{"app_id": testApp, "key": testKey, "secret": testSecret}, nil)
	b.control("POST", "/sandbox/sellers", map[string]any{"tax_no": sellerNo}, nil)
	answered := make([]map[string]string, 8)
	var count atomic.Int64
	parallel(len(answered), func(i int) {
		answered[i] = map[string]string{}
		for {
			r := b.sale("1.00")
			c, _, result, err := b.client.call("issue", r)
			if err != nil {
				return
			}
			if c != codeDone {
				t.Errorf("issue answered %s", c)
				return
			}
			answered[i][r.Serial] = string(result)
			if count.Add(1) == 200 {
				if err := child.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
		}
	})
	_ = child.Wait() // "signal: killed" is what we asked for

	b.server.URL = home
	b.stop()
	b.dir = dir
	b.start()
	kept := map[string]string{}
	for _, i := range b.ledger().Invoices {
		if kept[i.Serial] != "" {
			t.Errorf("serial %s twice", i.Serial)
		}
		kept[i.Serial] = i.Number
	}
	for _, each := range answered {
		for serial, result := range each {
			if kept[serial] == "" || !strings.Contains(result, kept[serial]) {
				t.Errorf("answered %s, kept %q", result, kept[serial])
			}
		}
	}
	t.Logf("%d answered before the kill, %d kept", count.Load(), len(kept))
}

func TestWireLogIsBounded(t *testing.T) {
	b := newBench(t)
	b.bureau.opts.WireLog = 10
	b.call("query", queryRequest{Serial: b.nextSerial()}, codeNotFound, nil)
	b.clock.Add((time.Hour).Milliseconds())
	err := b.bureau.store.do(func(*tx) error { b.bureau.lastWire = pruneEvery - 3; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		b.call("query", queryRequest{Serial: b.nextSerial()}, codeNotFound, nil)
	}
	if wire := b.wire(""); len(wire) != 3 || wire[0].ID != pruneEvery-2 {
		t.Errorf("wire log: %+v", wire)
	}
}

func TestStoreIsolatesFailures(t *testing.T) {
	s, err := openStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, after func() error) func(*tx) error {
		return func(t *tx) error {
			if err := t.putRecord("test", key, key); err != nil {
				return err
			}
			return after()
		}
	}
	errs := make([]error, 30)
	parallel(len(errs), func(i int) {
		errs[i] = s.do(put(fmt.Sprint(i), func() error {
			switch i % 3 {
			case 1:
				return os.ErrInvalid
			case 2:
				panic("poison")
			}
			return nil
		}))
	})
	for i, err := range errs {
		if (err == nil) != (i%3 == 0) {
			t.Errorf("job %d: %v", i, err)
		}
	}
	var n int
	err = s.do(func(t *tx) error {
		_, err := t.row(`SELECT count(*) FROM registry`, nil, &n)
		return err
	})
	if err != nil || n != 10 {
		t.Errorf("%d rows kept, want 10; %v", n, err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if err := s.do(func(*tx) error { return nil }); err != errClosed {
		t.Errorf("after closing: %v", err)
	}
}
