package webhooks_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/kaipiao/kaipiao/core"
)

// barrierOfRounds lets requests pass in groups of n, so that n are under way at a time.
func barrierOfRounds(n int) func(core.RawRequest) {
	var mu sync.Mutex
	all := sync.NewCond(&mu)
	arrived, round := 0, 0
	return func(core.RawRequest) {
		mu.Lock()
		defer mu.Unlock()
		if arrived++; arrived == n {
			arrived, round = 0, round+1
			all.Broadcast()
			return
		}
		for mine := round; mine == round; {
			all.Wait()
		}
	}
}

// sendRounds sends requests of different lengths over one kept connection.
func (w *world) sendRounds(sender, rounds int) error {
	conn := dial(w, w.addr)
	defer conn.Close()
	br := bufio.NewReader(conn)
	for i := range rounds {
		name := fmt.Sprintf("sender-%02d-round-%02d", sender, i)
		b, err := json.Marshal(note{ID: name, Order: name, Code: name[:3+(sender+i)%15]})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(conn, post("/hooks/"+token+"?name="+name, string(b), "X-Name: "+name)); err != nil {
			return err
		}
		if r, err := readReply(br); err != nil || r.status != 200 {
			return fmt.Errorf("%s: %d %s %w", name, r.status, r.body, err)
		}
	}
	return nil
}
