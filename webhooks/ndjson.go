package webhooks

import "bytes"

// Limits of a batch of receipts.
const (
	maxLines     = 500
	maxLineBytes = 1 << 20
)

// cutLines cuts a batch (application/x-ndjson) at its line ends; the last one may be missing. A line's number is its
// place in the batch, so an empty line is a line too. It returns false when there are more than maxLines.
func cutLines(body []byte) ([][]byte, bool) {
	body = bytes.TrimSuffix(body, []byte{'\n'})
	n := bytes.Count(body, []byte{'\n'}) + 1
	if n > maxLines {
		return nil, false
	}
	lines := make([][]byte, 0, n)
	for line := range bytes.SplitSeq(body, []byte{'\n'}) {
		lines = append(lines, bytes.TrimSuffix(line, []byte{'\r'}))
	}
	return lines, true
}

// lineFault is why a line is no receipt, whatever it holds.
func lineFault(line []byte) Code {
	switch {
	case len(bytes.TrimSpace(line)) == 0:
		return CodeEmptyLine
	case len(line) > maxLineBytes:
		return CodeLineTooLong
	}
	return ""
}
