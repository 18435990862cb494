package webhooks_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// TestFraming sends what proxies and servers have read differently. Each probe is followed by a smuggled second request
// where its length is in doubt; the answers are all that may come back.
func TestFraming(t *testing.T) {
	const (
		line    = "POST /hooks/" + token + " HTTP/1.1\r\n"
		host    = "Host: edge.test\r\n"
		smuggle = "GET /smuggled HTTP/1.1\r\nHost: edge.test\r\n\r\n"
		body    = `{"say":"ignored"}`
		chunked = "11\r\n" + body + "\r\n0\r\n\r\n"
	)
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	tests := []struct {
		name, bytes string
		answers     string // statuses; "close" says that the last one ends the connection
	}{
		{"plain", line + host + length + "\r\n" + body, "200"},
		{"chunked", line + host + "Transfer-Encoding: chunked\r\n\r\n" + chunked, "200"},
		{"two in a row", line + host + length + "\r\n" + body + smuggle, "200 404"},
		{"length and chunked", line + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + smuggle, "400 close"},
		{"chunked and length", line + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + chunked + smuggle, "400 close"},
		{"length and CHUNKED", line + host + "content-length: 3\r\nTRANSFER-ENCODING: Chunked\r\n\r\n" + chunked + smuggle, "400 close"},
		{"length and no chunk", line + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggle, "400 close"},
		{"length and identity", line + host + length + "Transfer-Encoding: identity\r\n\r\n" + body + smuggle, "400 close"},
		{"unknown transfer encoding", line + host + "Transfer-Encoding: xchunked\r\n" + length + "\r\n" + body + smuggle, "400 close"},
		{"gzip, chunked", line + host + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked + smuggle, "400 close"},
		{"two transfer encodings", line + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked + smuggle, "400 close"},
		{"two lengths", line + host + "Content-Length: 3\r\nContent-Length: 5\r\n\r\n" + body + smuggle, "400 close"},
		{"two equal lengths", line + host + length + length + "\r\n" + body + smuggle, "400 close"},
		{"line feed in a chunk extension", line + host + "Transfer-Encoding: chunked\r\n\r\n11;a\nb\r\n" + body + "\r\n0\r\n\r\n" + smuggle, "400 close"},
		{"blank before a chunk extension", line + host + "Transfer-Encoding: chunked\r\n\r\n11 ;a\r\n" + body + "\r\n0\r\n\r\n" + smuggle, "400 close"},
		{"chunk size below zero", line + host + "Transfer-Encoding: chunked\r\n\r\n-1\r\n" + body + "\r\n0\r\n\r\n" + smuggle, "400 close"},
		{"chunk size too long", line + host + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + body, "400 close"},
		{"chunked in HTTP/1.0", "POST /hooks/" + token + " HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + chunked + smuggle, "400 close"},
		{"no host", line + length + "\r\n" + body + smuggle, "400 close"},
		{"two hosts", line + host + "Host: other.test\r\n" + length + "\r\n" + body + smuggle, "400 close"},
		{"blanks in the request line", "POST  /hooks/" + token + "  HTTP/1.1\r\n" + host + length + "\r\n" + body + smuggle, "400 close"},
		{"NUL in a value", line + host + "X-A: a\x00b\r\n" + length + "\r\n" + body + smuggle, "400 close"},
		{"blank before the colon", line + host + "Transfer-Encoding : chunked\r\n\r\n" + chunked + smuggle, "400 close"},
		{"signed length", line + host + "Content-Length: +17\r\n\r\n" + body + smuggle, "400 close"},
		{"negative length", line + host + "Content-Length: -3\r\n\r\n" + body + smuggle, "400 close"},
		{"overflowing length", line + host + "Content-Length: 99999999999999999999\r\n\r\n" + body, "400 close"},
		{"hexadecimal length", line + host + "Content-Length: 0x11\r\n\r\n" + body + smuggle, "400 close"},
		{"list of lengths", line + host + "Content-Length: 17, 17\r\n\r\n" + body + smuggle, "400 close"},
		{"bare line feeds", strings.ReplaceAll(line+host+length+"\r\n", "\r\n", "\n") + body, "400 close"},
		{"folded header", line + host + "Transfer-Encoding:\r\n chunked\r\n\r\n" + chunked + smuggle, "400 close"},
		{"header folded by a tab", line + host + "X-A: b\r\n\tc\r\n" + length + "\r\n" + body + smuggle, "400 close"},
		{"minor version to come", "POST /hooks/" + token + " HTTP/1.9\r\n" + host + length + "\r\n" + body, "200 close"},
		{"no version", "GET /\r\n\r\n", "400 close"},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "405 close"},
		{"nothing", "", ""},
		{"half a request", line + host, "400 close"},
		{"half a body", line + host + "Content-Length: 99\r\n\r\n" + body, "400 close"},
	}
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := statuses(raw(t, w.addr, test.bytes)); got != test.answers {
				t.Errorf("answers %q, want %q", got, test.answers)
			}
		})
	}
}

