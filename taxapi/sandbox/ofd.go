package sandbox

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

const (
	ofdHead    = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	ofdXMLNS   = `xmlns:ofd="http://www.ofdspec.org/2016"`
	mmPerPoint = 25.4 / 72
)

// renderOFD writes the smallest document that GB/T 33190 allows: one page, one font by name, texts and lines.
func renderOFD(i *invoice) ([]byte, error) {
	p := drawPage(i)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, entry := range []struct{ name, content string }{
		{"OFD.xml", ofdRoot(i)},
		{"Doc_0/Document.xml", ofdDocument(p)},
		{"Doc_0/PublicRes.xml", ofdResources()},
		{"Doc_0/Pages/Page_0/Content.xml", ofdContent(p)},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entry.name, Method: zip.Deflate, Modified: i.IssuedAt.UTC()})
		if err == nil {
			_, err = w.Write([]byte(ofdHead + entry.content))
		}
		if err != nil {
			return nil, fmt.Errorf("zipping %s: %w", entry.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zipping the OFD: %w", err)
	}
	return b.Bytes(), nil
}

func ofdRoot(i *invoice) string {
	return `<ofd:OFD ` + ofdXMLNS + ` Version="1.1" DocType="OFD"><ofd:DocBody><ofd:DocInfo><ofd:DocID>` +
		hexSM3([]byte(i.Number))[:32] + `</ofd:DocID><ofd:Title>沙箱 ` + i.Number + `</ofd:Title><ofd:CreationDate>` +
		i.IssuedAt.In(beijing).Format(time.DateOnly) + `</ofd:CreationDate><ofd:Creator>kaipiao sandbox</ofd:Creator>` +
		`</ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`
}

func ofdDocument(p *page) string {
	return fmt.Sprintf(`<ofd:Document %s><ofd:CommonData><ofd:MaxUnitID>%d</ofd:MaxUnitID><ofd:PageArea>`+
		`<ofd:PhysicalBox>0 0 %.3f %.3f</ofd:PhysicalBox></ofd:PageArea><ofd:PublicRes>PublicRes.xml</ofd:PublicRes>`+
		`</ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages></ofd:Document>`,
		ofdXMLNS, ofdFirstObject+len(p.texts)+len(p.rules), pageWidth*mmPerPoint, p.height*mmPerPoint)
}

// Ids are unique in a document: 1 is the page, 2 the font, 3 the layer, objects follow.
const ofdFirstObject = 4

func ofdResources() string {
	return `<ofd:Res ` + ofdXMLNS + ` BaseLoc="Res"><ofd:Fonts><ofd:Font ID="2" FontName="宋体" FamilyName="SimSun"/>` +
		`</ofd:Fonts></ofd:Res>`
}

func ofdContent(p *page) string {
	var b strings.Builder
	b.WriteString(`<ofd:Page ` + ofdXMLNS + `><ofd:Content><ofd:Layer ID="3" Type="Body">`)
	id := ofdFirstObject
	mm := func(points float64) float64 { return points * mmPerPoint }
	colours := map[ink]string{inkLabel: "128 0 0", inkData: "0 0 0", inkWatermark: "230 230 230"}
	for _, t := range p.texts {
		size := mm(t.size)
		fmt.Fprintf(&b, `<ofd:TextObject ID="%d" Boundary="%.3f %.3f %.3f %.3f" Font="2" Size="%.3f">`+
			`<ofd:FillColor Value="%s"/><ofd:TextCode X="0" Y="%.3f"%s>%s</ofd:TextCode></ofd:TextObject>`,
			id, mm(t.x), mm(p.height-t.y)-size, size*ems(t.s)+0.5, size*1.25, size, colours[t.ink], size,
			ofdDeltas(t.s, size), escaped(t.s))
		id++
	}
	for _, r := range p.rules {
		w, h := mm(r.x2-r.x1), mm(r.y2-r.y1)
		if h < 0 {
			h = -h
		}
		fmt.Fprintf(&b, `<ofd:PathObject ID="%d" Boundary="%.3f %.3f %.3f %.3f" LineWidth="0.2">`+
			`<ofd:StrokeColor Value="128 0 0"/><ofd:AbbreviatedData>M 0 0 L %.3f %.3f</ofd:AbbreviatedData>`+
			`</ofd:PathObject>`, id, mm(r.x1), mm(p.height-max(r.y1, r.y2)), w+0.2, h+0.2, w, h)
		id++
	}
	b.WriteString(`</ofd:Layer></ofd:Content></ofd:Page>`)
	return b.String()
}

// ofdDeltas are the steps from each character to the next.
func ofdDeltas(s string, size float64) string {
	runes := []rune(s)
	if len(runes) < 2 {
		return ""
	}
	steps := make([]string, len(runes)-1)
	for i := range steps {
		steps[i] = fmt.Sprintf("%.3f", advance(runes[i])*size)
	}
	return ` DeltaX="` + strings.Join(steps, " ") + `"`
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never fails
	return b.String()
}
