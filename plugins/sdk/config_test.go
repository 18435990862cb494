package sdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

type shopConfig struct {
	account
	Region  string            `json:"region" enum:"cn,hk" default:"cn" doc:"where the shop is"`
	Timeout sdk.Duration      `json:"timeout" default:"10s"`
	Tries   int               `json:"tries" default:"3"`
	Keys    []shopKey         `json:"keys,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Proxy   *proxy            `json:"proxy,omitempty"`

	prepared int
}

type account struct {
	AppKey string `json:"app_key" doc:"from the platform's console"`
	Secret string `json:"app_secret" secret:"true"`
}

type shopKey struct {
	ID     string `json:"id"`
	Secret string `json:"secret" secret:"true"`
}

type proxy struct {
	URL string `json:"url"`
}

var prepared int

func (c *shopConfig) Prepare() error {
	prepared++
	c.prepared = prepared
	if c.AppKey == "unusable" {
		return fmt.Errorf("the application key cannot be used")
	}
	return nil
}

// echo answers with its configuration, as it came to the author's function.
func echo(_ context.Context, c shopConfig, _ sdk.Request) (sdk.Parsed, error) {
	raw, err := json.Marshal(c)
	return sdk.Ignored(sdk.Reason(fmt.Sprintf("%d %s", c.prepared, raw))), err
}

func client(t *testing.T, p *sdk.Plugin) (pb.PluginClient, pb.SourceClient) {
	conn := sdktest.Dial(t, p)
	return pb.NewPluginClient(conn), pb.NewSourceClient(conn)
}

func TestConfig(t *testing.T) {
	plugin, source := client(t, sdk.New("shop", "1", sdk.Webhook(echo)))
	parse := func(in *pb.Instance) string {
		out, err := source.Parse(t.Context(), &pb.ParseRequest{Instance: in, Requests: []*pb.Request{{}}})
		if err != nil {
			return err.Error()
		}
		return out.GetResults()[0].GetReason()
	}
	in := &pb.Instance{
		Id: "a", Revision: "1",
		ConfigJson: []byte(`{"app_key":"k","keys":[{"id":"1"},{"id":"2"}],"labels":{"x":"y"}}`),
		Secrets:    map[string]string{"app_secret": "s", "keys.0.secret": "s0", "keys.1.secret": "s1", "stray": "x"},
	}
	const want = ` {"app_key":"k","app_secret":"s","region":"cn","timeout":10000000000,"tries":3,"keys":[{"id":"1","secret":"s0"},{"id":"2","secret":"s1"}],"labels":{"x":"y"}}`
	first := parse(in)
	if !strings.HasSuffix(first, want) {
		t.Errorf("got  %s\nwant %s", first, want)
	}
	if parse(in) != first {
		t.Error("the same revision was decoded twice")
	}
	in.Revision = "2"
	if parse(in) == first {
		t.Error("a new revision was not decoded")
	}

	for config, want := range map[string]string{
		`{"app_secret":"s"}`: "/app_key is required",
		`{"app_key":"k"}`:    "/app_secret is required",
		`{"app_key":"k","app_secret":"s","region":"us"}`:       "/region must be one of cn, hk",
		`{"app_key":"k","app_secret":"s","proxy":{}}`:          "/proxy/url is required",
		`{"app_key":"k","app_secret":"s","keys":[{"id":"1"}]}`: "/keys/0/secret is required",
		`{"app_key":"k","app_secret":"s","tries":"three"}`:     "/tries a string where int is wanted",
		`{"app_key":"k","app_secret":"s","typo":1}`:            "/typo is not a field",
		`{"app_key":"k","app_secret":"s","app_key":"l"}`:       "duplicate_key",
		`{"app_key":"unusable","app_secret":"s"}`:              "cannot be used",
		`not JSON`: "bad_json",
	} {
		bad := &pb.Instance{Id: "bad", Revision: "1", ConfigJson: []byte(config)}
		out, err := plugin.Validate(t.Context(), &pb.ValidateRequest{Instance: bad})
		if err != nil {
			t.Errorf("%s: %v", config, err)
			continue
		}
		var got []string
		for _, p := range out.GetProblems() {
			got = append(got, strings.TrimSpace(p.GetPointer()+" "+p.GetMessage()))
		}
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%s: problems %q, want %q", config, got, want)
		}
		if !strings.Contains(parse(bad), "FailedPrecondition") {
			t.Errorf("%s: parsing went on with a bad configuration: %s", config, parse(bad))
		}
	}
}

func TestSchema(t *testing.T) {
	schema := sdk.New("shop", "1", sdk.Webhook(echo)).Schema()
	golden := filepath.Join("testdata", "schema.json")
	if sdktest.Update() {
		if err := os.WriteFile(golden, schema, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(schema) {
		t.Errorf("schema differs from %s:\n%s", golden, schema)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for config, good := range map[string]bool{
		`{"app_key":"k","app_secret":"env:SECRET"}`: true,
		`{"app_key":"k"}`: false,
		`{"app_key":"k","app_secret":"s","region":"us"}`:           false,
		`{"app_key":"k","app_secret":"s","typo":1}`:                false,
		`{"app_key":"k","app_secret":"s","keys":[{"id":"1"}]}`:     false,
		`{"app_key":"k","app_secret":"s","tries":3,"labels":{}}`:   true,
		`{"app_key":"k","app_secret":"s","proxy":{"url":"http:"}}`: true,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(config))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(v); (err == nil) != good {
			t.Errorf("%s: %v", config, err)
		}
	}
}

func TestMistakesOfTheAuthorShowAtTheStart(t *testing.T) {
	type price struct {
		Price float64 `json:"price"`
	}
	type unnamed struct{ Name string }
	type badDefault struct {
		N int `json:"n" default:"three"`
	}
	for what, build := range map[string]func(){
		"two configuration types": func() { sdk.New("x", "1", webhook[account](), webhook[proxy]()) },
		"no part":                 func() { sdk.New("x", "1") },
		"floating point":          func() { sdk.New("x", "1", webhook[price]()) },
		"no json name":            func() { sdk.New("x", "1", webhook[unnamed]()) },
		"default of another type": func() { sdk.New("x", "1", webhook[badDefault]()) },
		"not a struct":            func() { sdk.New("x", "1", webhook[string]()) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: nobody noticed", what)
				}
			}()
			build()
		}()
	}
}

func webhook[C any]() sdk.Part {
	return sdk.Webhook(func(context.Context, C, sdk.Request) (sdk.Parsed, error) { return sdk.Ignored(sdk.Ping), nil })
}
