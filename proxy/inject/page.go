package inject

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// A search finds the place in a page where something can be added to its head.
// It is given the page piece by piece.
//
// A page begins with a doctype, <html> or <head>; comments, blanks and a byte
// order mark may come before. Anything else is a part of a page, or no HTML
// (text in UTF-16 too), and has no such place. The place is before the first
// thing behind that which is neither blank, comment, <html>, <head> nor <meta>:
// a charset stays among the first bytes, where browsers look for it, and a
// policy in a <meta> holds for what is added.
type search struct {
	tail []byte // from the first token on that may not be complete
	told int    // so many bytes of tail are known to come before the place
	page bool   // it has begun like one
}

// A finding is what a search knows.
type finding int

const (
	unknown finding = iota
	found
	none
)

// maxToken bounds what a search remembers: a page whose beginning holds a longer
// comment or tag has no place.
const maxToken = 8 << 10

// pieceLength is how much is looked at at once.
const pieceLength = 4 << 10

// read takes the next piece from r, and returns the error of r. It returns what
// comes before the place and has not been returned yet and, where the place is
// found, what comes behind it. The only thing that it keeps back is the
// beginning of a tag whose name is not complete, and that not at the end of r.
// What it returns stays as it is.
func (s *search) read(r io.Reader) (before, after []byte, f finding, err error) {
	s.tail = slices.Grow(s.tail, pieceLength)
	n, err := r.Read(s.tail[len(s.tail):][:pieceLength])
	s.tail = s.tail[:len(s.tail)+n]
	next, known, f := s.look()
	switch {
	case f == found:
		return s.tail[s.told:known], s.tail[known:], found, err
	case f == none, err != nil, len(s.tail)-next > maxToken:
		return s.tail[s.told:], nil, none, err
	}
	before = s.tail[s.told:known]
	s.tail, s.told = s.tail[next:], known-next
	return before, nil, unknown, nil
}

// look reads the tail. It returns where the first token that may not be complete
// begins, and how much is known to come before the place; where that is found,
// known is the place itself.
func (s *search) look() (next, known int, f finding) {
	if !s.page && s.told == 0 {
		if place, known := quickPlace(s.tail); known {
			return 0, place, found
		}
	}
	return s.tokenize()
}

// tokenize is look for every page.
func (s *search) tokenize() (next, known int, f finding) {
	z := html.NewTokenizer(bytes.NewReader(s.tail))
	for start := 0; ; {
		kind := z.Next()
		end := start + len(z.Raw())
		if kind == html.ErrorToken {
			end = len(s.tail) // in the middle of a tag, if anywhere
		}
		if start == len(s.tail) {
			return start, start, unknown
		}
		last := end == len(s.tail) // and perhaps not complete
		switch kind {
		case html.CommentToken:
		case html.DoctypeToken:
			s.page = s.page || !last
		case html.TextToken:
			text := s.tail[start:end]
			rest := bytes.TrimLeft(text, " \t\n\f\r")
			if !s.page {
				if last && len(rest) < len(byteOrderMark) && strings.HasPrefix(byteOrderMark, string(rest)) {
					return start, end - len(rest), unknown
				}
				rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte(byteOrderMark)), " \t\n\f\r")
			}
			switch {
			case len(rest) == 0:
			case last && (string(rest) == "<" || string(rest) == "</"):
				return end - len(rest), end - len(rest), unknown
			case s.page:
				return 0, end - len(rest), found
			default:
				return 0, 0, none
			}
		default:
			name, complete := tagName(s.tail[start:end])
			switch {
			case !complete:
				return start, start, unknown
			case name == "html", name == "head":
				s.page = true
			case name == "meta" && s.page:
			case s.page:
				return 0, start, found
			default:
				return 0, 0, none
			}
		}
		if last {
			if kind == html.TextToken {
				start = end
			}
			return start, end, unknown
		}
		start = end
	}
}

const byteOrderMark = "\ufeff"

// tagName returns the name in the beginning of a tag, "/" before that of an end
// tag, and whether it is there as a whole.
func tagName(tag []byte) (name string, complete bool) {
	end := bytes.IndexAny(tag[len("</"):], " \t\n\f\r/>")
	if end < 0 {
		return "", false
	}
	return strings.ToLower(string(tag[1 : len("</")+end])), true
}
