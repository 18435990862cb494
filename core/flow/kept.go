package flow

import (
	"bytes"
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// keptDocuments and keptTime bound what is kept in memory of documents that are at work.
const (
	keptDocuments = 2048
	keptTime      = time.Minute
)

// kept keeps the opened content of documents for a moment: within seconds a document is opened for its send, its files,
// the look at its sale and its delivery, and decrypting and decoding it is much of what these cost. An entry answers only
// for exactly the sealed bytes that it was opened from, so it never stands for a row that was written since.
type kept struct {
	mu   sync.Mutex
	byID map[core.ID]keptDocument
	// turn names the documents in the order of their coming, for the oldest to leave; next is the oldest.
	turn [keptDocuments]core.ID
	next int
}

type keptDocument struct {
	sealed core.Sealed
	body   documentBody
	at     time.Time
}

func (k *kept) get(d core.DocumentRecord, now time.Time) (documentBody, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.byID[d.ID]
	if !ok || now.Sub(e.at) > keptTime || !bytes.Equal(e.sealed, d.Body) {
		return documentBody{}, false
	}
	return e.body, true
}

func (k *kept) put(d core.DocumentRecord, body documentBody, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID = map[core.ID]keptDocument{}
	}
	if _, ok := k.byID[d.ID]; !ok {
		delete(k.byID, k.turn[k.next])
		k.turn[k.next] = d.ID
		k.next = (k.next + 1) % keptDocuments
	}
	k.byID[d.ID] = keptDocument{d.Body, body, now}
}
