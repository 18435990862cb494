package core

import "time"

// TerminalRecord is a till that may post receipts for its store, and nothing else. Two keys may be valid at a time so
// that a lost answer to a rotation locks nobody out.
type TerminalRecord struct {
	ID       string
	Instance InstanceID
	Seller   SellerID
	Store    StoreCode
	Label    string
	KeyID    string
	Secret   Sealed
	// OldKeyID and OldSecret are valid until OldUntil.
	OldKeyID  string
	OldSecret Sealed
	OldUntil  time.Time
	// Sequence is the highest sequence number seen; gaps and replays show by it.
	Sequence  uint64
	LastSeen  time.Time
	Revoked   bool
	CreatedAt time.Time
}

// ActivationRecord is a one-time code by which a till enrols; only its hash is stored.
type ActivationRecord struct {
	Hash      string
	Instance  InstanceID
	Store     StoreCode
	Label     string
	ExpiresAt time.Time
	UsedAt    time.Time
}

// TerminalView reads tills.
type TerminalView interface {
	Terminal(id string) (TerminalRecord, error)
	Terminals() ([]TerminalRecord, error)
	Activation(hash string) (ActivationRecord, error)
}

// TerminalTx writes tills.
type TerminalTx interface {
	PutTerminal(t TerminalRecord) error
	PutActivation(a ActivationRecord) error
	// UseActivation marks a code as used; ErrConflict if it was used already.
	UseActivation(hash string, at time.Time) error
	// RememberNonce says whether a terminal's nonce is fresh, and forgets those before the given time.
	RememberNonce(terminal, nonce string, at, forgetBefore time.Time) (fresh bool, err error)
}

// SecretView reads secrets that are born at run time, such as renewed tokens.
type SecretView interface {
	Secrets(instance InstanceID) (map[string]Sealed, error)
}

// SecretTx writes them.
type SecretTx interface {
	PutSecret(instance InstanceID, name string, value Sealed, expires time.Time) error
}
