package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Fault is one thing that is wrong in a configuration, placed by a JSON pointer.
type Fault struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

func (f Fault) String() string { return f.Pointer + ": " + f.Detail }

// Load reads a file. The error names line and column of a syntax or type fault; faults of content are all listed.
func Load(path string) (*Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w; write one with kaipiao init", err)
	}
	return Parse(b, path)
}

// Parse reads a file's content.
func Parse(b []byte, path string) (*Config, error) {
	c := defaults()
	if err := yaml.UnmarshalWithOptions(b, &c, yaml.Strict()); err != nil {
		// Without the lines around it: they may hold what should be a reference.
		return nil, fmt.Errorf("configuration %s: %s", filepath.Base(path), yaml.FormatError(err, false, false))
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	c.dir = filepath.Dir(abs)
	if c.Plugins.Lock == "" {
		c.Plugins.Lock = filepath.Join(c.Data, "plugins.lock")
	}
	if faults := c.Check(); len(faults) > 0 {
		errs := make([]error, len(faults))
		for i, f := range faults {
			errs[i] = errors.New(f.String())
		}
		return nil, fmt.Errorf("configuration %s:\n%w", filepath.Base(path), errors.Join(errs...))
	}
	return &c, nil
}

var name = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Check finds what is wrong in a configuration without touching anything outside it.
func (c *Config) Check() []Fault {
	k := checker{c: c, channels: map[string]bool{}, sellers: map[string]bool{}, stores: map[string]bool{}, ids: map[string]bool{}}
	k.oneOf("/language", c.Language, "zh", "en")
	k.oneOf("/log/level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("/log/format", c.Log.Format, "text", "json")
	for _, l := range [][2]string{{"/public/listen", c.Public.Listen}, {"/buyer/listen", c.Buyer.Listen}, {"/admin/listen", c.Admin.Listen}} {
		if _, _, err := net.SplitHostPort(l[1]); err != nil {
			k.fault(l[0], "%q is not host:port", l[1])
		}
	}
	for _, u := range [][2]string{{"/public/url", c.Public.URL}, {"/buyer/url", c.Buyer.URL}} {
		if p, err := url.Parse(u[1]); u[1] != "" && (err != nil || p.Host == "" || (p.Scheme != "https" && p.Scheme != "http")) {
			k.fault(u[0], "%q is no address; write it as https://fapiao.example.com/", u[1])
		}
	}
	if (c.Public.TLS.Cert == "") != (c.Public.TLS.Key == "") {
		k.fault("/public/tls", "cert and key are needed together")
	}
	if host, _, err := net.SplitHostPort(c.Admin.Listen); err == nil && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		k.fault("/admin/listen", "the admin listener must be on a loopback address, not %q", host)
	}
	if c.Keys.KEK == "" {
		k.fault("/keys/kek_file", "name a file outside the data folder; kaipiao init makes one")
	} else if rel, err := filepath.Rel(c.Path(c.Data), c.Path(c.Keys.KEK)); err == nil && filepath.IsLocal(rel) {
		k.fault("/keys/kek_file", "the key must not lie in the data folder, or a copy of the folder can be read")
	}
	k.channelsOf()
	k.sellersOf()
	k.storesOf()
	k.sourcesOf()
	k.deliveriesOf()
	if c.Bureau.TimeScale != "1" {
		for i, ch := range c.Channels {
			if !ch.Sandbox {
				k.fault(fmt.Sprintf("/channels/%d/sandbox", i), "bureau.time_scale other than 1 needs every channel to be the sandbox")
			}
		}
	}
	return k.faults
}

type checker struct {
	c                              *Config
	faults                         []Fault
	channels, sellers, stores, ids map[string]bool
}

func (k *checker) fault(pointer, format string, args ...any) {
	k.faults = append(k.faults, Fault{pointer, fmt.Sprintf(format, args...)})
}

func (k *checker) oneOf(pointer, v string, allowed ...string) {
	for _, a := range allowed {
		if v == a {
			return
		}
	}
	k.fault(pointer, "%q is none of %s", v, strings.Join(allowed, ", "))
}

func (k *checker) id(pointer, v string, seen map[string]bool) {
	if !name.MatchString(v) {
		k.fault(pointer, "%q: use 1 to 40 of a-z, 0-9 and -", v)
	}
	if seen[v] {
		k.fault(pointer, "%q occurs twice", v)
	}
	seen[v] = true
}

func (k *checker) secret(pointer string, s Secret, needed bool) {
	switch {
	case s == "" && needed:
		k.fault(pointer, "is needed; write env:NAME or file:PATH")
	case s != "" && !strings.HasPrefix(string(s), "env:") && !strings.HasPrefix(string(s), "file:"):
		k.fault(pointer, "a secret is given in clear; write env:NAME or file:PATH instead")
	}
}

func (k *checker) secrets(at string, secrets map[string]Secret) {
	for _, n := range slices.Sorted(maps.Keys(secrets)) {
		k.secret(at+"/secrets/"+n, secrets[n], true)
	}
}

func (k *checker) channelsOf() {
	for i, ch := range k.c.Channels {
		at := fmt.Sprintf("/channels/%d", i)
		k.id(at+"/id", ch.ID, k.channels)
		k.oneOf(at+"/kind", ch.Kind, "gm")
		if u, err := url.Parse(ch.URL); err != nil || u.Host == "" || (u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname()))) {
			k.fault(at+"/url", "%q: https is needed (http on a loopback address only)", ch.URL)
		}
		if ch.AppID == "" {
			k.fault(at+"/app_id", "is needed")
		}
		k.secret(at+"/key", ch.Key, true)
		k.secret(at+"/secret", ch.Secret, true)
		if ch.Connections < 0 || ch.Connections > 4096 || ch.Rate < 0 {
			k.fault(at, "connections must be 0 to 4096 and rate not negative")
		}
	}
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

