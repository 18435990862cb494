package host

import (
	"context"

	"google.golang.org/grpc"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Raw is a plugin's Parse as it is on the wire: no sharing, no repeats, no judgement of the results. It is a source for
// package fixture, to test a built plugin in any language.
type Raw struct {
	host   *Host
	plugin string
}

// Raw gives the plugin for tests.
func (h *Host) Raw(plugin string) Raw { return Raw{h, plugin} }

// Parse sends one batch.
func (r Raw) Parse(ctx context.Context, in *pb.ParseRequest, options ...grpc.CallOption) (*pb.ParseResponse, error) {
	return call(ctx, r.host, r.plugin, "Parse", r.host.options.Timings.Fetch, func(ctx context.Context, c *grpc.ClientConn) (*pb.ParseResponse, error) {
		return pb.NewSourceClient(c).Parse(ctx, in, options...)
	})
}
