//go:build linux

package bench

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// hold is how long the bureau's double takes for an invoice.
const hold = 300 * time.Millisecond

// Files in a house's folder that the bureau's double reads too.
const (
	keyFile    = "channel.key"
	secretFile = "channel.secret"
)

// Bureau is the program of the bureau's double: it speaks the gm channel (docs/gm-channel.md), issues whatever it is sent
// exactly 300 ms after it was asked, give or take the jitter, and remembers nothing but how many. It checks no signature, for
// the less it does the more of the machine is left for what is measured.
func Bureau(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bureau", flag.ContinueOnError)
	dir := flags.String("dir", ".", "folder with the channel's key and secret")
	listen := flags.String("listen", "127.0.0.1:0", "address")
	jitter := flags.Float64("jitter", 0, "share by which the time varies both ways")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b := &bureau{jitter: *jitter, first: time.Now().UnixMicro() * 1000}
	key, err := os.ReadFile(filepath.Join(*dir, keyFile))
	if err != nil {
		return err
	}
	if key, err = hex.DecodeString(string(key)); err != nil {
		return errors.New("the channel's key is not hex")
	}
	if b.key, err = gmcrypto.KeyFromBytes(key); err != nil {
		return err
	}
	if b.secret, err = os.ReadFile(filepath.Join(*dir, secretFile)); err != nil {
		return err
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: b, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return server.Shutdown(down)
}

type bureau struct {
	key    gmcrypto.Key
	secret []byte
	jitter float64
	// first makes the numbers of one double differ from those of the one before.
	first           int64
	numbers, issued atomic.Int64
}

// ServeHTTP answers one operation, or how many invoices were issued.
func (b *bureau) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == issuedPath {
		_, _ = fmt.Fprint(w, b.issued.Load())
		return
	}
	start := time.Now()
	var asked struct {
		Serial string `json:"serial"`
	}
	if err := b.open(r.Body, &asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := map[string]any{"code": "4004", "message": "not found"}
	issue := path.Base(r.URL.Path) == "issue"
	if issue {
		answer = map[string]any{"code": "0000", "message": "", "result": map[string]string{"serial": asked.Serial, "state": "issued",
			"number": fmt.Sprintf("%020d", b.first+b.numbers.Add(1)), "issued_at": start.Format(time.RFC3339)}}
	}
	body, err := b.seal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	timestamp, nonce := strconv.FormatInt(time.Now().UnixMilli(), 10), r.Header.Get("X-Nonce")
	digest := gmcrypto.SM3(body)
	mac := gmcrypto.HMACSM3(b.secret, []byte(strings.Join([]string{r.URL.EscapedPath(), timestamp, nonce, hex.EncodeToString(digest[:])}, "\n")))
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Timestamp", timestamp)
	h.Set("X-Nonce", nonce)
	h.Set("X-Signature", base64.StdEncoding.EncodeToString(mac[:]))
	if issue {
		due := start.Add(time.Duration(float64(hold) * (1 + b.jitter*(2*rand.Float64()-1))))
		if pause(r.Context(), time.Until(due)) != nil {
			return
		}
		b.issued.Add(1)
	}
	_, _ = w.Write(body)
}

type envelope struct {
	Data string `json:"data"`
}

func (b *bureau) open(body io.Reader, into any) error {
	var e envelope
	if err := json.NewDecoder(io.LimitReader(body, 1<<20)).Decode(&e); err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	sealed, err := base64.StdEncoding.DecodeString(e.Data)
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	plain, err := gmcrypto.DecryptCBC(b.key, sealed)
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	return json.Unmarshal(plain, into)
}

func (b *bureau) seal(answer any) ([]byte, error) {
	plain, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	sealed, err := gmcrypto.EncryptCBC(b.key, plain)
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope{base64.StdEncoding.EncodeToString(sealed)})
}

// issuedPath answers how many invoices were issued.
const issuedPath = "/issued"

// double is a running double.
type double struct {
	*process
	url string
}

func (r *run) startBureau(ctx context.Context, dir string, jitter float64) (*double, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	command := append(append([]string{}, r.BureauCommand...), "-dir", dir, "-listen", address, "-jitter", fmt.Sprint(jitter))
	p, err := launch(dir, "bureau", command...)
	if err != nil {
		return nil, err
	}
	d := &double{p, "http://" + address}
	if err := p.answers(ctx, d.url+issuedPath); err != nil {
		return nil, errors.Join(err, p.stop(time.Second))
	}
	return d, nil
}

func (d *double) issued(ctx context.Context) (int, error) {
	text, err := get(ctx, d.url+issuedPath)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}
