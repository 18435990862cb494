package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/internal/config"
)

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{Use: "serve", Short: a.text("运行主机", "run the host"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(a.config)
		if err != nil {
			return err
		}
		return serve(cmd.Context(), cfg, logOptions{out: a.err, level: cfg.Log.Level, format: cfg.Log.Format}, nil)
	}}
}

// stopFunc closes a door and waits for the requests inside.
type stopFunc = func(context.Context) error

// listener is one of the host's doors.
type listener struct {
	name  string
	net   net.Listener
	serve func(net.Listener) error
	stop  stopFunc
}

// serve runs a host until the context ends: first the doors close, then the work in hand is finished, then the plugins
// stop and the database closes. ready, if not nil, is told the addresses once everything listens.
func serve(ctx context.Context, cfg *config.Config, log logOptions, ready func(map[string]net.Addr)) (err error) {
	h, err := openHost(ctx, cfg, hostOptions{log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close(context.WithoutCancel(ctx))) }()
	if err := h.abandon(ctx); err != nil {
		return fmt.Errorf("take over tasks: %w", err)
	}
	if err := h.setLaneCaps(ctx); err != nil {
		return fmt.Errorf("lanes: %w", err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ticks, err := h.startCron(run)
	if err != nil {
		return err
	}
	doors, err := h.listen()
	if err != nil {
		<-ticks().Done()
		return err
	}
	var work sync.WaitGroup
	work.Go(func() { h.worker.Run(run) })
	work.Go(func() { h.watchPlugins(run) })
	work.Go(func() { h.tellRefusals(run) })
	failed := make(chan error, len(doors))
	var serving sync.WaitGroup
	addrs := map[string]net.Addr{}
	for _, d := range doors {
		addrs[d.name] = d.net.Addr()
		h.log.Info("listening", "door", d.name, "address", d.net.Addr().String())
		serving.Go(func() {
			if err := d.serve(d.net); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				failed <- fmt.Errorf("serve %s: %w", d.name, err)
			}
		})
	}
	if ready != nil {
		ready(addrs)
	}
	select {
	case <-ctx.Done():
		h.log.Info("stopping")
	case err = <-failed:
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for _, d := range doors {
		if serr := d.stop(down); serr != nil {
			h.log.Warn("close a door", "door", d.name, "error", serr)
		}
	}
	serving.Wait()
	<-ticks().Done()
	stop()
	work.Wait()
	return err
}

// maxSocketPath is what every system takes as the path of a socket.
const maxSocketPath = 103

// adminDoors are the socket of the command line and the loopback listener.
func (h *host) adminDoors() ([]listener, error) {
	socket := h.cfg.DataPath("admin.sock")
	if len(socket) > maxSocketPath {
		return nil, fmt.Errorf("listen on the admin socket: the path %s is longer than the %d bytes that systems allow; choose a shorter data folder", socket, maxSocketPath)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the old socket: %w", err)
	}
	unix, err := privateSocket(socket)
	if err != nil {
		return nil, fmt.Errorf("listen on the admin socket: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil { // for systems where it was not born so
		return nil, errors.Join(fmt.Errorf("guard the admin socket: %w", err), unix.Close())
	}
	tcp, err := net.Listen("tcp", h.cfg.Admin.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen at the admin address: %w; choose another admin.listen", err), unix.Close())
	}
	var doors []listener
	for name, l := range map[string]net.Listener{"admin socket": unix, "admin": tcp} {
		server := &http.Server{Handler: h.api, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
		if name == "admin" {
			server.Handler = readOnly(h.api)
		}
		doors = append(doors, listener{name, l, server.Serve, server.Shutdown})
	}
	return doors, nil
}

// privateSocket listens on a socket that nobody else could ever connect to: Linux takes the mode of the file from the
// socket, before it has a name. Other systems refuse to set it.
func privateSocket(path string) (net.Listener, error) {
	c := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
	}}
	return c.Listen(context.Background(), "unix", path)
}

// readOnly lets only reads through: acts need the socket, which only the owner of the data folder can open. The address
// must be asked for by a loopback name, or a page in an operator's browser could read here under a name of its own.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if host != "localhost" && !net.ParseIP(host).IsLoopback() {
			http.Error(w, "ask for a loopback address", http.StatusForbidden)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "acts go through the admin socket", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
