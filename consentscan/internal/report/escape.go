package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// How many characters are shown to people: of one name, address or other word of the site,
// and of a sentence or a line of code about it, which is to be copied.
const (
	maxShown    = 300
	maxSentence = 3000
)

// show returns a name or an address for people: what cannot be seen, or would steer what is
// next to it, as Go writes it ("\x1b", "\u202e"), and the middle left out of what is long.
func show(s string) string { return shorten(s, maxShown) }

// say is show for a sentence.
func say(s string) string { return shorten(s, maxSentence) }

func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) > limit {
		runes := []rune(s)
		s = string(runes[:limit*2/3]) + "…" + string(runes[len(runes)-limit/3:])
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if strconv.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteRune(r)
		} else {
			quoted := strconv.Quote(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}

// encode returns v as JSON, indented by two spaces if indent is set. What cannot be seen
// is escaped, so that a terminal that shows the file does nothing that a name says.
func encode(v any, indent bool) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	if indent {
		encoder.SetIndent("", "  ")
	}
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, r := range text.String() {
		if r == '\n' || strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) { // JSON has such characters in strings only
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes(), nil
}

// address returns the address of a page without its query, given as [seen.Event.Page]
// has it.
func address(scan *seen.Scan, page string) string {
	page, _, _ = strings.Cut(page, "?")
	if u, err := url.Parse(page); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		return withoutSecrets(u)
	}
	site, err := url.Parse(scan.Site)
	if err != nil {
		site = new(url.URL)
	}
	// A path is no reference: "//other.example" would be another host.
	u := &url.URL{Scheme: site.Scheme, Host: site.Host, Path: page}
	if path, err := url.PathUnescape(page); err == nil {
		u.Path, u.RawPath = path, page
	}
	return withoutSecrets(u)
}

// withoutSecrets returns an address without what may be one person's.
func withoutSecrets(u *url.URL) string {
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	return u.String()
}

// reference returns the relative path of a file as a URI has it.
func reference(file string) string {
	return (&url.URL{Path: strings.TrimPrefix(path.Clean(strings.ReplaceAll(file, `\`, "/")), "/")}).String()
}

// sayLines is say for a text of several lines, such as a declaration.
func sayLines(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\r\n"), "\n")
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		indent := len(line) - len(strings.TrimLeft(line, "\t"))
		lines[i] = strings.Repeat("  ", indent) + say(line[indent:])
	}
	return strings.Join(lines, "\n")
}

// plain returns a message of SARIF that says s, and holds neither a link nor a
// placeholder (SARIF 2.1.0 sections 3.11.5 and 3.11.6).
func plain(s string) sarifText {
	return sarifText{strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(s)}
}