func (k *checker) sellersOf() {
	for i, s := range k.c.Sellers {
		at := fmt.Sprintf("/sellers/%d", i)
		k.id(at+"/id", s.ID, k.sellers)
		if s.Name == "" || s.TaxNo == "" {
			k.fault(at, "name and tax_no are needed")
		}
		k.oneOf(at+"/type", s.Type, "general", "small")
		if !k.channels[s.Channel] {
			k.fault(at+"/channel", "no channel is called %q", s.Channel)
		}
		k.layers(at, s.Policies)
	}
}

func (k *checker) storesOf() {
	deliveries := map[string]bool{}
	for _, d := range k.c.Deliveries {
		deliveries[d.ID] = true
	}
	for i, s := range k.c.Stores {
		at := fmt.Sprintf("/stores/%d", i)
		if s.Code == "" || len(s.Code) > 40 || k.stores[s.Code] {
			k.fault(at+"/code", "%q is empty, too long or occurs twice", s.Code)
		}
		k.stores[s.Code] = true
		if s.Seller == "" && len(s.Sellers) == 0 {
			k.fault(at+"/seller", "is needed")
		}
		if s.Seller != "" && !k.sellers[s.Seller] {
			k.fault(at+"/seller", "no seller is called %q", s.Seller)
		}
		for j, p := range s.Sellers {
			if !k.sellers[p.Seller] {
				k.fault(fmt.Sprintf("%s/sellers/%d/seller", at, j), "no seller is called %q", p.Seller)
			}
		}
		for j, d := range s.Deliveries {
			if !deliveries[d] {
				k.fault(fmt.Sprintf("%s/deliveries/%d", at, j), "no delivery is called %q", d)
			}
		}
		k.layers(at, s.Policies)
	}
}

func (k *checker) sourcesOf() {
	for i, s := range k.c.Sources {
		at := fmt.Sprintf("/sources/%d", i)
		k.id(at+"/id", s.ID, k.ids)
		if !name.MatchString(s.Plugin) {
			k.fault(at+"/plugin", "%q is no plugin's name", s.Plugin)
		}
		if !k.stores[s.Store] {
			k.fault(at+"/store", "no store has the code %q", s.Store)
		}
		k.secret(at+"/token", s.Token, !s.Terminals)
		k.secrets(at, s.Secrets)
		k.layers(at, s.Policies)
	}
}

func (k *checker) deliveriesOf() {
	sources := map[string]bool{}
	for _, s := range k.c.Sources {
		sources[s.ID] = true
	}
	for i, d := range k.c.Deliveries {
		at := fmt.Sprintf("/deliveries/%d", i)
		k.id(at+"/id", d.ID, k.ids)
		if !name.MatchString(d.Plugin) {
			k.fault(at+"/plugin", "%q is no plugin's name", d.Plugin)
		}
		k.oneOf(at+"/kind", d.Kind, "email", "sms", "order")
		if d.Kind == "order" && d.For == "" {
			k.fault(at+"/for", "name the source whose orders it writes to")
		} else if d.For != "" && !sources[d.For] {
			k.fault(at+"/for", "no source is called %q", d.For)
		}
		k.secrets(at, d.Secrets)
	}
}

func (k *checker) layers(at string, layers []Layer) {
	for i, l := range layers {
		p := fmt.Sprintf("%s/policies/%d", at, i)
		if l.Issue != nil {
			k.oneOf(p+"/issue", *l.Issue, "on_request", "when_named", "on_paid", "on_completed", "after_sale")
		}
		if l.Refunds != nil {
			k.oneOf(p+"/refunds", *l.Refunds, "partial", "full_red_and_reissue")
		}
		for _, kind := range l.Kinds {
			k.oneOf(p+"/kinds", kind, "general", "special")
		}
		for _, t := range slices.Sorted(maps.Keys(l.Tenders)) {
			k.oneOf(p+"/tenders/"+t, l.Tenders[t], "counts", "excluded", "asks")
		}
		if l.RollOut != nil && (*l.RollOut < 0 || *l.RollOut > 100) {
			k.fault(p+"/roll_out", "is a share in percent, 0 to 100")
		}
		if l.ShippingReason != nil {
			k.oneOf(p+"/shipping_reason", *l.ShippingReason, "allowance", "service_stopped", "goods_returned")
		}
	}
}
