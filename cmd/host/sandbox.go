package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/taxapi/sandbox"
)

func (a *app) sandboxCommand() *cobra.Command {
	var listen, dir string
	cmd := &cobra.Command{Use: "sandbox", Short: a.text("运行沙箱税局 (不产生真实发票)", "run the sandbox bureau (no real invoices)"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return runSandbox(cmd.Context(), listen, dir, logOptions{out: a.err, level: "info", format: "text"})
	}}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8090", a.text("监听地址", "address to listen on"))
	cmd.Flags().StringVar(&dir, "dir", "sandbox", a.text("存储文件夹", "folder of its storage"))
	return cmd
}

func runSandbox(ctx context.Context, listen, dir string, o logOptions) error {
	log := newLog(o)
	bureau, err := sandbox.Open(sandbox.Options{Dir: dir, Logger: log})
	if err != nil {
		return fmt.Errorf("open the sandbox: %w", err)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), bureau.Close())
	}
	// No write timeout: holding an answer back is one of the faults that it plays.
	server := &http.Server{Handler: bureau.Handler(), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	log.Info("sandbox bureau", "address", l.Addr().String())
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	closed := bureau.Close() // first: it releases the answers that faults hold back
	return errors.Join(err, closed, server.Shutdown(down))
}
