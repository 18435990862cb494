package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// wooDouble answers wc/v3 as WooCommerce does, as far as the plugin uses it. It is strict: basic authentication on every
// call, known paths and methods only.
type wooDouble struct {
	t      *testing.T
	server *httptest.Server

	mu      sync.Mutex
	orders  map[string]map[string]any
	refunds map[string][]any
	notes   map[string][]map[string]any
	calls   []string
	// script holds answers to give before anything else, in order: "PUT 500" fails the next PUT.
	script []string
}

func newWooDouble(t *testing.T) *wooDouble {
	d := &wooDouble{t: t, orders: map[string]map[string]any{}, refunds: map[string][]any{}, notes: map[string][]map[string]any{}}
	d.server = httptest.NewServer(d)
	t.Cleanup(d.server.Close)
	return d
}

func (d *wooDouble) shop() *pb.Instance { return wooWithAPI(d.server.URL) }

// put stores an order from JSON.
func (d *wooDouble) put(order string) {
	var o map[string]any
	dec := json.NewDecoder(strings.NewReader(order))
	dec.UseNumber()
	if err := dec.Decode(&o); err != nil {
		d.t.Fatal(err)
	}
	d.orders[o["id"].(json.Number).String()] = o
}

func (d *wooDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.Path, "/wp-json/wc/v3/")
	key, secret, auth := r.BasicAuth()
	d.calls = append(d.calls, r.Method+" "+path)
	switch {
	case !ok:
		http.Error(w, "no such route", http.StatusNotFound)
		return
	case !auth || key != "ck_constructed" || secret != "cs_constructed":
		http.Error(w, `{"code":"woocommerce_rest_cannot_view"}`, http.StatusUnauthorized)
		return
	}
	if len(d.script) > 0 {
		method, answer, _ := strings.Cut(d.script[0], " ")
		if method == r.Method {
			d.script = d.script[1:]
			d.scripted(w, r, answer, path)
			return
		}
	}
	d.route(w, r, strings.Split(path, "/"))
}

// scripted fails a call; "after-500" carries it out first, as when the answer is lost.
func (d *wooDouble) scripted(w http.ResponseWriter, r *http.Request, answer, path string) {
	if rest, ok := strings.CutPrefix(answer, "after-"); ok {
		d.route(httptest.NewRecorder(), r, strings.Split(path, "/"))
		answer = rest
	}
	status, err := strconv.Atoi(answer)
	if err != nil {
		d.t.Errorf("script %q", answer)
	}
	switch status {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "7")
	case http.StatusFound:
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
}

func (d *wooDouble) route(w http.ResponseWriter, r *http.Request, path []string) {
	if len(path) == 2 && path[0] == "webhooks" && path[1] == "3" {
		d.answer(w, map[string]any{"id": 3, "status": "disabled"})
		return
	}
	if path[0] != "orders" || len(path) > 3 {
		http.Error(w, "no such route", http.StatusNotFound)
		return
	}
	if len(path) == 1 {
		d.list(w, r)
		return
	}
	o, ok := d.orders[path[1]]
	if !ok {
		http.Error(w, `{"code":"woocommerce_rest_shop_order_invalid_id"}`, http.StatusNotFound)
		return
	}
	switch strings.Join(append([]string{r.Method}, path[2:]...), " ") {
	case "GET":
		d.answer(w, o)
	case "PUT":
		d.merge(o, r)
		d.answer(w, o)
	case "GET refunds":
		d.answer(w, d.page(r, d.refunds[path[1]]))
	case "GET notes":
		d.answer(w, d.notes[path[1]])
	case "POST notes":
		note := d.body(r)
		d.notes[path[1]] = append(d.notes[path[1]], note)
		d.answer(w, note)
	default:
		http.Error(w, "no such route", http.StatusMethodNotAllowed)
	}
}

func (d *wooDouble) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var found []any
	for _, o := range d.orders {
		modified, _ := o["date_modified_gmt"].(string)
		number, _ := o["number"].(string)
		if s := q.Get("search"); s != "" && !strings.Contains(number, s) {
			continue
		}
		if after := q.Get("modified_after"); after != "" && (q.Get("dates_are_gmt") != "true" || modified <= after) {
			continue
		}
		found = append(found, o)
	}
	slices.SortFunc(found, func(a, b any) int {
		x, y := a.(map[string]any), b.(map[string]any)
		if c := strings.Compare(x["date_modified_gmt"].(string), y["date_modified_gmt"].(string)); c != 0 {
			return c
		}
		return strings.Compare(x["number"].(string), y["number"].(string))
	})
	d.answer(w, d.page(r, found))
}

func (d *wooDouble) page(r *http.Request, all []any) []any {
	size, page := 10, 1
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil {
		size = n
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil {
		page = n
	}
	from := min(len(all), (page-1)*size)
	return all[from:min(len(all), from+size)]
}

// merge sets meta data as WooCommerce does: the value of a key that exists is replaced.
func (d *wooDouble) merge(o map[string]any, r *http.Request) {
	meta, _ := o["meta_data"].([]any)
	for _, entry := range d.body(r)["meta_data"].([]any) {
		e := entry.(map[string]any)
		i := slices.IndexFunc(meta, func(m any) bool { return m.(map[string]any)["key"] == e["key"] })
		if i >= 0 {
			meta[i] = e
			continue
		}
		meta = append(meta, e)
	}
	o["meta_data"] = meta
	o["date_modified_gmt"] = arrival.Add(time.Duration(len(d.calls)) * time.Second).Format("2006-01-02T15:04:05")
}

func (d *wooDouble) body(r *http.Request) map[string]any {
	var v map[string]any
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		d.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return v
}

func (d *wooDouble) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if v == nil {
		v = []any{}
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		d.t.Error(err)
	}
}
