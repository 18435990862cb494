// Package woocommerce connects WooCommerce shops: webhooks of orders, and the REST interface (wc/v3) for orders, refunds
// and the order's page.
package woocommerce

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// Config is one shop. Without the REST interface refunds come without their lines, and nothing can be caught up.
type Config struct {
	Secret string `json:"secret" secret:"true" doc:"the webhook's secret, as set in WooCommerce > Settings > Advanced > Webhooks; must not be empty"`
	API    *API   `json:"api,omitempty" doc:"REST access; read permission for orders, write permission to show invoices on the order page"`

	TaxNoKeys []string `json:"tax_no_keys" default:"[\"_billing_tax_no\",\"billing_tax_no\",\"_billing_vat\",\"billing_vat\"]" doc:"meta keys of the checkout field for the tax number; the first that is filled counts"`
	TitleKeys []string `json:"title_keys" default:"[\"_billing_invoice_title\",\"billing_invoice_title\"]" doc:"meta keys of the checkout field for the title; billing company when none is filled"`
	AskKeys   []string `json:"ask_keys,omitempty" doc:"meta keys of the checkout box by which a buyer asks for an invoice"`

	// WooCommerce marks refunds that no payment gateway carried out. Shops without gateway refunds pay all of them by hand.
	ManualRefunds string `json:"manual_refunds" default:"wait" enum:"wait,count" doc:"refunds booked without the payment gateway: wait for a person, or count as paid out"`

	client *client
}

// API is access to the shop's REST interface.
type API struct {
	URL       string       `json:"url" doc:"the shop's address, https://shop.example.com; plain http only to this machine"`
	Key       string       `json:"key" secret:"true" doc:"consumer key ck_…"`
	Secret    string       `json:"secret" secret:"true" doc:"consumer secret cs_…"`
	Timeout   sdk.Duration `json:"timeout" default:"15s" doc:"for one call"`
	WebhookID int64        `json:"webhook_id,omitempty" doc:"number of the webhook, to find out when WooCommerce has switched it off"`

	Backfill    sdk.Duration `json:"backfill" default:"72h" doc:"how far the first reading and the daily one look back"`
	PollEvery   sdk.Duration `json:"poll_every" default:"10m" doc:"time between two readings of changed orders"`
	PrivateNote bool         `json:"private_note,omitempty" doc:"write the invoice as a private note; else the buyer sees it and WooCommerce mails it"`
}