func statuses(replies []reply) string {
	var out []string
	for _, r := range replies {
		out = append(out, fmt.Sprint(r.status))
	}
	if n := len(replies); n > 0 && replies[n-1].closed {
		out = append(out, "close")
	}
	return strings.Join(out, " ")
}

func TestTooMuchAndTheWrongMethod(t *testing.T) {
	w := newWorld(t)
	large := strings.Repeat("x", 1<<20)
	tests := []struct {
		name, bytes string
		status      int
		code        string
		close       bool
	}{
		{"1 MiB to a webhook", post("/hooks/"+token, large), 400, "bad_json", false},
		{"1 byte more", post("/hooks/"+token, large+"x"), 413, "body_too_large", true},
		{"5 MB", post("/hooks/"+token, strings.Repeat(large, 5)), 413, "body_too_large", true},
		{"5 MB in chunks", "POST /hooks/" + token + " HTTP/1.1\r\nHost: edge.test\r\nTransfer-Encoding: chunked\r\n\r\n500000\r\n" + strings.Repeat(large, 5) + "\r\n0\r\n\r\n", 413, "body_too_large", true},
		{"5 MB to tills", post("/pos/v1/receipts", strings.Repeat(large, 5), "Content-Type: application/json"), 401, "bad_signature", false},
		{"9 MB to tills", post("/pos/v1/receipts", strings.Repeat(large, 9), "Content-Type: application/json"), 413, "body_too_large", true},
		{"5 KB to enrolment", post("/pos/v1/enrol", large[:5000]), 413, "body_too_large", true},
		{"headers of 8 KB", post("/hooks/"+token, `{"say":"ignored"}`, "X-Long: "+large[:8<<10]), 200, "", false},
		{"headers of 20 KB", post("/hooks/"+token, `{"say":"ignored"}`, "X-Long: "+large[:20<<10]), 431, "headers_too_large", true},
		{"unknown method", strings.Replace(post("/hooks/"+token, ""), "POST", "BREW", 1), 405, "method_not_allowed", true},
		{"DELETE", strings.Replace(post("/hooks/"+token, ""), "POST", "DELETE", 1), 405, "method_not_allowed", true},
		{"GET of a webhook", "GET /hooks/" + token + " HTTP/1.1\r\nHost: edge.test\r\n\r\n", 405, "method_not_allowed", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := one(t, w.addr, test.bytes)
			if r.status != test.status || r.code() != test.code || r.closed != test.close {
				t.Errorf("%d %s, closed %v", r.status, r.body, r.closed)
			}
			if r.status == 405 && !strings.Contains(r.header.Get("Allow"), "POST") {
				t.Errorf("Allow %q", r.header.Get("Allow"))
			}
			checkProblem(t, r)
		})
	}
}

func TestPackedBodiesAreRefused(t *testing.T) {
	w := newWorld(t)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 200 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{bomb.String(), "\x1f\x8b broken", `{"say":"ignored"}`} {
		for _, encoding := range []string{"gzip", "br", "identity, gzip", "x-anything"} {
			for _, path := range []string{"/hooks/" + token, "/pos/v1/receipts"} {
				r := one(t, w.addr, post(path, body, "Content-Type: application/json", "Content-Encoding: "+encoding))
				if r.status != 415 || r.code() != "encoding_unsupported" {
					t.Errorf("%s to %s: %d %s", encoding, path, r.status, r.body)
				}
			}
		}
	}
	if r := one(t, w.addr, post("/hooks/"+token, `{"say":"ignored"}`, "Content-Encoding: identity")); r.status != 200 {
		t.Errorf("identity: %d %s", r.status, r.body)
	}
	if n := len(w.source.requests()); n != 1 {
		t.Errorf("the source saw %d requests", n)
	}
}

// TestASlowSenderIsCutOff: one who sends a header byte by byte gets 10 s in all, however busy it looks.
func TestASlowSenderIsCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: takes 10 s, the time a sender is given")
	}
	t.Parallel()
	w := newWorld(t)
	conn := dial(t, w.addr)
	defer conn.Close()
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		_, _ = io.WriteString(conn, "POST /hooks/"+token+" HTTP/1.1\r\nX-Slow: ")
		for {
			select {
			case <-tick.C:
				_, _ = io.WriteString(conn, "x")
			case <-stop:
				return
			}
		}
	}()
	begun := time.Now()
	r, err := readReply(bufio.NewReader(conn))
	close(stop)
	<-stopped
	if err != nil || r.status != 408 || r.code() != "request_timeout" || !r.closed || time.Since(begun) < 9*time.Second {
		t.Errorf("%d %s after %s, %v", r.status, r.body, time.Since(begun), err)
	}
}
