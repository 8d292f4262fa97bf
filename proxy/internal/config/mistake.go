package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/internal/yamldoc"
)

// A Mistake is something in a file that cannot be read or may not stand there.
type Mistake struct {
	File   string
	Line   int    // from 1; 0 for the file itself
	Path   string // such as "targets[0].to"; "" for the document itself
	Reason string
}

// Error names the file, the line, the path and what is wrong.
func (m *Mistake) Error() string {
	where := m.File
	if m.Line > 0 {
		where += fmt.Sprintf(":%d", m.Line)
	}
	if m.Path != "" {
		where += ": " + m.Path
	}
	return where + ": " + m.Reason
}

// A list collects the mistakes of one file.
type list struct {
	file     string
	document *yamldoc.Value  // nil if there is none
	unread   map[string]bool // the paths of what could not be read
	mistakes []*Mistake
}

// wrong notes a mistake at a path of the document. One about what could not be read is about
// no more than a gap.
func (l *list) wrong(path, reason string, args ...any) {
	if l.unread[path] {
		return
	}
	line := 0
	if l.document != nil {
		line = l.document.LineOf(path)
	}
	l.mistakes = append(l.mistakes, &Mistake{File: l.file, Line: line, Path: path, Reason: fmt.Sprintf(reason, args...)})
}

// wrongAll notes each of the mistakes that an error joins.
func (l *list) wrongAll(path string, err error) {
	for _, err := range split(err) {
		l.wrong(path, "%v", err)
	}
}

// add notes mistakes of another file, or of a part of this one.
func (l *list) add(file string, mistakes []*yamldoc.Mistake) {
	for _, m := range mistakes {
		l.mistakes = append(l.mistakes, &Mistake{File: file, Line: m.Line, Path: m.Path, Reason: m.Reason})
	}
}

// err joins the mistakes: those of the file itself first, in the order of its lines.
func (l *list) err() error {
	slices.SortStableFunc(l.mistakes, func(a, b *Mistake) int {
		if a.File != b.File {
			return 0
		}
		return a.Line - b.Line
	})
	all := make([]error, len(l.mistakes))
	for i, m := range l.mistakes {
		all[i] = m
	}
	return errors.Join(all...)
}

// split returns the errors that an error joins.
func split(err error) []error {
	if err == nil {
		return nil
	}
	if joined, isJoined := err.(interface{ Unwrap() []error }); isJoined {
		var all []error
		for _, err := range joined.Unwrap() {
			all = append(all, split(err)...)
		}
		return all
	}
	return []error{err}
}

// ofSite notes what the site's own check has found, at the paths that its fields have here.
func (l *list) ofSite(err error) {
	for _, err := range split(err) {
		if field, is := errors.AsType[*consent.FieldError](err); is {
			l.wrong(pathOf[field.Field], "%s", field.Reason)
			continue
		}
		if found := charterMistake.FindStringSubmatch(err.Error()); found != nil {
			l.wrong(charterPath(found[1], found[2]), "%s%s", strings.TrimPrefix(found[3], " "), found[4])
			continue
		}
		l.wrong("", "%v", err)
	}
}

// pathOf has the paths of the fields of [consent.Config].
var pathOf = map[string]string{
	"Registry": "declarations", "Keys": "keys", "Lifetime": "decision.lifetime", "Revision": "decision.revision",
	"CookieName": "decision.cookieName", "FormerCookieName": "decision.formerCookieName",
	"CookiePath": "decision.cookiePath", "Domain": "decision.domain", "Insecure": "insecure",
}

// charterMistake has the field, an index or a key, and the reason.
var charterMistake = regexp.MustCompile(`(?s)^charter: Config\.(\w+)(\[[^\]]*\])?( \([^)]*\))?: (.*)$`)

// charterPath returns the path of a field of [charter.Config].
func charterPath(field, within string) string {
	name := strings.ToLower(field[:1]) + field[1:]
	if field == "GPCSince" {
		name = "gpcSince"
	}
	path := "charter." + name
	if key := strings.Trim(within, `["]`); strings.HasPrefix(within, `["`) {
		return yamldoc.Key(path, key)
	}
	return path + within
}