// Prepare decodes the secret and builds the client.
func (c *Config) Prepare() error {
	if c.Secret = decodeEntities(c.Secret); c.Secret == "" {
		return errors.New("secret is empty: WooCommerce would sign with a value that can be guessed")
	}
	if c.API == nil {
		return nil
	}
	base, err := url.Parse(c.API.URL)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return errors.New("api.url must be like https://shop.example.com")
	}
	if base.Scheme != "https" && (base.Scheme != "http" || !loopback(base.Hostname())) {
		return errors.New("api.url must begin with https: the consumer secret travels with every call")
	}
	if c.API.Key == "" || c.API.Secret == "" {
		return errors.New("api.key and api.secret must not be empty")
	}
	c.client = &client{
		base: base.JoinPath("wp-json", "wc", "v3"), key: c.API.Key, secret: c.API.Secret,
		http: &http.Client{
			Timeout:       time.Duration(c.API.Timeout),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// entities are those that WordPress' wp_specialchars_decode(…, ENT_QUOTES) knows, zero padding included.
var entities = regexp.MustCompile(`&(?:amp|lt|gt|quot|#0*(?:34|38|39|60|62)|#[xX]0*(?:22|26|27));`)

var entityTexts = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`}

// decodeEntities reads a secret as WooCommerce does before it signs: once, from left to right.
func decodeEntities(secret string) string {
	return entities.ReplaceAllStringFunc(secret, func(entity string) string {
		name := entity[1 : len(entity)-1]
		if text, ok := entityTexts[name]; ok {
			return text
		}
		base, digits := 10, name[1:]
		if digits[0] == 'x' || digits[0] == 'X' {
			base, digits = 16, digits[1:]
		}
		code, err := strconv.ParseUint(digits, base, 32)
		if err != nil {
			return entity
		}
		return string(rune(code))
	})
}

var pingBody = regexp.MustCompile(`^webhook_id=\d{1,20}$`)

// isPing knows the form post by which WooCommerce tries a new webhook's address. It has neither topic nor signature, and
// the webhook can't be created unless the answer is exactly 200.
func isPing(r sdk.Request) bool {
	return r.Header("X-WC-Webhook-Topic") == "" && r.Header("X-WC-Webhook-Signature") == "" && pingBody.Match(bytes.TrimSpace(r.Body))
}

// Parse verifies and decodes one delivery. A delivery has no id that the signature covers, so the body itself is its name.
func (c *Config) Parse(r sdk.Request) sdk.Parsed {
	if isPing(r) {
		return sdk.Ignored(sdk.Ping).Reply(http.StatusOK, "")
	}
	signature := r.Header("X-WC-Webhook-Signature")
	if signature == "" {
		return sdk.Forged(sdk.MissingSignature, "X-WC-Webhook-Signature is needed once")
	}
	if !sdk.HMACSHA256(c.Secret, r.Body, signature) {
		return sdk.Forged(sdk.BadSignature, "X-WC-Webhook-Signature does not match the body")
	}
	sum := sha256.Sum256(r.Body)
	// A conflict is a problem for a person. The shop would switch the webhook off after a few answers beyond 302.
	return c.decode(r).Key("sha256:"+hex.EncodeToString(sum[:])).Reply(http.StatusOK, "").ReplyConflict(http.StatusOK, "")
}

func (c *Config) decode(r sdk.Request) sdk.Parsed {
	if topic := r.Header("X-WC-Webhook-Topic"); topic != "" && !strings.HasPrefix(topic, "order.") {
		return sdk.Ignored(sdk.UnknownTopic)
	}
	var o order
	if err := sdk.DecodeJSON(r.Body, &o); err != nil {
		return sdk.MalformedAuthentic(err)
	}
	if o.Code != "" {
		return errorBody(o.Code)
	}
	// The topic is not signed, so what a body is follows from the body: only a deletion has nothing but the id.
	if o.Status == "" && o.ID != "" && o.Lines == nil {
		if c.client == nil {
			return sdk.Ignored(orderDeleted)
		}
		return sdk.Accepted(sdk.Event{ID: "ref/" + string(o.ID) + "/deleted", Body: sdk.OrderRef{OrderNo: string(o.ID)}})
	}
	events, err := c.pushed(o)
	if err != nil {
		return sdk.MalformedAuthentic(err)
	}
	return sdk.Accepted(events...)
}

// Reasons of this platform.
const (
	// orderDeleted: an order was deleted and there is no access to see whether it is in the trash or gone.
	orderDeleted sdk.Reason = "order_deleted"
	// orderGone: the body says that its order no longer exists, and not which it was.
	orderGone sdk.Reason = "order_gone"
	// platformError: the body is an error of the shop, such as a webhook owner who lost the right to read orders.
	platformError sdk.Reason = "platform_error"
	// sumsDiffer: the lines and the total differ by more than rounding explains.
	sumsDiffer sdk.Reason = "sums_differ"
)

var errorCode = regexp.MustCompile(`^[a-z0-9_]{1,80}$`)

// errorBody judges a signed body that the shop built of an error instead of an order.
func errorBody(code string) sdk.Parsed {
	switch {
	case code == "woocommerce_rest_shop_order_invalid_id":
		return sdk.Ignored(orderGone)
	case !errorCode.MatchString(code):
		code = "unreadable"
	}
	return sdk.MalformedAuthentic(&sdk.Fault{Reason: platformError, Path: "code", Detail: fmt.Sprintf("the shop sent error %s in place of an order", code)})
}
