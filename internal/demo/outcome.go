package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// await asks the host until every row has ended as it should, or the time is up.
func (d *demo) await(ctx context.Context, rows []*row) error {
	limit := d.Limit
	if limit == 0 {
		limit = 100 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	open := -1
	for {
		left, err := d.look(ctx, rows)
		if err == nil && left == 0 {
			return nil
		}
		if err == nil && left != open {
			d.say("%d / %d 单已有结果", "%d of %d settled", len(rows)-left, len(rows))
			open = left
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%w (%d of %d)", ErrUnexpected, left, len(rows)), err)
		case <-tick.C:
		}
	}
}

// until waits until an order is settled with so much invoiced.
func (d *demo) until(ctx context.Context, order, invoiced string) error {
	r := &row{order: order, want: want{class: "settled", invoiced: invoiced}}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if left, err := d.look(ctx, []*row{r}); err == nil && left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s is %s with %s invoiced, not %s", ErrUnexpected, order, r.now.Class, r.now.Invoiced, invoiced)
		case <-tick.C:
		}
	}
}

// look reads every row's order and counts those that have not ended as they should.
func (d *demo) look(ctx context.Context, rows []*row) (int, error) {
	out, err := d.cli(ctx, "orders", "list", "--json", "--limit", "500")
	if err != nil {
		return len(rows), err
	}
	var list []orderRow
	if err := json.Unmarshal(out, &list); err != nil {
		return len(rows), fmt.Errorf("read the orders: %w", err)
	}
	byName := map[string]orderRow{}
	for _, o := range list {
		byName[o.Order] = o
	}
	left := 0
	for _, r := range rows {
		r.now = byName[r.order]
		if !r.ended() {
			left++
		}
	}
	return left, nil
}

func (r *row) ended() bool {
	w, n := r.want, r.now
	if n.Class != w.class || n.Invoiced != w.invoiced || (w.delivered && !n.Delivered) {
		return false
	}
	if (w.blues > 0 && n.Blues != w.blues) || (w.reds > 0 && n.Reds != w.reds) {
		return false
	}
	if w.problem == "" {
		return len(n.Problems) == 0
	}
	return len(n.Problems) == 1 && n.Problems[0].Code == w.problem
}

// command is the command that solves the row's problem, with the sample value that the demo would type.
func (r *row) command() []string {
	if len(r.now.Problems) == 0 {
		return nil
	}
	words := strings.Fields(strings.TrimPrefix(r.now.Problems[0].Command, "kaipiao "))
	for i, w := range words {
		if len(r.fix) == 2 && w == r.fix[0] && i+1 < len(words) {
			words[i+1] = r.fix[1]
		}
	}
	return words
}

// solve runs each problem's command and waits until its order is delivered.
func (d *demo) solve(ctx context.Context, rows []*row) error {
	for _, r := range rows {
		if r.want.problem == "" {
			continue
		}
		cmd := r.command()
		d.say("执行: kaipiao %s", "running: kaipiao %s", strings.Join(cmd, " "))
		if _, err := d.cli(ctx, cmd...); err != nil {
			return err
		}
		r.want = want{class: "settled", blues: 1, invoiced: r.now.Total, delivered: true}
		r.solved = true
	}
	err := d.await(ctx, rows)
	d.table(rows)
	return err
}

// table prints what became of each row.
func (d *demo) table(rows []*row) {
	fmt.Fprintln(d.Out)
	for _, r := range rows {
		mark, n := "✓", r.now
		if !r.ended() {
			mark = "✗"
		}
		class, blue, red, what := n.Class, "blue", "red", r.en
		if d.Chinese {
			class, blue, red, what = inChinese(n.Class), "蓝", "红", r.zh
		}
		fmt.Fprintf(d.Out, "%s %s %s %s %d  %s %d  %8s  %s\n", mark, pad(shorten(r.order, 34), 34), pad(class, 18), blue, n.Blues, red, n.Reds, n.Invoiced, what)
		if len(n.Problems) > 0 {
			title := n.Problems[0].TitleEN
			if d.Chinese {
				title = n.Problems[0].TitleZH
			}
			fmt.Fprintf(d.Out, "    %s: %s\n    → %s -c %s %s\n", title, n.Problems[0].Detail, d.Binary, d.addr.Config, strings.Join(r.command(), " "))
		}
	}
	fmt.Fprintln(d.Out)
}

// inChinese is the word for a class; what the day does not expect stays as it is.
func inChinese(class string) string {
	switch class {
	case "settled":
		return "已开具"
	case "nothing_to_invoice":
		return "无需开具"
	case "held":
		return "待处理"
	}
	return class
}

// pad fills a text to a width in cells; a Chinese character takes two.
func pad(s string, width int) string {
	for _, r := range s {
		width--
		if r >= 0x2E80 {
			width--
		}
	}
	return s + strings.Repeat(" ", max(width, 0))
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "…" + s[len(s)-n+3:]
}
