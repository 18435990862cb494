package gm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// fileNameShape keeps paths and control characters out of names.
var fileNameShape = regexp.MustCompile(`^[^/\\:\x00-\x1f\x7f]{1,200}$`)

// File fetches a file of an issued invoice and checks it against its digest. Errors are of type *Error, or say that
// nothing was sent.
func (c *Client) File(ctx context.Context, _ core.Seller, number string, format core.FileFormat) (core.File, bool, error) {
	if !numberShape.MatchString(number) {
		return core.File{}, false, fmt.Errorf("gm files: number %q is not 20 digits", number)
	}
	r, err := c.ask(ctx, core.OpFiles, number, struct {
		Number string          `json:"number"`
		Format core.FileFormat `json:"format"`
	}{number, format})
	if err == nil {
		err = r.failure()
	}
	if err != nil {
		return core.File{}, false, err
	}
	var result struct {
		State   string `json:"state"`
		Name    string `json:"name"`
		SM3     string `json:"sm3"`
		Content string `json:"content"`
	}
	if err := r.decode(&result); err != nil {
		return core.File{}, false, r.malformed(err)
	}
	switch result.State {
	case "pending":
		return core.File{}, false, nil
	case "ready":
	default:
		return core.File{}, false, r.malformed(errors.New("the file's state is unknown"))
	}
	content, err := base64.StdEncoding.Strict().DecodeString(result.Content)
	if err != nil || len(content) == 0 {
		return core.File{}, false, r.malformed(errors.New("the file's content is not base64, or empty"))
	}
	if digest(content) != strings.ToLower(result.SM3) {
		return core.File{}, false, r.malformed(errors.New("the file's content and its SM3 digest differ"))
	}
	if !fileNameShape.MatchString(result.Name) {
		return core.File{}, false, r.malformed(errors.New("the file's name has a path or control characters"))
	}
	return core.File{Format: format, Name: result.Name, Content: content}, true, nil
}
