package inject

import (
	"bytes"
	"strings"
)

// quickPlace finds the place in the beginning of a page that is as most are: a doctype,
// <html>, <head> and <meta>, with attributes as everybody writes them. It is for speed
// alone: whatever it does not know the tokenizer of a search reads.
func quickPlace(text []byte) (place int, known bool) {
	isPage := false
	for at := 0; ; {
		for at < len(text) && isBlank(text[at]) {
			at++
		}
		rest := text[at:]
		if len(rest) < 2 || rest[0] != '<' {
			return 0, false
		}
		if hasPrefixFold(string(rest[:min(len(rest), len("<!doctype"))]), "<!doctype") {
			end := bytes.IndexByte(rest, '>')
			if end < 0 {
				return 0, false
			}
			isPage = true
			at += end + 1
			continue
		}
		name := nameLength(rest[1:])
		if name == 0 || 1+name == len(rest) || !isBlank(rest[1+name]) && rest[1+name] != '>' {
			return 0, false
		}
		tag := string(rest[1 : 1+name])
		switch {
		case strings.EqualFold(tag, "html") || strings.EqualFold(tag, "head"):
			isPage = true
		case strings.EqualFold(tag, "meta") && isPage:
		default:
			return at, isPage
		}
		length := tagLength(rest, 1+name)
		if length == 0 {
			return 0, false
		}
		at += length
	}
}

// tagLength returns the length of a tag, the name of which ends at the position; 0 if it is
// not there as a whole, or has an attribute that is written in a rare way.
func tagLength(tag []byte, at int) int {
	for {
		for at < len(tag) && isBlank(tag[at]) {
			at++
		}
		if at == len(tag) {
			return 0
		}
		if tag[at] == '>' {
			return at + 1
		}
		if tag[at] == '/' && at+1 < len(tag) && tag[at+1] == '>' {
			return at + 2
		}
		name := nameLength(tag[at:])
		if at += name; name == 0 || at == len(tag) {
			return 0
		}
		if tag[at] != '=' {
			if !isBlank(tag[at]) && tag[at] != '>' {
				return 0
			}
			continue
		}
		if at++; at == len(tag) {
			return 0
		}
		if quote := tag[at]; quote == '"' || quote == '\'' {
			end := bytes.IndexByte(tag[at+1:], quote)
			if end < 0 {
				return 0
			}
			at += end + 2
		} else {
			value := nameLength(tag[at:])
			if at += value; value == 0 {
				return 0
			}
		}
		if at == len(tag) || !isBlank(tag[at]) && tag[at] != '>' && tag[at] != '/' {
			return 0
		}
	}
}

// nameLength returns how many letters, digits and hyphens come first.
func nameLength(text []byte) int {
	for i, c := range text {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return i
		}
	}
	return len(text)
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }
