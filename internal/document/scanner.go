package document

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A scanner goes through JSON (RFC 8259). At the first thing that is no JSON it is
// broken: it notes the mistake and finds nothing more.
type scanner struct {
	data     []byte
	at       int    // the offset of what comes next
	path     []byte // of the value there
	depth    int
	broken   bool
	mistakes []*Mistake
	short    map[string]string
}

// mistake notes what is wrong at an offset.
func (s *scanner) mistake(offset int, reason string, args ...any) {
	if s.broken {
		return
	}
	if len(s.mistakes) == maxMistakes {
		reason, args = "here is one mistake more than %d; what follows is not read", []any{maxMistakes}
		s.broken = true
	}
	s.mistakes = append(s.mistakes, &Mistake{Path: string(s.path), Reason: fmt.Sprintf(reason, args...), offset: offset})
}

// fail notes what is wrong here, and ends the reading.
func (s *scanner) fail(reason string, args ...any) {
	s.mistake(min(s.at, len(s.data)), reason, args...)
	s.broken = true
}

// next returns the first byte of what comes next, 0 at the end.
func (s *scanner) next() byte {
	for ; s.at < len(s.data) && !s.broken; s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// kind says what comes next.
func (s *scanner) kind() string {
	switch c := s.next(); {
	case s.broken:
	case c == '{':
		return "an object"
	case c == '[':
		return "a list"
	case c == '"':
		return "a text"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	case s.word("true") || s.word("false"):
		return "true or false"
	case s.word("null"):
		return "null"
	case s.at >= len(s.data):
		s.fail("the document ends too early")
	default:
		r, _ := utf8.DecodeRune(s.data[s.at:])
		s.fail("here is %q, and should be a value", r)
	}
	return ""
}

func (s *scanner) word(want string) bool {
	return len(s.data)-s.at >= len(want) && string(s.data[s.at:s.at+len(want)]) == want
}

// elements calls f before each element of an object or a list, which f has to pass.
func (s *scanner) elements(end byte, f func(i int)) {
	if s.depth++; s.depth > maxDepth {
		s.fail("is nested more than %d deep", maxDepth)
	}
	defer func() { s.depth-- }()
	s.at++
	if s.next() == end {
		s.at++
		return
	}
	for i := 0; !s.broken; i++ {
		f(i)
		switch c := s.next(); {
		case s.broken:
		case c == end:
			s.at++
			return
		case c == ',':
			s.at++
		case s.at >= len(s.data):
			s.fail("the document ends too early")
		default:
			r, _ := utf8.DecodeRune(s.data[s.at:])
			s.fail("here is %q, and should be ',' or %q", r, end)
		}
	}
}

// members calls f before the value of each member of an object, with its key and the
// key's offset, which f has to pass.
func (s *scanner) members(f func(key string, offset int)) {
	s.elements('}', func(int) {
		if c := s.next(); c != '"' {
			s.fail("here should be a name in quotation marks")
			return
		}
		offset := s.at
		key := s.string()
		if s.next() != ':' {
			s.fail("here should be ':' and the value of %s", shortened(key))
			return
		}
		s.at++
		f(key, offset)
	})
}

// skip passes over any value.
func (s *scanner) skip() {
	switch s.kind() {
	case "an object":
		s.members(func(string, int) { s.skip() })
	case "a list":
		s.elements(']', func(int) { s.skip() })
	case "a text":
		s.string()
	case "a number":
		s.number()
	case "null":
		s.at += len("null")
	case "true or false":
		s.bool()
	}
}

func (s *scanner) bool() bool {
	is := s.word("true")
	s.at += len("true")
	if !is {
		s.at++
	}
	return is
}

func (s *scanner) number() string {
	start := s.at
	for s.at < len(s.data) && slices.Contains([]byte("+-.0123456789Ee"), s.data[s.at]) {
		s.at++
	}
	number := s.data[start:s.at]
	if !json.Valid(number) {
		s.at = start
		s.fail("%s is no number", shortened(string(number)))
	}
	return string(number)
}

func (s *scanner) string() string {
	start, escaped := s.at, false
	for s.at++; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return s.unquote(start, escaped)
		case c == '\\':
			escaped = true
			s.at++
		case c < ' ':
			s.fail("a text holds %q, which JSON writes as an escape", c)
			return ""
		}
	}
	s.at = start
	s.fail("a text does not end")
	return ""
}

// unquote returns the string between start and here.
func (s *scanner) unquote(start int, escaped bool) string {
	quoted := s.data[start:s.at]
	if !utf8.Valid(quoted) {
		s.mistake(start, "is not UTF-8")
	}
	if !escaped {
		return s.kept(quoted[1 : len(quoted)-1])
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		s.at = start
		s.fail("a text holds an escape that JSON does not have")
	} else if half := lone(quoted); half != "" {
		s.mistake(start, "holds %s, which is half of a character", half)
	}
	return text
}

// kept returns a text; a short one, such as a name of a field, is kept once. That spares
// 10,000 declarations a third of the allocations.
func (s *scanner) kept(text []byte) string {
	if len(text) > 16 {
		return string(text)
	}
	kept, known := s.short[string(text)]
	if !known {
		kept = string(text)
		s.short[kept] = kept
	}
	return kept
}

// lone returns the first escape of a surrogate without its other half (RFC 8259
// section 8.2), which encoding/json replaces.
func lone(quoted []byte) string {
	escape := func(i int) rune {
		if i+6 > len(quoted) || quoted[i] != '\\' || quoted[i+1] != 'u' {
			return -1
		}
		r, _ := strconv.ParseUint(string(quoted[i+2:i+6]), 16, 16)
		return rune(r)
	}
	for i := 0; i < len(quoted); i++ {
		switch r := escape(i); {
		case quoted[i] != '\\':
		case !utf16.IsSurrogate(r):
			i++ // an escaped backslash begins no escape
		case utf16.DecodeRune(r, escape(i+6)) == utf8.RuneError:
			return string(quoted[i : i+6])
		default:
			i += 11
		}
	}
	return ""
}

// shortened quotes what somebody has written, or its beginning.
func shortened(text string) string {
	if len(text) > 64 {
		text = text[:64] + "…"
	}
	return strconv.Quote(text)
}
