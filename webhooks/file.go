package webhooks

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

const (
	// linkLife is how long a link to a file works.
	linkLife = 10 * time.Minute
	// indexLink is the kind under which links are signed: the vault's index is a keyed one-way function that all hosts
	// share.
	indexLink = "file_link"
)

// mediaTypes are those of the files' formats; others are not served.
var mediaTypes = map[core.FileFormat]string{core.PDF: "application/pdf", core.OFD: "application/ofd", core.XML: "application/xml"}

// link is the address of a file for the next minutes: document, format, end and signature.
func (b *Buyer) link(document core.ID, format core.FileFormat) string {
	text := fmt.Sprintf("%s.%s.%d", document, format, b.Clock.Now().Add(linkLife).Unix())
	return "/files/" + text + "." + b.Vault.Index(indexLink, text)
}

// readLink returns what a link names, if its signature is ours and its time not over.
func (b *Buyer) readLink(link string) (document core.ID, format core.FileFormat, ok bool) {
	parts := strings.Split(link, ".")
	if len(parts) != 4 {
		return "", "", false
	}
	text, mac := strings.Join(parts[:3], "."), parts[3]
	genuine := gmcrypto.Equal([]byte(b.Vault.Index(indexLink, text)), []byte(mac))
	until, err := strconv.ParseInt(parts[2], 10, 64)
	if !genuine || err != nil || b.Clock.Now().Unix() >= until {
		return "", "", false
	}
	return core.ID(parts[0]), core.FileFormat(parts[1]), true
}

// file sends a file of an invoice that is not reversed.
func (b *Buyer) file(c *fiber.Ctx) error {
	if err := b.within(c, ""); err != nil {
		return err
	}
	gone := refusal{status: fiber.StatusNotFound, code: CodeNotFound}
	document, format, ok := b.readLink(c.Params("link"))
	media := mediaTypes[format]
	if !ok || media == "" {
		return gone
	}
	f, ok, err := b.fileOf(document, format)
	if err != nil {
		return err
	}
	if !ok {
		return gone
	}
	content, err := b.Vault.Open(core.Place{Table: "file", Row: string(document) + "/" + string(format), Column: "content"}, f.Content)
	if err != nil {
		return fmt.Errorf("open the %s of document %s: %w", format, document, err)
	}
	harden(c.Context())
	c.Set(fiber.HeaderContentType, media)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename*=UTF-8''`+url.PathEscape(f.Name))
	c.Response().SetBodyRaw(content)
	return nil
}

func (b *Buyer) fileOf(document core.ID, format core.FileFormat) (f core.FileRecord, ok bool, err error) {
	ctx, cancel := context.WithTimeout(b.edge.ctx, viewTime)
	defer cancel()
	err = b.Store.View(ctx, func(v core.View) error {
		d, err := v.Document(document)
		if err != nil {
			return err
		}
		all, err := v.DocumentsOf(d.Sale)
		if err != nil {
			return err
		}
		if reversed(d, remaining(d, all)) {
			return nil
		}
		files, err := v.FilesOf(document)
		for _, each := range files {
			if each.Format == format {
				f, ok = each, true
			}
		}
		return err
	})
	if err != nil {
		return f, false, fmt.Errorf("find the %s of document %s: %w", format, document, err)
	}
	return f, ok, nil
}
