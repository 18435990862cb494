package sandbox

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"unicode/utf16"
)

// renderPDF writes one page. The font is the standard Chinese one, STSong-Light, which readers bring along; texts are
// UTF-16, so they can be searched and copied.
func renderPDF(i *invoice) ([]byte, error) {
	p := drawPage(i)
	content, err := deflated(pdfContent(p))
	if err != nil {
		return nil, err
	}
	toUnicode, err := deflated(pdfToUnicode())
	if err != nil {
		return nil, err
	}
	w := &pdfWriter{}
	w.WriteString("%PDF-1.5\n%\xe5\x8f\x91\xe7\xa5\xa8\n")
	w.object("<< /Type /Catalog /Pages 2 0 R /Lang (zh-CN) >>")
	w.object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	w.object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f]"+
		" /Resources << /Font << /F1 4 0 R >> >> /Contents 8 0 R >>", pageWidth, p.height))
	w.object("<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UTF16-H /Encoding /UniGB-UTF16-H" +
		" /DescendantFonts [5 0 R] /ToUnicode 7 0 R >>")
	// CIDs 1 to 95 of Adobe-GB1 are ASCII.
	w.object("<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light" +
		" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >>" +
		" /FontDescriptor 6 0 R /DW 1000 /W [1 95 500] >>")
	w.object("<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880]" +
		" /ItalicAngle 0 /Ascent 752 /Descent -271 /CapHeight 737 /StemV 58 >>")
	w.stream(toUnicode)
	w.stream(content)
	w.object(fmt.Sprintf("<< /Title <FEFF%s> /Producer (kaipiao sandbox) /CreationDate (D:%s+08'00') >>",
		utf16Hex("沙箱 "+i.Number), i.IssuedAt.In(beijing).Format("20060102150405")))
	return w.finish(1, 9, hexSM3([]byte(i.Number))[:32]), nil
}

func pdfContent(p *page) string {
	var b strings.Builder
	colours := map[ink]string{inkLabel: "0.5 0 0 rg", inkData: "0 g", inkWatermark: "0.9 g"}
	for _, t := range p.texts {
		fmt.Fprintf(&b, "BT %s /F1 %.2f Tf 1 0 0 1 %.2f %.2f Tm <%s> Tj ET\n",
			colours[t.ink], t.size, t.x, t.y, utf16Hex(t.s))
	}
	b.WriteString("0.5 0 0 RG 0.6 w\n")
	for _, r := range p.rules {
		fmt.Fprintf(&b, "%.2f %.2f m %.2f %.2f l S\n", r.x1, r.y1, r.x2, r.y2)
	}
	return b.String()
}

func utf16Hex(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return b.String()
}

// pdfToUnicode says that codes are UTF-16 already, for readers that lack the predefined CMap. A range must not cross
// its high byte, so there is one for each.
func pdfToUnicode() string {
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n" +
		"1 begincodespacerange <0000> <FFFF> endcodespacerange\n")
	for high := 0; high < 256; high += 64 {
		b.WriteString("64 beginbfrange\n")
		for h := high; h < high+64; h++ {
			fmt.Fprintf(&b, "<%02X00> <%02XFF> <%02X00>\n", h, h, h)
		}
		b.WriteString("endbfrange\n")
	}
	b.WriteString("endcmap CMapName currentdict /CMap defineresource pop end end\n")
	return b.String()
}

func deflated(s string) ([]byte, error) {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		return nil, fmt.Errorf("compressing a PDF stream: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compressing a PDF stream: %w", err)
	}
	return b.Bytes(), nil
}

// pdfWriter numbers objects from 1 and remembers where each begins.
type pdfWriter struct {
	bytes.Buffer
	offsets []int
}

func (w *pdfWriter) object(body string) {
	w.offsets = append(w.offsets, w.Len())
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", len(w.offsets), body)
}

func (w *pdfWriter) stream(data []byte) {
	w.object(fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", len(data), data))
}

func (w *pdfWriter) finish(root, info int, id string) []byte {
	start := w.Len()
	fmt.Fprintf(w, "xref\n0 %d\n0000000000 65535 f \n", len(w.offsets)+1)
	for _, at := range w.offsets {
		fmt.Fprintf(w, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(w, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(w.offsets)+1, root, info, id, id, start)
	return w.Bytes()
}
