package charter

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A law is what a control is drawn under.
type law struct {
	regime consent.Regime
	gpc    bool // the browser sends Global Privacy Control, and the regime heeds that
}

// lawOf returns the law of a request.
func lawOf(r *http.Request) law {
	regime := consent.FromContext(r.Context()).Regime()
	return law{regime, regime == consent.OptOut && sendsGPC(r)}
}

// underGPC is the name of OptOut with Global Privacy Control: it stands on every page with such
// a banner, so that it is short.
const underGPC = "gpc"

func (l law) String() string {
	if l.gpc {
		return underGPC
	}
	return l.regime.String()
}

// lawNamed is the reverse of String.
func lawNamed(name string) (l law, isKnown bool) {
	if name == underGPC {
		return law{consent.OptOut, true}, true
	}
	err := l.regime.UnmarshalText([]byte(name))
	return l, err == nil
}

// A drawing is how a control was drawn by which a visitor has answered: maybe long ago, under
// another law than that of the answer, and in another language than the browser's. It is what
// the form says in its field "drawn":
//
//	en.1f2e.opt-in         language, version, law: a banner that all visitors share under a law, a placeholder
//	en.1f2e.1x2y3z.opt-in  with the state of the visitor: a form, another banner
//
// A visitor can post anything. What does not fit makes no notice of a screen; a law that nobody
// knows is none; and of the others none makes an answer count for more than one that says nothing.
type drawing struct {
	l        *localized
	language language.Tag // that of l; the zero Tag if it is not known in which language it was
	law      law          // the request's, if isOf is false
	isOf     bool         // the form or the program says which law it was
	isNow    bool         // the answers and the law that it showed are those of now
	isKnown  bool         // what was on the screen can be drawn again
}

// drawingOf returns how the control of an answer was drawn. A template of the site that does
// not post it was drawn as this request would have it.
func (c *Charter) drawingOf(r *http.Request, a answer) drawing {
	l := c.localizedFor(r)
	d := drawing{l: l, language: l.words.tag, law: lawOf(r), isNow: true}
	switch {
	case a.control == byProgram: // nobody knows what it shows
		d.language = language.Tag{}
		if a.asked != nil {
			d.law, d.isOf, d.isNow = *a.asked, true, false
		}
		return d
	case a.drawn == "":
		d.isKnown = c.hasShown(a)
		return d
	}
	parts := strings.Split(a.drawn, ".")
	named, isLaw := lawNamed(parts[len(parts)-1])
	if isLaw && (len(parts) == 3 || len(parts) == 4) {
		d.law, d.isOf = named, true
		d.isNow = len(parts) == 4 && parts[2]+"."+parts[3] == c.stateOf(r)
	}
	d.language = language.Tag{}
	if i := slices.IndexFunc(c.languages, func(tag language.Tag) bool { return tag.String() == parts[0] }); i >= 0 {
		d.l, d.language = c.localized[i](), c.languages[i]
		d.isKnown = d.isOf && parts[1] == c.version && c.hasShown(a)
	}
	switch a.control {
	case byPlaceholder: // which shows nothing of the law, nor of answers
	case byBanner:
		d.isKnown = d.isKnown && (d.isNow || len(parts) == 3 && c.sharedBanner(d) != nil)
	default:
		d.isKnown = d.isKnown && d.isNow
	}
	return d
}

// hasShown reports whether an answer is one that its control can give.
func (c *Charter) hasShown(a answer) bool {
	switch {
	case a.control == byPlaceholder:
		return len(a.allow) == 1
	case a.control == byBanner && c.templates == templates:
		return a.pressed != "save"
	default:
		return true
	}
}

// sharedBanner returns the question that visitors share who have answered nothing under the law
// of a drawing, nil if there is none.
func (c *Charter) sharedBanner(d drawing) *question {
	for _, q := range d.l.shared() {
		if q.law == d.law && q.banner[0] != "" {
			return q
		}
	}
	return nil
}

// drawnIn is what each control in a language posts first as "drawn".
func (c *Charter) drawnIn(l *localized) string { return l.words.tag.String() + "." + c.version + "." }

// stateOf stands for what a control shows of its visitor: what they had decided, for whom, and
// what is presumed of them under which law. In another tab, they may have answered since.
func (c *Charter) stateOf(r *http.Request) string {
	prefs := consent.FromContext(r.Context())
	parts := []string{strconv.FormatInt(prefs.DecidedAt().UnixMilli(), 10), c.formOf(r)}
	for _, category := range c.allCategories() {
		parts = append(parts, strconv.FormatBool(prefs.Presumed(category)))
	}
	return strings.TrimPrefix(idOf(parts...), "charter-") + "." + lawOf(r).String()
}

// versionOf returns what stands for all that a control may show, the same in every process
// that runs the same site.
func (c *Charter) versionOf() (string, error) {
	all := []any{
		c.templatesSum, sumOf(c.style.content), c.layout, c.name, c.public, c.policyURL, c.updated.Format(time.DateOnly), c.words, c.categories, c.mw.Registry(),
		c.defaultLanguage, c.history != nil,
	}
	for _, own := range c.ownCookies() {
		all = append(all, own.Name, own.MaxAge) // which the tables show
	}
	content, err := json.Marshal(all)
	return sumOf(content)[:4], err // each byte is one more on every page with a banner
}

// unknown returns what is known of a control that cannot be drawn again: the site has changed
// since then, or the visitor's decision, or the control is a program's.
func (c *Charter) unknown(r *http.Request, a answer, d drawing) consent.Screen {
	s := consent.Screen{Control: string(a.control), Pressed: a.pressed, Host: c.hosts.keep(hostOf(r)), Changed: a.control != byProgram}
	if d.language != (language.Tag{}) {
		s.Language = d.language.String()
		if dir := direction(d.language); dir != "ltr" {
			s.Direction = dir
		}
	}
	if d.isOf {
		s.Regime = d.law.regime.String()
	}
	return s
}
