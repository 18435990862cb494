package sdktest

import (
	"context"
	"encoding/json"
	"flag"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/sdk/fixture"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// Update says whether golden files are to be written. Tests of a plugin share this flag.
func Update() bool { return *update }

// callTimeout is generous: it catches a hang, not a slow machine.
const callTimeout = time.Minute

// Run tests a source plugin on the fixtures below dir.
func Run(t *testing.T, p *sdk.Plugin, dir string) {
	t.Helper()
	t.Run("in process", func(t *testing.T) { runCases(t, inProcess(p), dir, *update) })
	t.Run("over a socket", func(t *testing.T) { runCases(t, pb.NewSourceClient(Dial(t, p)), dir, false) })
	t.Run("conformance", func(t *testing.T) { Conform(t, p) })
}

func runCases(t *testing.T, source fixture.Source, dir string, update bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
	defer cancel()
	cases, err := fixture.Check(ctx, source, dir, update)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if c.Skipped != "" {
				t.Logf("nothing was forged: %s", c.Skipped)
			}
			for _, f := range c.Faults {
				t.Error(f)
			}
		})
	}
}

// Conform checks what every plugin owes the host: it describes itself, its schema is JSON, a configuration that it
// doesn't know is answered by problems, and it drains.
func Conform(t *testing.T, p *sdk.Plugin) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
	defer cancel()
	client := pb.NewPluginClient(Dial(t, p))
	about, err := client.Describe(ctx, &pb.DescribeRequest{HostVersion: "test"})
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	if about.GetName() == "" || about.GetVersion() == "" || len(about.GetCapabilities()) == 0 {
		t.Errorf("describe: name %q, version %q, capabilities %v: none may be empty",
			about.GetName(), about.GetVersion(), about.GetCapabilities())
	}
	if !json.Valid(about.GetConfigSchemaJson()) {
		t.Error("describe: the configuration's schema is not JSON")
	}
	stray := &pb.Instance{Id: "conformance", ConfigJson: []byte(`{"no_such_field":1}`)}
	checked, err := client.Validate(ctx, &pb.ValidateRequest{Instance: stray})
	if err != nil {
		t.Errorf("validate: a bad configuration must be answered by problems, not by %v", err)
	} else if len(checked.GetProblems()) == 0 {
		t.Error("validate: a configuration with an unknown field passed")
	}
	if _, err := client.Drain(ctx, &pb.DrainRequest{}); err != nil {
		t.Errorf("drain: %v", err)
	}
}

// Dial serves the plugin on a Unix socket for the length of the test and connects to it.
func Dial(t *testing.T, p *sdk.Plugin) *grpc.ClientConn {
	t.Helper()
	// Not t.TempDir: its path can be longer than a socket's may be.
	dir, err := os.MkdirTemp("", "sdk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(pb.MaxMessageBytes), grpc.MaxSendMsgSize(pb.MaxMessageBytes))
	p.Register(server)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Errorf("serving the plugin: %v", err)
		}
	})
	conn, err := grpc.NewClient("unix:"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(pb.MaxMessageBytes), grpc.MaxCallSendMsgSize(pb.MaxMessageBytes)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// inProcess calls the plugin's service without a wire, where a debugger can follow.
func inProcess(p *sdk.Plugin) fixture.Source {
	var c catcher
	p.Register(&c)
	return &c
}

type catcher struct{ source pb.SourceServer }

func (c *catcher) RegisterService(_ *grpc.ServiceDesc, service any) {
	if s, ok := service.(pb.SourceServer); ok {
		c.source = s
	}
}

func (c *catcher) Parse(ctx context.Context, r *pb.ParseRequest, _ ...grpc.CallOption) (*pb.ParseResponse, error) {
	if c.source == nil {
		return (&pb.UnimplementedSourceServer{}).Parse(ctx, r)
	}
	return c.source.Parse(ctx, r)
}
