package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cookiecharter/consent/internal/joined"
	"github.com/cookiecharter/consent/proxy/internal/yamldoc"
	"github.com/cookiecharter/consent/proxy/site"
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
	for _, err := range joined.Split(err) {
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

// ofSite notes what the site's own check has found, at the paths that its fields have here.
// That there are no declarations or no keys has been said, with the reason.
func (r *reading) ofSite(err error) {
	for _, err := range joined.Split(err) {
		m, is := errors.AsType[*site.Mistake](err)
		switch {
		case !is:
			r.wrong("", "%v", err)
		case m.Field == "Consent.Registry" && r.settings.Site.Consent.Registry == nil:
		case m.Field == "Consent.Keys" && len(r.settings.Site.Consent.Keys) == 0:
		default:
			r.wrong(pathOf(m), "%s", m.Reason)
		}
	}
}

// paths has those of fields that are called otherwise in a file.
var paths = map[string]string{
	"Consent.Registry": "declarations", "Consent.Keys": "keys", "Consent.Insecure": "insecure",
	"Consent.Lifetime": "decision.lifetime", "Consent.Revision": "decision.revision", "Consent.CookieName": "decision.cookieName",
	"Consent.FormerCookieName": "decision.formerCookieName", "Consent.CookiePath": "decision.cookiePath", "Consent.Domain": "decision.domain",
	"Charter.GPCSince": "charter.gpcSince",
}

// pathOf returns the path of the field of a mistake: that of Charter.Layout is charter.layout.
func pathOf(m *site.Mistake) string {
	path, is := paths[m.Field]
	if !is {
		part, field, _ := strings.Cut(m.Field, ".")
		path = strings.ToLower(part) + "." + strings.ToLower(field[:1]) + field[1:]
	}
	switch i, err := strconv.Atoi(m.At); {
	case m.At == "" || path == "keys": // keys stand in a file or the environment
		return path
	case err == nil:
		return yamldoc.Index(path, i)
	default:
		return yamldoc.Key(path, m.At)
	}
}
