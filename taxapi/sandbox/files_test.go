package sandbox

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

func (b *bench) file(number, format string) []byte {
	b.t.Helper()
	var f filesResult
	b.call("files", filesRequest{Number: number, Format: format}, codeDone, &f)
	content, err := base64.StdEncoding.DecodeString(f.Content)
	if err != nil || f.State != "ready" || f.Name != "dzfp_"+number+"."+format || f.SM3 != digest(content) {
		b.t.Fatalf("%s: %s %s %s %v", format, f.State, f.Name, f.SM3, err)
	}
	return content
}

// specimen has everything a page can show: a person, a discount, an exempt line, a remark of two lines, a text to escape.
func (b *bench) specimen() issueRequest {
	r := b.sale()
	r.Buyer = party{Name: "王<五>&", NaturalPerson: "Y"}
	r.Remark = "订单号 20261125-7\n第二行"
	addLine(&r, "燕麦片", "谷物加工品", goodsCode, "2", "1000.00", "0.13").Nature = natureDiscounted
	addLine(&r, "燕麦片", "谷物加工品", goodsCode, "", "-2.00", "0.13").Nature = natureDiscount
	addLine(&r, "蔬菜", "蔬菜", goodsCode, "3.5", "7.00", "0.00").Policy = policyExempt
	return r
}

func (b *bench) specimenTexts(number string) []string {
	return []string{"电子发票（普通发票）", number, "2026年11月25日", "王<五>&（个人）", "沙箱商贸有限公司", sellerNo,
		"*谷物加工品*燕麦片", "1000.00", "-2.00", "13%", "-0.26", "免税", "***", "3.5", "￥1005.00", "￥129.74", "￥1134.74",
		"壹仟壹佰叁拾肆圆柒角肆分", "订单号 20261125-7", "第二行", "张三", "沙箱"}
}

func TestPDF(t *testing.T) {
	b := newBench(t)
	number := b.issue(b.specimen())
	content := b.file(number, "pdf")
	if again := b.file(number, "pdf"); !bytes.Equal(content, again) {
		t.Error("the same invoice gave two different files")
	}
	objects := parsePDF(t, content)
	texts := pdfTexts(t, objects)
	for _, want := range b.specimenTexts(number) {
		if !strings.Contains(texts, want+"\n") {
			t.Errorf("the page does not show %q", want)
		}
	}
	checkWithPoppler(t, content, b.specimenTexts(number))
}

// parsePDF reads a file the way a reader does: startxref, table, trailer, objects at their offsets.
func parsePDF(t *testing.T, content []byte) map[int]string {
	t.Helper()
	tail := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(content)
	if !bytes.HasPrefix(content, []byte("%PDF-1.")) || tail == nil {
		t.Fatal("no PDF header or no startxref")
	}
	start, err := strconv.Atoi(string(tail[1]))
	if err != nil || !bytes.HasPrefix(content[start:], []byte("xref\n0 ")) {
		t.Fatalf("startxref %d does not point at the table", start)
	}
	entries := regexp.MustCompile(`(\d{10}) 00000 n \n`).FindAllSubmatch(content[start:], -1)
	objects := map[int]string{}
	for i, entry := range entries {
		at, err := strconv.Atoi(string(entry[1]))
		head := fmt.Sprintf("%d 0 obj\n", i+1)
		if err != nil || !bytes.HasPrefix(content[at:], []byte(head)) {
			t.Fatalf("object %d is not at %s", i+1, entry[1])
		}
		body, _, found := strings.Cut(string(content[at+len(head):]), "\nendobj\n")
		if !found {
			t.Fatalf("object %d does not end", i+1)
		}
		objects[i+1] = body
	}
	if !bytes.Contains(content[start:], fmt.Appendf(nil, "/Size %d ", len(entries)+1)) {
		t.Error("the trailer's size is wrong")
	}
	for id, body := range objects {
		for _, ref := range regexp.MustCompile(`(\d+) 0 R`).FindAllStringSubmatch(strings.Split(body, "stream")[0], -1) {
			if n, _ := strconv.Atoi(ref[1]); objects[n] == "" {
				t.Errorf("object %d refers to %s, which is missing", id, ref[1])
			}
		}
	}
	return objects
}

