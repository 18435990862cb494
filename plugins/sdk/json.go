package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxDepth is how deep a document may nest.
const MaxDepth = 32

// DecodeJSON decodes one JSON value into v, and refuses what two readers could read differently: a key twice in an
// object, keys that differ in case alone (encoding/json takes either for the same field), invalid UTF-8 and lone
// surrogates, control characters even when escaped (line break and tab excepted), nesting beyond [MaxDepth], anything
// after the value. Numbers keep their digits as json.Number where the target is json.Number or any. Errors are *Fault.
func DecodeJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return &Fault{Reason: BadUTF8, Detail: "the document is not UTF-8"}
	}
	if err := scanJSON(data); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return &Fault{Reason: BadField, Path: wrong.Field, Detail: "a " + wrong.Value + " where " + wrong.Type.String() + " is wanted"}
		}
		var f *Fault
		if errors.As(err, &f) {
			return f
		}
		return &Fault{Reason: BadJSON, Detail: "the document does not fit its form"}
	}
	if _, err := dec.Token(); err != io.EOF {
		return &Fault{Reason: BadJSON, Detail: "something follows the document"}
	}
	return nil
}

// Text takes a JSON string or number and keeps its characters: for ids that a platform writes either way and that a
// floating-point number would round. null gives "".
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	switch {
	case string(data) == "null":
		return nil
	case data[0] == '"':
		return json.Unmarshal(data, (*string)(t))
	case data[0] == '-' || data[0] >= '0' && data[0] <= '9':
		*t = Text(data)
		return nil
	}
	return &Fault{Reason: BadField, Detail: "neither text nor number"}
}

// scanJSON walks the document's structure. A document that isn't JSON at all is left to the decoder's own error.
func scanJSON(data []byte) error {
	if !json.Valid(data) {
		return invalidJSON(data)
	}
	s := jsonScanner{data: data}
	return s.value(0)
}

func invalidJSON(data []byte) error {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(data, new(any)); errors.As(err, &syntax) {
		return &Fault{Reason: BadJSON, Detail: fmt.Sprintf("not JSON at byte %d", syntax.Offset)}
	}
	return &Fault{Reason: BadJSON, Detail: "not one JSON value"}
}

// jsonScanner reads a document that is known to be well-formed.
type jsonScanner struct {
	data []byte
	pos  int
}

func (s *jsonScanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

func (s *jsonScanner) value(depth int) error {
	if depth > MaxDepth {
		return &Fault{Reason: TooDeep, Detail: fmt.Sprintf("more than %d levels", MaxDepth)}
	}
	switch s.peek() {
	case '{':
		return s.object(depth)
	case '[':
		s.pos++
		for s.peek() != ']' {
			if err := s.value(depth + 1); err != nil {
				return err
			}
		}
		s.pos++
		return nil
	case '"':
		_, err := s.text()
		return err
	}
	for s.pos < len(s.data) && !bytes.ContainsRune([]byte(" \t\r\n,:]}"), rune(s.data[s.pos])) {
		s.pos++
	}
	return nil
}

func (s *jsonScanner) object(depth int) error {
	s.pos++
	seen := map[string]string{}
	for s.peek() != '}' {
		key, err := s.text()
		if err != nil {
			return err
		}
		folded := foldKey(key)
		switch earlier, twice := seen[folded]; {
		case twice && earlier == key:
			return &Fault{Reason: DuplicateKey, Path: shortKey(key)}
		case twice:
			return &Fault{Reason: ShadowedKey, Path: shortKey(key)}
		}
		seen[folded] = key
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
	s.pos++
	return nil
}

// text reads a string and gives its decoded form.
func (s *jsonScanner) text() (string, error) {
	start := s.pos
	escaped := false
	for s.pos++; s.data[s.pos] != '"'; s.pos++ {
		if s.data[s.pos] == '\\' {
			escaped = true
			s.pos++
		}
	}
	s.pos++
	raw := s.data[start:s.pos]
	if !escaped {
		return checkText(string(raw[1 : len(raw)-1]))
	}
	var decoded string
	if err := json.Unmarshal(raw, &decoded); err != nil {
		return "", &Fault{Reason: BadJSON, Detail: "a text cannot be read"}
	}
	// The decoder puts U+FFFD in place of a lone surrogate; one that was written out, raw or escaped, is refused with it
	// when the text also holds escapes, since the two can't be told apart any more.
	if bytes.ContainsRune([]byte(decoded), utf8.RuneError) && !bytes.ContainsRune(raw, utf8.RuneError) {
		return "", &Fault{Reason: BadUTF8, Detail: "half of a surrogate pair"}
	}
	return checkText(decoded)
}

func checkText(s string) (string, error) {
	for _, r := range s {
		if r < 0x20 && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return "", &Fault{Reason: ControlCharacter, Detail: fmt.Sprintf("U+%04X in a text", r)}
		}
	}
	return s, nil
}

// shortKey bounds what a stranger can write into the log.
func shortKey(key string) string {
	const most = 64
	if len(key) > most {
		return strings.ToValidUTF8(key[:most], "") + "…"
	}
	return key
}

// foldKey maps keys that encoding/json takes for the same field to one text: each character becomes the smallest of
// those that it folds with, such as "K" for the Kelvin sign.
func foldKey(key string) string {
	return string(bytes.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, []byte(key)))
}
