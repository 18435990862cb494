// Command misbehave is a plugin that does on demand what plugins do by mistake. An argument sets what it does at its
// start; the body of a request, what it does when called.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

type config struct {
	Greeting string `json:"greeting,omitempty" default:"hello"`
}

func init() { fmt.Println("printed on standard output before main") }

func main() {
	mode := "ok"
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "noise":
		// Past the SDK, which only guards os.Stdout.
		_, _ = syscall.Write(1, []byte("loading... done\n"))
	case "die":
		fmt.Fprintln(os.Stderr, "out of cheese")
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour) // an empty select would be noticed as a deadlock
	case "flood":
		go flood()
	}
	sdk.Serve("misbehave", "1.0.0-"+mode, sdk.Webhook(parse), sdk.Deliverer(deliver, sdk.ByEmail), sdk.Fetcher(fetch))
}

func flood() {
	line := strings.Repeat("x", 1000)
	for {
		fmt.Fprintln(os.Stderr, line)
	}
}

func parse(_ context.Context, c config, r sdk.Request) (sdk.Parsed, error) {
	verb, rest, _ := strings.Cut(string(r.Body), ":")
	switch verb {
	case "exit":
		os.Exit(7)
	case "panic":
		panic("a request that no parser survives")
	case "crash":
		go panic("outside of any call")
		select {}
	case "freeze":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		select {}
	case "slow":
		length, _, _ := strings.Cut(rest, ":")
		d, err := time.ParseDuration(length)
		if err != nil {
			return sdk.Parsed{}, err
		}
		time.Sleep(d)
	case "big":
		return sdk.Ignored(sdk.Reason(strings.Repeat("x", 17<<20))), nil
	case "size":
		return sdk.Ignored(sdk.Reason(fmt.Sprint(len(r.Body)))), nil
	case "fork":
		return fork(false)
	case "daemon":
		return fork(true)
	case "env":
		var names []string
		for _, pair := range os.Environ() {
			name, _, _ := strings.Cut(pair, "=")
			names = append(names, name)
		}
		return sdk.Ignored(sdk.Reason(strings.Join(names, " "))), nil
	case "pid":
		return sdk.Ignored(sdk.Reason(fmt.Sprint(os.Getpid()))), nil
	case "print":
		fmt.Println("printed on standard output during a call")
	}
	return sdk.Ignored(sdk.Reason(c.Greeting)).Key(rest), nil
}

// fork leaves a child that holds the plugin's own output open, in its process group or out of it.
func fork(leaveGroup bool) (sdk.Parsed, error) {
	child := exec.Command("sleep", "600")
	child.Stdout, child.Stderr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr")
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: leaveGroup}
	if err := child.Start(); err != nil {
		return sdk.Parsed{}, err
	}
	return sdk.Ignored(sdk.Reason(fmt.Sprint(child.Process.Pid))), nil
}

func deliver(_ context.Context, _ config, p sdk.Parcel) (sdk.Receipt, error) {
	switch p.Recipient.Email {
	case "exit@example.com":
		os.Exit(7)
	case "panic@example.com":
		panic("no address")
	}
	return sdk.Sent("ref-" + p.ID), nil
}

func fetch(_ context.Context, _ config, orderNo string) ([]sdk.Event, error) {
	note := ""
	switch orderNo {
	case "none":
		return nil, sdk.Permanent(fmt.Errorf("no such order"))
	case "later":
		return nil, sdk.RetryAfter(time.Minute, fmt.Errorf("too many calls"))
	}
	if strings.HasPrefix(orderNo, "big") {
		note = strings.Repeat("x", 6<<20)
	}
	return []sdk.Event{{ID: orderNo, Body: sdk.SaleSnapshot{
		OrderNo: orderNo, Kind: sdk.Order, Status: sdk.Paid, Lines: []sdk.Line{{LineNo: "1", Name: note}},
	}}}, nil
}
