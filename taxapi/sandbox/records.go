package sandbox

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

const (
	sellerGeneral = "general" // 一般纳税人
	sellerSmall   = "small"   // 小规模纳税人

	defaultWindow = 300 * time.Second
)

var (
	appShape   = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	taxNoShape = regexp.MustCompile(`^[0-9A-Z]{15}([0-9A-Z]{2}|[0-9A-Z]{3}|[0-9A-Z]{5})?$`) // 15, 17, 18 or 20
	codeShape  = regexp.MustCompile(`^\d{19}$`)
)

// record is anything that is registered over the control API and found again by its key.
type record interface {
	key() string
	check() error
}

// app is a host's registration at the bureau.
type app struct {
	ID         string   `json:"app_id"`
	Key        string   `json:"key"`
	Secret     string   `json:"secret"`
	Cipher     string   `json:"cipher"`
	Encoding   string   `json:"encoding"`
	Signature  string   `json:"signature"`
	Window     duration `json:"window"`
	Operations []string `json:"operations"` // rights; empty means all
	Disabled   bool     `json:"disabled"`

	envelope *envelope
}

func (a *app) key() string { return a.ID }

// check fills the defaults and makes the envelope.
func (a *app) check() (err error) {
	if !appShape.MatchString(a.ID) {
		return errors.New("app_id must be 1 to 64 of [0-9A-Za-z_-]")
	}
	for _, d := range []struct {
		field *string
		value string
	}{{&a.Cipher, cipherCBC}, {&a.Encoding, encodingBase64}, {&a.Signature, signatureHMAC}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if a.Window == 0 {
		a.Window = duration(defaultWindow)
	}
	if a.Window < 0 {
		return errors.New("window can't be negative")
	}
	a.envelope, err = newEnvelope(a.Key, a.Secret, a.Cipher, a.Encoding, a.Signature)
	return err
}

func (a *app) may(op string) bool {
	return !a.Disabled && (len(a.Operations) == 0 || slices.Contains(a.Operations, op))
}

// seller is a taxpayer who may issue through the bureau.
type seller struct {
	TaxNo       string   `json:"tax_no"`
	Name        string   `json:"name"`         // empty: any name is taken
	Type        string   `json:"type"`         // general or small
	Quota       yuan     `json:"quota"`        // monthly, net
	Rates       []rate   `json:"rates"`        // replaces the rate table if not empty
	Apps        []string `json:"apps"`         // applications that may act for it; empty means all
	LoginNeeded bool     `json:"login_needed"` // a person must log in first
}

func (s *seller) key() string { return s.TaxNo }

func (s *seller) check() error {
	if !taxNoShape.MatchString(s.TaxNo) {
		return errors.New("tax_no must be 15, 17, 18 or 20 of [0-9A-Z]")
	}
	if s.Type == "" {
		s.Type = sellerGeneral
	}
	if s.Type != sellerGeneral && s.Type != sellerSmall {
		return fmt.Errorf("type %q is neither general nor small", s.Type)
	}
	if s.Quota.IsNegative() {
		return errors.New("quota can't be negative")
	}
	if s.Quota.IsZero() {
		s.Quota, _ = parseYuan("10000000.00")
	}
	return nil
}

// buyer says how a buyer behaves. A buyer nobody registered books nothing.
type buyer struct {
	TaxNo string `json:"tax_no"`
	Name  string `json:"name"`  // if set, an invoice under another name is refused
	Books bool   `json:"books"` // books or claims its invoices: a red needs its consent
}

func (b *buyer) key() string { return b.TaxNo }

func (b *buyer) check() error {
	if !taxNoShape.MatchString(b.TaxNo) {
		return errors.New("tax_no must be 15, 17, 18 or 20 of [0-9A-Z]")
	}
	return nil
}

// classification is a registered code; an invoice that uses it must print this short name.
type classification struct {
	Code      string `json:"code"`
	ShortName string `json:"short_name"`
}

func (c *classification) key() string { return c.Code }

func (c *classification) check() error {
	if !codeShape.MatchString(c.Code) || c.ShortName == "" {
		return errors.New("code must be 19 digits and short_name not empty")
	}
	return nil
}
