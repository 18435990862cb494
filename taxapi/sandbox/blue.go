package sandbox

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// maxLines is the largest number of lines a public vendor takes (nuonuo, discount lines included).
const maxLines = 2000

var serialShape = regexp.MustCompile(`^[0-9A-Z]{20}$`)

// issueRequest is the JSON of `issue`.
type issueRequest struct {
	Serial      string      `json:"serial"`
	Kind        invoiceKind `json:"kind"`
	RequestTime string      `json:"request_time"`
	Seller      party       `json:"seller"`
	Buyer       party       `json:"buyer"`
	Lines       []wireLine  `json:"lines"`
	Net         string      `json:"net"`
	Tax         string      `json:"tax"`
	Gross       string      `json:"gross"`
	Remark      string      `json:"remark"`
	Drawer      string      `json:"drawer"`
	Payee       string      `json:"payee"`
	Reviewer    string      `json:"reviewer"`

	content string
	draft   *invoice
	refused *refusal
}

// wireLine is a line before its numbers have been looked at.
type wireLine struct {
	No        int    `json:"no"`
	BlueNo    int    `json:"blue_no,omitempty"`
	Nature    nature `json:"nature,omitempty"`
	Name      string `json:"name"`
	ShortName string `json:"short_name"`
	Code      string `json:"code"`
	Spec      string `json:"spec,omitempty"`
	Unit      string `json:"unit"`
	Quantity  string `json:"quantity"`
	Price     string `json:"price"`
	Net       string `json:"net"`
	Rate      string `json:"rate"`
	Tax       string `json:"tax"`
	Gross     string `json:"gross"`
	Policy    string `json:"policy"`
}

// contentOf identifies what a request asks for, whatever its JSON looks like.
func contentOf(request any) string {
	text, err := json.Marshal(request)
	if err != nil {
		panic("sandbox: a request of plain strings can't be encoded: " + err.Error())
	}
	return hexSM3(text)
}

// examine proves the request against everything that does not depend on the ledger. What it finds is answered only if
// the serial turns out to be new.
func (r *issueRequest) examine(reg *registry, a *app, now time.Time) {
	same := *r
	same.RequestTime = "" // when a request is sent again, its time may differ, its content may not
	r.content = contentOf(same)
	r.draft, r.refused = r.prove(reg, a, now)
}

func (r *issueRequest) prove(reg *registry, a *app, now time.Time) (*invoice, *refusal) {
	f := &fields{}
	if _, err := time.Parse(time.RFC3339, r.RequestTime); err != nil {
		f.refuse(codeField, "request_time", "时间格式错误")
	}
	s, refused := actingSeller(reg, a, r.Seller.TaxNo)
	if refused != nil {
		return nil, refused
	}
	draft := r.read(f)
	draft.SellerType = s.Type
	if s.Name != "" && s.Name != r.Seller.Name {
		f.refuse(codeField, "seller.name", "销售方名称与登记不一致")
	}
	set := reg.current()
	f.buyer(reg, set, r.Kind, r.Buyer)
	f.classifications(reg, set, draft.Lines)
	f.discounts(draft.Lines)
	f.amounts(set, draft)
	f.rates(s, draft, now)
	if f.refused != nil {
		return nil, f.refused
	}
	return draft, nil
}

// actingSeller finds the seller an application wants to act for.
func actingSeller(reg *registry, a *app, taxNo string) (*seller, *refusal) {
	s := reg.seller(taxNo)
	if s == nil || !s.allows(a.ID) {
		return nil, refuse(codeSeller, "销售方未在本应用登记")
	}
	if s.LoginNeeded || reg.current().LoginNeeded {
		return nil, refuse(codeLogin, "电子税局登录失效，请重新登录")
	}
	return s, nil
}

func (s *seller) allows(appID string) bool {
	for _, id := range s.Apps {
		if id == appID {
			return true
		}
	}
	return len(s.Apps) == 0
}

// read checks the shape of every field and makes the draft.
func (r *issueRequest) read(f *fields) *invoice {
	draft := &invoice{Serial: r.Serial, Color: blue, Kind: r.Kind, Seller: r.Seller, Buyer: r.Buyer, Remark: r.Remark,
		Drawer: r.Drawer, Payee: r.Payee, Reviewer: r.Reviewer, content: r.content}
	if r.Kind != kindSpecial && r.Kind != kindGeneral {
		f.refuse(codeField, "kind", "票种应为01或02")
	}
	if len(r.Lines) == 0 || len(r.Lines) > maxLines {
		f.refuse(codeField, "lines", "明细应为1至%d行", maxLines)
	}
	f.party("seller.", r.Seller)
	f.party("buyer.", r.Buyer)
	for i, w := range r.Lines {
		f.in(i)
		if w.No != i+1 {
			f.refuse(codeField, "no", "行号应从1起连续")
		}
		if w.Nature != natureNormal && w.Nature != natureDiscount && w.Nature != natureDiscounted {
			f.refuse(codeField, "nature", "行性质应为00、01或02")
		}
		draft.Lines = append(draft.Lines, w.read(f))
	}
	f.prefix = ""
	draft.Net, draft.Tax, draft.Gross = f.yuan("net", r.Net), f.yuan("tax", r.Tax), f.yuan("gross", r.Gross)
	f.text("remark", r.Remark, 450, false)
	f.text("drawer", r.Drawer, 300, true)
	f.text("payee", r.Payee, 150, false)
	f.text("reviewer", r.Reviewer, 75, false)
	return draft
}

func (w wireLine) read(f *fields) line {
	f.text("name", w.Name, 600, true)
	f.text("spec", w.Spec, 150, false)
	f.text("unit", w.Unit, 300, false)
	if strings.HasPrefix(w.Name, "*") {
		f.refuse(codeField, "name", "项目名称不应带简称前缀")
	}
	return line{No: w.No, BlueNo: w.BlueNo, Nature: w.Nature, Name: w.Name, ShortName: w.ShortName, Code: w.Code,
		Spec: w.Spec, Unit: w.Unit, Quantity: f.measure("quantity", w.Quantity), Price: f.measure("price", w.Price),
		Net: f.yuan("net", w.Net), Rate: f.rate("rate", w.Rate), Tax: f.yuan("tax", w.Tax),
		Gross: f.yuan("gross", w.Gross), Policy: w.Policy}
}
