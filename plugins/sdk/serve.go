package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Under a host, standard output carries one line only, the handshake. Everything else that is printed there, even by
// package initialisation, goes to standard error: this package is initialised before those that import it.
var realStdout, realStderr = divertStdout()

func divertStdout() (stdout, stderr *os.File) {
	stdout, stderr = os.Stdout, os.Stderr
	if underHost() {
		os.Stdout = os.Stderr
	}
	return stdout, stderr
}

func underHost() bool { return os.Getenv(pb.CookieKey) == pb.CookieValue }

// Serve runs the plugin until the host ends it. It is all that an author's main has to call.
func Serve(name, version string, parts ...Part) { New(name, version, parts...).Serve() }

// Serve runs the plugin until the host ends it.
func (p *Plugin) Serve() {
	if !underHost() {
		fmt.Fprintf(os.Stderr, "%s %s is a plugin of Kaipiao and is started by the host. "+
			"To try it: kaipiao plugin test .\n", p.name, p.version)
		os.Exit(1)
	}
	slog.SetDefault(slog.New(newLogHandler(realStderr)))
	p.followHost()
	os.Stdout = realStdout
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: pb.Major, MagicCookieKey: pb.CookieKey, MagicCookieValue: pb.CookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{pb.Major: {"plugin": &grpcPlugin{plugin: p}}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options,
				grpc.MaxRecvMsgSize(pb.MaxMessageBytes), grpc.MaxSendMsgSize(pb.MaxMessageBytes))...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Name: "go-plugin", Level: hclog.Warn, Output: realStderr, JSONFormat: true}),
	})
}

// followHost ends the process as soon as the host is gone, and ignores SIGTERM while it lives: a service manager that
// signals the whole group would otherwise end the plugins before the host has drained them.
func (p *Plugin) followHost() {
	fd, err := strconv.Atoi(os.Getenv(pb.ParentFDKey))
	if err != nil {
		return
	}
	pipe := os.NewFile(uintptr(fd), "host")
	if pipe == nil {
		return
	}
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() {
		for range terminate {
			slog.Info("SIGTERM ignored while the host lives")
		}
	}()
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		os.Exit(0)
	}()
}

// grpcPlugin hands the services to go-plugin.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	plugin *Plugin
}

func (g *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	g.plugin.Register(s)
	return nil
}

func (g *grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin is not a host")
}
