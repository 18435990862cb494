package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/core"
	pluginhost "github.com/kaipiao/kaipiao/plugins/host"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk/fixture"
)

// trial runs one plugin file outside any configuration, in a scratch folder of its own.
func (a *app) trial(ctx context.Context, path string, f func(h *pluginhost.Host, name string) error) (err error) {
	scratch, err := os.MkdirTemp("", "kaipiao-plugin-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	const name = "trial"
	dir := filepath.Join(scratch, "plugins")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := copyFile(path, filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("plugin file: %w", err)
	}
	lock := filepath.Join(scratch, "plugins.lock")
	if _, err := pluginhost.Trust(dir, lock, name, pluginhost.Program{Files: []string{name}, Transport: pluginhost.MTLS}); err != nil {
		return err
	}
	h, err := pluginhost.New(pluginhost.Options{Dir: dir, LockFile: lock, OwnDir: filepath.Join(scratch, "own"), HostVersion: version,
		Log: newLog(quietLog(a.err)), Mask: core.MaskText})
	if err != nil {
		return err
	}
	defer func() {
		down, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, h.Close(down))
	}()
	return f(h, name)
}

// described waits until a trial's plugin is up. It is given one start.
func described(ctx context.Context, h *pluginhost.Host, name string) (*pb.DescribeResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ctx, giveUp := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for _, s := range h.Status() {
				if n := len(s.Deaths); n > 0 {
					d := s.Deaths[n-1]
					giveUp(fmt.Errorf("it does not start: %s\n%s", d.Reason, strings.TrimSpace(d.Output[max(0, len(d.Output)-2000):])))
					return
				}
			}
		}
	})
	d, err := h.Describe(ctx, name)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("plugin: %w", context.Cause(ctx))
	}
	giveUp(nil)
	watch.Wait()
	return d, err
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

func (a *app) pluginTest() *cobra.Command {
	var update bool
	var dir string
	cmd := &cobra.Command{Use: "test BINARY", Short: a.text("用录制的请求测试插件并伪造签名", "hold a plugin against recorded requests, and forge them"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		if dir == "" {
			dir = filepath.Join(filepath.Dir(args[0]), "testdata")
		}
		return a.trial(cmd.Context(), args[0], func(h *pluginhost.Host, name string) error {
			d, err := described(cmd.Context(), h, name)
			if err != nil {
				return err
			}
			if !slices.Contains(d.GetCapabilities(), pb.Capability_CAPABILITY_PARSE) {
				a.say("该插件不接收请求, 没有可比对的录制; 插件可启动, 自述无误", "the plugin takes no requests, so that none are recorded; it starts and describes itself well")
				return nil
			}
			cases, err := fixture.Check(cmd.Context(), h.Raw(name), dir, update)
			if err != nil {
				return err
			}
			return a.reportCases(cases)
		})
	}}
	cmd.Flags().StringVar(&dir, "dir", "", a.text("请求录制的文件夹 (默认: 程序旁的 testdata)", "folder of fixtures (default: testdata beside the binary)"))
	cmd.Flags().BoolVar(&update, "update", false, a.text("写入 want.json, 不比对", "write want.json instead of comparing"))
	return cmd
}

func (a *app) reportCases(cases []fixture.Case) error {
	failed := 0
	err := a.print(cases, func(p *printer) {
		for _, c := range cases {
			p.line("%s", c)
		}
	})
	for _, c := range cases {
		if len(c.Faults) > 0 {
			failed++
		}
	}
	if err == nil && failed > 0 {
		err = exitError{exitFindings, fmt.Errorf("%d of %d fixtures failed", failed, len(cases))}
	}
	return err
}

func (a *app) pluginSchema() *cobra.Command {
	return &cobra.Command{Use: "schema NAME", Short: a.text("插件配置的 JSON Schema", "JSON Schema of a plugin's configuration"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		path := args[0]
		if dir, _, err := a.lockPaths(); err == nil && !filepath.IsAbs(path) {
			if beside := filepath.Join(dir, path); isFile(beside) {
				path = beside
			}
		}
		return a.trial(cmd.Context(), path, func(h *pluginhost.Host, name string) error {
			d, err := described(cmd.Context(), h, name)
			if err != nil {
				return err
			}
			_, err = a.out.Write(append(d.GetConfigSchemaJson(), '\n'))
			return err
		})
	}}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// pluginRun serves one plugin at a local address and prints the events of each request: an author's test bench.
func (a *app) pluginRun() *cobra.Command {
	var listen, conf string
	var secrets map[string]string
	cmd := &cobra.Command{Use: "run BINARY", Short: a.text("在本地运行插件并打印事件", "serve a plugin at a local address and print its events"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.trial(cmd.Context(), args[0], func(h *pluginhost.Host, name string) error {
			if _, err := described(cmd.Context(), h, name); err != nil {
				return err
			}
			in := trialInstance{pluginhost.Instance{Plugin: name, ID: "trial", Revision: "1", Config: []byte(conf), Secrets: secrets}}
			return a.bench(cmd.Context(), listen, &pluginhost.Adapter{Host: h, Instances: in})
		})
	}}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8099", a.text("地址", "address"))
	cmd.Flags().StringVar(&conf, "instance-config", "{}", a.text("实例配置 (JSON)", "configuration of the instance as JSON"))
	cmd.Flags().StringToStringVar(&secrets, "secret", nil, a.text("实例密钥, 名称=值", "secrets of the instance, name=value"))
	return cmd
}

type trialInstance struct{ in pluginhost.Instance }

func (t trialInstance) Instance(core.InstanceID) (pluginhost.Instance, bool) { return t.in, true }

func (a *app) bench(ctx context.Context, listen string, source core.Source) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	a.say("监听 http://%s/ , Ctrl-C 结束", "listening on http://%s/, end with Ctrl-C", l.Addr())
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		raw := core.RawRequest{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: body, ReceivedAt: time.Now()}
		for name, values := range r.Header {
			for _, v := range values {
				raw.Headers = append(raw.Headers, core.Header{Name: name, Value: v})
			}
		}
		p, err := source.Parse(r.Context(), "trial", raw)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		status := map[core.Verdict]int{core.Accepted: 200, core.Ignored: 200, core.Unverified: 200, core.Forged: 401, core.Malformed: 400}[p.Verdict]
		if err := a.print(p, func(pr *printer) {
			pr.line("%s %s: %d events %s %s", r.Method, p.Verdict, len(p.Events), p.Code, p.Reason)
		}); err != nil {
			a.say("%v", "%v", err)
		}
		w.WriteHeader(status)
		_, _ = w.Write(p.Stored.Body)
	})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(down)
}
