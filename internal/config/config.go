// Package config reads the one YAML file that configures a host into typed values. Faults are named with line, column
// and pointer; secrets are references (env:NAME, file:PATH), never values.
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Config is a host's whole configuration.
type Config struct {
	// Data is the folder of the database and what the host writes beside it.
	Data string `yaml:"data"`
	// Language of texts for merchants and buyers: zh (default) or en.
	Language   string     `yaml:"language"`
	Log        Log        `yaml:"log"`
	Public     Public     `yaml:"public"`
	Buyer      Buyer      `yaml:"buyer"`
	Admin      Admin      `yaml:"admin"`
	Keys       Keys       `yaml:"keys"`
	Bureau     Bureau     `yaml:"bureau"`
	Channels   []Channel  `yaml:"channels"`
	Sellers    []Seller   `yaml:"sellers"`
	Stores     []Store    `yaml:"stores"`
	Plugins    Plugins    `yaml:"plugins"`
	Sources    []Source   `yaml:"sources"`
	Deliveries []Delivery `yaml:"deliveries"`
	Reconcile  Reconcile  `yaml:"reconcile"`

	// dir is where the file lies; relative paths start there.
	dir string
}

// Log configures the log on stderr.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is text or json.
	Format string `yaml:"format"`
}

// Public is the listener for stores, tills and channel callbacks.
type Public struct {
	Listen string `yaml:"listen"`
	URL    string `yaml:"url"`
	// TrustedProxies are addresses or networks whose forwarding headers are believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	TLS            TLS      `yaml:"tls"`
	// TerminalRate bounds the receipts of one till, per minute.
	TerminalRate int `yaml:"terminal_rate"`
}

// TLS names a certificate and its key.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Buyer is the listener of the buyer's page.
type Buyer struct {
	Listen string `yaml:"listen"`
	URL    string `yaml:"url"`
}

// Admin is the listener for operators, loopback only. The command line uses the socket in the data folder.
type Admin struct {
	Listen string `yaml:"listen"`
}

// Keys names the key-encryption key, outside the data folder.
type Keys struct {
	KEK string `yaml:"kek_file"`
}

// Bureau scales every schedule of the channels; another value than 1 needs every channel to be the sandbox.
type Bureau struct {
	TimeScale string `yaml:"time_scale"`
}

// Channel is a connection to a bureau.
type Channel struct {
	ID        string `yaml:"id"`
	Kind      string `yaml:"kind"`
	URL       string `yaml:"url"`
	AppID     string `yaml:"app_id"`
	Key       Secret `yaml:"key"`
	Secret    Secret `yaml:"secret"`
	Mode      string `yaml:"mode"`
	Encoding  string `yaml:"encoding"`
	Signature string `yaml:"signature"`
	// Codes replaces the table of return codes.
	Codes string `yaml:"codes_file"`
	// Sandbox says that no real invoice comes of it.
	Sandbox bool `yaml:"sandbox"`
	// Connections bounds the sends in flight per taxpayer.
	Connections int `yaml:"connections"`
	// Rate bounds the requests per second per taxpayer; 0 is no bound.
	Rate int `yaml:"rate"`
	// WithoutFiles switches the fetching of files off.
	WithoutFiles bool `yaml:"without_files"`
}

// Seller is a taxpayer.
type Seller struct {
	ID       string  `yaml:"id"`
	Name     string  `yaml:"name"`
	TaxNo    string  `yaml:"tax_no"`
	Type     string  `yaml:"type"`
	Address  string  `yaml:"address"`
	Phone    string  `yaml:"phone"`
	Bank     string  `yaml:"bank"`
	Account  string  `yaml:"account"`
	Drawer   string  `yaml:"drawer"`
	Payee    string  `yaml:"payee"`
	Reviewer string  `yaml:"reviewer"`
	Channel  string  `yaml:"channel"`
	Policies []Layer `yaml:"policies"`
}

// Store is a shop or branch. Its seller may change with time.
type Store struct {
	Code     string         `yaml:"code"`
	Name     string         `yaml:"name"`
	Seller   string         `yaml:"seller"`
	Sellers  []SellerPeriod `yaml:"sellers"`
	Policies []Layer        `yaml:"policies"`
	// Deliveries are the channels of this store in order; empty means all configured ones in their order.
	Deliveries []string `yaml:"deliveries"`
}

// SellerPeriod says who a store's seller is from a date on.
type SellerPeriod struct {
	From   Date   `yaml:"from"`
	Seller string `yaml:"seller"`
}

