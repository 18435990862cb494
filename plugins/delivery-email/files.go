package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// attachment is a file as it goes into a message. Its name is ASCII: go-mail writes other names in a way that is no
// legal MIME, and mailboxes that are common in China can't read the legal way.
type attachment struct {
	name    string
	format  sdk.FileFormat
	content []byte
}

var contentTypes = map[sdk.FileFormat]mail.ContentType{
	sdk.PDF: "application/pdf",
	sdk.OFD: "application/ofd",
	sdk.XML: "application/xml",
}

// readFiles reads what the host handed over. Files that together exceed most are not read: tooBig. The fault says why
// a file can't be used, without its path.
func readFiles(inv sdk.Invoice, most int64) (read []attachment, tooBig bool, fault string) {
	var total int64
	for _, f := range inv.Files {
		total += f.Size
	}
	if total > most {
		return nil, true, ""
	}
	seen := map[sdk.FileFormat]bool{}
	for _, f := range inv.Files {
		if contentTypes[f.Format] == "" || seen[f.Format] {
			return nil, false, "a file of unknown or repeated format"
		}
		seen[f.Format] = true
		content, err := readAtMost(f.Path, f.Size)
		if err != nil {
			return nil, false, "the " + string(f.Format) + " file cannot be read"
		}
		sum := sha256.Sum256(content)
		if int64(len(content)) != f.Size || hex.EncodeToString(sum[:]) != f.SHA256 {
			return nil, false, "the " + string(f.Format) + " file does not match its size and checksum"
		}
		name := "dzfp_" + inv.Number + "." + strings.ToLower(string(f.Format))
		read = append(read, attachment{name: name, format: f.Format, content: content})
	}
	return read, false, ""
}

// readAtMost reads one byte more than it should find, so that a file that has grown shows.
func readAtMost(path string, size int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, size+1))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return content, err
}