func pdfStream(t *testing.T, object string) string {
	t.Helper()
	head, rest, _ := strings.Cut(object, "\nstream\n")
	length := regexp.MustCompile(`/Length (\d+)`).FindStringSubmatch(head)
	if length == nil {
		t.Fatal("a stream without a length")
	}
	n, err := strconv.Atoi(length[1])
	if err != nil || rest[n:] != "\nendstream" {
		t.Fatalf("a stream's length is wrong: %s", length[1])
	}
	z, err := zlib.NewReader(strings.NewReader(rest[:n]))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pdfTexts decodes the shown strings, one a line.
func pdfTexts(t *testing.T, objects map[int]string) string {
	t.Helper()
	page := regexp.MustCompile(`/Contents (\d+) 0 R`).FindStringSubmatch(objects[3])
	n, _ := strconv.Atoi(page[1])
	var all strings.Builder
	for _, shown := range regexp.MustCompile(`<([0-9A-F]+)> Tj`).FindAllStringSubmatch(pdfStream(t, objects[n]), -1) {
		raw, err := hex.DecodeString(shown[1])
		if err != nil {
			t.Fatal(err)
		}
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
		}
		all.WriteString(string(utf16.Decode(units)) + "\n")
	}
	return all.String()
}

// checkWithPoppler asks a foreign reader, where the machine has one.
func checkWithPoppler(t *testing.T, content []byte, want []string) {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Log("LEFT OUT: pdftotext is not installed, no foreign reader has seen this PDF")
		return
	}
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	cmd := exec.Command(tool, "-layout", path, "-")
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(complaints.String(), "Couldn't find 'UniGB-UTF16-H'") {
		t.Log("LEFT OUT: pdftotext is here without poppler-data, it can read no Chinese PDF that relies on the reader's font")
		return
	}
	if complaints.Len() > 0 {
		t.Errorf("pdftotext complains: %s", complaints.String())
	}
	for _, s := range want {
		if !strings.Contains(string(out), s) {
			t.Errorf("pdftotext does not show %q in\n%s", s, out)
		}
	}
}

