package sandbox

import (
	"encoding/base64"
	"fmt"
	"time"
)

// filesRequest is the JSON of `files`.
type filesRequest struct {
	unexamined
	Number string `json:"number"`
	Format string `json:"format"`
}

type filesResult struct {
	State   string `json:"state"` // ready or pending
	Name    string `json:"name"`
	SM3     string `json:"sm3"`
	Content string `json:"content"`

	render func() ([]byte, error)
}

// finish draws the file. It is called after the commit: drawing would hold up everybody's commit.
func (r filesResult) finish() (any, error) {
	if r.render == nil {
		return r, nil
	}
	content, err := r.render()
	if err != nil {
		return nil, fmt.Errorf("drawing %s: %w", r.Name, err)
	}
	r.SM3, r.Content = hexSM3(content), base64.StdEncoding.EncodeToString(content)
	return r, nil
}

// formats makes each kind of file. The same invoice gives the same bytes each time it is asked for.
var formats = map[string]func(*invoice) ([]byte, error){"pdf": renderPDF, "ofd": renderOFD, "xml": renderXML}

func (r *filesRequest) traits() traits { return traits{serial: r.Number} }

func (r *filesRequest) run(c *call, t *tx) (any, error) {
	render, known := formats[r.Format]
	if !known {
		return nil, refuse(codeField, "format：应为pdf、ofd或xml")
	}
	i, err := t.invoiceByNumber(r.Number)
	if err != nil {
		return nil, err
	}
	if i == nil || i.state(c.now) != stateIssued {
		return nil, refuse(codeNotFound, "未查询到该发票")
	}
	if s := c.bureau.registry.seller(i.Seller.TaxNo); s == nil || !s.allows(c.app.ID) {
		return nil, refuse(codeNotFound, "未查询到该发票")
	}
	if i.IssuedAt.Add(time.Duration(c.set.FilesDelay)).After(c.now) {
		return filesResult{State: "pending"}, nil
	}
	return filesResult{State: "ready", Name: "dzfp_" + i.Number + "." + r.Format,
		render: func() ([]byte, error) { return render(i) }}, nil
}