// Layer is a policy layer, valid from a date on; what it does not set comes from the layer below.
type Layer struct {
	From           Date              `yaml:"from"`
	Issue          *string           `yaml:"issue"`
	Refunds        *string           `yaml:"refunds"`
	Kinds          []string          `yaml:"kinds"`
	Tenders        map[string]string `yaml:"tenders"`
	AutoRed        *bool             `yaml:"auto_red"`
	RollOut        *int              `yaml:"roll_out"`
	StrictTaxNo    *bool             `yaml:"strict_tax_no"`
	ShowDiscounts  *bool             `yaml:"show_discounts"`
	MaxLines       *int              `yaml:"max_lines"`
	MaxGross       *string           `yaml:"max_gross"`
	GoLive         *Date             `yaml:"go_live"`
	ShippingReason *string           `yaml:"shipping_reason"`
}

// Plugins says where plugin binaries are found and which are trusted.
type Plugins struct {
	Dir  string `yaml:"dir"`
	Lock string `yaml:"lock_file"`
}

// Source is one configured use of a source plugin.
type Source struct {
	ID     string `yaml:"id"`
	Plugin string `yaml:"plugin"`
	Store  string `yaml:"store"`
	// Token is the unguessable part of its webhook address.
	Token Secret `yaml:"token"`
	// Terminals says that tills post to it.
	Terminals bool              `yaml:"terminals"`
	PullEvery Duration          `yaml:"pull_every"`
	Config    map[string]any    `yaml:"config"`
	Secrets   map[string]Secret `yaml:"secrets"`
	Policies  []Layer           `yaml:"policies"`
}

// Delivery is one configured use of a delivery plugin.
type Delivery struct {
	ID     string `yaml:"id"`
	Plugin string `yaml:"plugin"`
	// Kind is email, sms or order.
	Kind string `yaml:"kind"`
	// For names the source whose orders an order delivery writes to.
	For string `yaml:"for"`
	// ResendUnknown overrides what happens when nobody knows whether a parcel was sent: e-mail resends, SMS does not.
	ResendUnknown *bool             `yaml:"resend_unknown"`
	Config        map[string]any    `yaml:"config"`
	Secrets       map[string]Secret `yaml:"secrets"`
}

// Reconcile says when the books are compared, as a cron expression in Beijing time.
type Reconcile struct {
	Cron string `yaml:"cron"`
}

// Defaults of a configuration.
func defaults() Config {
	return Config{
		Data: "data", Language: "zh", Log: Log{"info", "text"},
		Public: Public{Listen: "127.0.0.1:8080", TerminalRate: 6000}, Buyer: Buyer{Listen: "127.0.0.1:8081"},
		Admin: Admin{Listen: "127.0.0.1:8082"}, Bureau: Bureau{TimeScale: "1"},
		Plugins: Plugins{Dir: "bin/plugins"}, Reconcile: Reconcile{Cron: "30 3 * * *"},
	}
}

// Path resolves a path of the file relative to the file.
func (c *Config) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// DataPath is a path below the data folder.
func (c *Config) DataPath(elem ...string) string {
	return filepath.Join(append([]string{c.Path(c.Data)}, elem...)...)
}

// Date is a day in Beijing time.
type Date struct{ time.Time }

// Beijing is the zone of the trade; China has no daylight saving time.
var Beijing = time.FixedZone("UTC+8", 8*3600)

// UnmarshalYAML reads 2026-11-25.
func (d *Date) UnmarshalYAML(b []byte) error {
	s := unquote(b)
	t, err := time.ParseInLocation("2006-01-02", s, Beijing)
	if err != nil {
		return fmt.Errorf("date %q: write it as 2026-11-25", s)
	}
	d.Time = t
	return nil
}

// Duration is a length of time such as 10m.
type Duration struct{ time.Duration }

// UnmarshalYAML reads 10m.
func (d *Duration) UnmarshalYAML(b []byte) error {
	s := unquote(b)
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf("duration %q: write it as 10m or 1h30m", s)
	}
	d.Duration = v
	return nil
}

// Secret is a reference to a secret. It prints as the reference; Value reads it.
type Secret string

// Value reads the secret: env:NAME or file:PATH (relative to the configuration). The error never holds the value.
func (s Secret) Value(c *Config) (string, error) {
	ref := string(s)
	switch {
	case ref == "":
		return "", nil
	case len(ref) > 4 && ref[:4] == "env:":
		v, ok := os.LookupEnv(ref[4:])
		if !ok {
			return "", fmt.Errorf("secret %s: the variable is not set", ref)
		}
		return v, nil
	case len(ref) > 5 && ref[:5] == "file:":
		b, err := os.ReadFile(c.Path(ref[5:]))
		if err != nil {
			return "", fmt.Errorf("secret %s: %w", ref, err)
		}
		return trimNewline(string(b)), nil
	}
	return "", fmt.Errorf("a secret is given in clear; write env:NAME or file:PATH instead")
}

func trimNewline(s string) string {
	for len(s) > 0 && (s[len(s)-1] == '\n' || s[len(s)-1] == '\r') {
		s = s[:len(s)-1]
	}
	return s
}

func unquote(b []byte) string {
	s := strings.TrimSpace(string(b))
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		s = s[1 : len(s)-1]
	}
	return s
}