func TestOFD(t *testing.T) {
	b := newBench(t)
	number := b.issue(b.specimen())
	content := b.file(number, "ofd")
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, f.Name, text)
		parts[f.Name] = string(text)
	}
	for _, name := range []string{"OFD.xml", "Doc_0/Document.xml", "Doc_0/PublicRes.xml", "Doc_0/Pages/Page_0/Content.xml"} {
		if parts[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	var page struct {
		Texts []struct {
			ID       string `xml:",attr"`
			Boundary string `xml:",attr"`
			Code     struct {
				Text   string `xml:",chardata"`
				DeltaX string `xml:",attr"`
			} `xml:"TextCode"`
		} `xml:"Content>Layer>TextObject"`
	}
	if err := xml.Unmarshal([]byte(parts["Doc_0/Pages/Page_0/Content.xml"]), &page); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	ids := map[string]bool{}
	for _, text := range page.Texts {
		all.WriteString(text.Code.Text + "\n")
		if steps := len(strings.Fields(text.Code.DeltaX)); steps != len([]rune(text.Code.Text))-1 {
			t.Errorf("%q has %d steps", text.Code.Text, steps)
		}
		if ids[text.ID] {
			t.Errorf("id %s twice", text.ID)
		}
		ids[text.ID] = true
	}
	for _, want := range b.specimenTexts(number) {
		if !strings.Contains(all.String(), want+"\n") {
			t.Errorf("the page does not show %q", want)
		}
	}
}

func wellFormed(t *testing.T, name string, text []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestXML(t *testing.T) {
	b := newBench(t)
	number := b.issue(b.specimen())
	text := b.file(number, "xml")
	wellFormed(t, "xml", text)
	var x xmlInvoice
	if err := xml.Unmarshal(text, &x); err != nil {
		t.Fatal(err)
	}
	if x.Header.EIid != number || x.TaxSupervisionInfo.InvoiceNumber != number || x.Signature.SignatureValue != "SANDBOX" ||
		x.Header.InherentLabel.InIssuType.Code != "Y" || x.Data.Specifics.Red != nil || len(x.Data.Items) != 3 {
		t.Errorf("%s", text)
	}
	for _, want := range []string{"<TotalTax-includedAmount>1134.74</TotalTax-includedAmount>", "<BuyerName>王&lt;五&gt;&amp;</BuyerName>",
		"<ItemName>*谷物加工品*燕麦片</ItemName>", "<TaxRate>0.13</TaxRate>", "<TotaltaxIncludedAmount>1130.00</TotaltaxIncludedAmount>",
		"<TotalTax-includedAmountInChinese>壹仟壹佰叁拾肆圆柒角肆分</TotalTax-includedAmountInChinese>",
		"<IssueTime>2026-11-25</IssueTime>", "沙箱"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestRedFiles(t *testing.T) {
	b := newBench(t)
	number := b.issue(b.sale("100.00"))
	redNumber := b.red(number, reasonReturned)
	trace := "被红冲蓝字数电票号码：" + number + " 红字发票信息确认单编号："
	texts := pdfTexts(t, parsePDF(t, b.file(redNumber, "pdf")))
	for _, want := range []string{trace, "红字", "￥-113.00", "（负数）壹佰壹拾叁圆整"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the red page does not show %q", want)
		}
	}
	var x xmlInvoice
	if err := xml.Unmarshal(b.file(redNumber, "xml"), &x); err != nil {
		t.Fatal(err)
	}
	if x.Header.InherentLabel.InIssuType.Code != "N" || x.Data.Specifics.Red == nil || x.Data.Specifics.Red.BlueNumber != number ||
		!strings.HasPrefix(x.Data.Additional.Remark, trace) {
		t.Errorf("the red XML: %+v", x.Data)
	}
}

// T63: files come later than the invoice.
func TestFilesLater(t *testing.T) {
	b := newBench(t)
	b.set(map[string]any{"files_delay": "30s"})
	number := b.issue(b.sale("1.00"))
	var f filesResult
	b.call("files", filesRequest{Number: number, Format: "ofd"}, codeDone, &f)
	if f.State != "pending" || f.Content != "" {
		t.Errorf("at once: %+v", f)
	}
	b.advance("30s")
	b.file(number, "ofd")
	b.call("files", filesRequest{Number: number, Format: "doc"}, codeField, nil)
	b.call("files", filesRequest{Number: "26002999999999999999", Format: "pdf"}, codeNotFound, nil)
}

// Long invoices grow the page until it may grow no more; nothing leaves the page.
func TestLongPages(t *testing.T) {
	b := newBench(t)
	for _, n := range []int{1, 8, 9, 200, maxLines} {
		r := b.sale()
		for range n {
			r.Lines = append(r.Lines, wireLine{No: len(r.Lines) + 1, Nature: natureNormal, Name: strings.Repeat("长", 60), ShortName: "谷物加工品",
				Code: goodsCode, Net: "1.00", Rate: "0.13", Tax: "0.13", Gross: "1.13"})
		}
		total(&r)
		parsed := r.read(&fields{})
		p := drawPage(parsed)
		if p.height > 14400 {
			t.Errorf("%d lines: %f points are too tall", n, p.height)
		}
		for _, text := range p.texts {
			if text.x < 0 || text.y < 0 || text.y > p.height || text.x+text.size*ems(text.s) > pageWidth {
				t.Errorf("%d lines: %q leaves the page", n, text.s)
			}
		}
	}
	var long strings.Builder
	for i := range 150 {
		fmt.Fprintf(&long, "备注%d", i)
	}
	if lines := wrap(long.String(), 60); strings.Join(lines, "") != long.String() || len(lines) < 5 {
		t.Errorf("wrapped into %d lines", len(lines))
	}
}
