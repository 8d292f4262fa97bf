package charter

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// A control is what a visitor answers by, as the field "by" of a form names it.
type control string

const (
	byBanner      control = "banner"
	bySettings    control = "settings" // the dialog with the form
	byPage        control = "page"     // the charter's page with the form
	byForm        control = "form"     // one of the two: a template of the site has no such field
	byPlaceholder control = "placeholder"
	byProgram     control = "program"
)

// A said is a sentence that stands above the form for a while, by its key among the words.
type said string

const (
	saidSaved       said = "Saved" // before the status; the others replace it
	saidNotRecorded said = "NotRecorded"
	saidNotKept     said = "NotKept"
	saidUnverified  said = "Unverified"
)

// say has the view say so above the form.
func (v *view) say(what said) {
	v.Said = what
	switch what {
	case saidSaved:
		v.Just = true
	case saidNotRecorded:
		v.Status = template.HTML(template.HTMLEscapeString(v.Words.NotRecorded))
	case saidNotKept:
		v.Status = template.HTML(template.HTMLEscapeString(v.Words.NotKept))
	case saidUnverified:
		v.Status = template.HTML(template.HTMLEscapeString(v.Words.Unverified))
	default:
		v.Said = "" // somebody has posted something else
	}
}

// controlIn returns the control that a form names.
func controlIn(named string) control {
	switch by := control(named); by {
	case byBanner, bySettings, byPage:
		return by
	default:
		return byForm
	}
}

// evidence returns, for the record of an answer, the visitor's action and what the control
// had on the screen.
func (c *Charter) evidence(r *http.Request, a answer, d drawing) consent.Evidence {
	e := consent.Evidence{Action: a.action, Language: d.language}
	switch {
	case !c.mw.Records(): // to draw the screen again is most of what a post costs
	case d.isKnown:
		e.Notice = c.screen(r, c.viewFor(r, d.l), a, d).Notice()
	default:
		e.Notice = c.unknown(r, a, d).Notice()
	}
	return e
}

// screen returns what the control of an answer had on the screen. It draws it again, by the
// same templates: a list of sentences here would differ from them one day. v is the view of
// the visitor who answers.
func (c *Charter) screen(r *http.Request, v view, a answer, d drawing) consent.Screen {
	prefs, l := consent.FromContext(r.Context()), d.l
	s := consent.Screen{
		Language: v.Lang, Control: string(a.control), Pressed: a.pressed, Regime: d.law.regime.String(),
		Host: c.hosts.keep(hostOf(r)), Templates: c.templatesSum, Style: sumOf(c.style.content),
	}
	if v.Dir != "ltr" {
		s.Direction = v.Dir
	}
	// What differs between visitors is left out, so that they share the notice.
	v.Host, v.Back, v.At, v.Nonce, v.Just, v.Control = s.Host, "/", "0", "", false, a.control
	v.GPC = l.gpc(r, prefs, func([]string) string { return "{providers}" })
	v.Status = l.statusFor(prefs, v, l.decidedUnnamed(prefs))
	v.Account, v.AccountOf = "", ""
	if a.forAccount && c.account != nil { // maybe of who has signed out since
		v.Account, v.AccountOf = l.words.AskAccount, "x"
	}
	if v.Reference != "" {
		v.Reference = "{reference}"
	}
	switch a.control {
	case byBanner:
		q := c.questionOf(d, prefs)
		v.Ask, v.Presumed = q.ask, q.presumed
		s.Layout, s.Categories = string(c.layout), q.categories
		c.draw(&s, "banner", v)
	case byPlaceholder:
		category, provider := cutAllowValue(a.allow[0]) // choice has refused an answer without one
		s.Categories = []consent.ScreenCategory{{Category: category, Providers: []string{provider}}}
		v.Embedded = c.embedOf(r, l, category, provider, a.shows)
		v.Embedded.Value = a.allow[0] // it had a button, even if the visitor has objected since then
		c.draw(&s, "placeholder", v)
	case bySettings, byPage, byForm:
		c.drawForm(&s, l, a, v, prefs)
	}
	return s
}

// embedOf returns what a placeholder showed, of which the form that it posts names the
// parts.
func (c *Charter) embedOf(r *http.Request, l *localized, category consent.Category, provider string, shows []string) embedded {
	e := Embed{Category: category, Provider: provider}
	title := ""
	if slices.Contains(shows, "title") {
		title = "{title}"
	}
	if slices.Contains(shows, "link") {
		e.Link = "https://x"
	}
	return c.embed(r, l, e, title)
}

// drawForm adds to s what one of the controls with the form showed, each of which has its
// template.
func (c *Charter) drawForm(s *consent.Screen, l *localized, a answer, v view, prefs consent.Preferences) {
	v.say(a.said)
	s.OwnAnswers = !prefs.DecidedAt().IsZero() || v.Said == saidNotRecorded // which has what was posted
	if v.Groups = l.groupsFor(prefs); s.OwnAnswers {
		v.Groups = l.groupsBy(func(consent.Category, string) reply { return unanswered }, false)
	}
	for _, g := range l.groups {
		if len(g.Cookies) > 0 || a.control == byPage {
			s.Categories = append(s.Categories, g.named(a.control == byPage))
		}
	}
	v.Tables = l.tables
	s.Cut = a.control == byPage && c.aside != nil // it may have been another text then
	c.draw(s, string(a.control), v)
}

// named returns the category with the providers that the form names, or the tables too.
func (g group) named(tables bool) consent.ScreenCategory {
	named := consent.ScreenCategory{Category: g.Category}
	add := func(name string) {
		if name != "" && !slices.Contains(named.Providers, name) {
			named.Providers = append(named.Providers, name)
		}
	}
	for _, p := range g.Providers {
		add(p.Name)
	}
	for _, row := range g.Cookies {
		if tables {
			add(row.Provider.Text)
		}
	}
	return named
}

// draw adds to s what a template shows.
func (c *Charter) draw(s *consent.Screen, name string, v view) {
	shown := read(c.render(name, v), c.public)
	s.Lines = shown.lines
	if s.Control != string(byPage) { // which is the last layer
		s.Layers = shown.layers
	}
}

// questionOf returns the question to which a visitor has answered by a banner. It may have been
// in a second tab, after an answer in the first.
func (c *Charter) questionOf(d drawing, prefs consent.Preferences) question {
	if q := c.sharedBanner(d); q != nil && !d.isNow {
		return *q
	}
	if !prefs.Decided() {
		return d.l.questionFor(prefs)
	}
	for _, q := range d.l.shared() { // a template of the site says nothing of it
		if q.law == d.law {
			return *q
		}
	}
	return d.l.optIn
}

// decidedUnnamed returns the sentence about a decision without its day and its providers.
func (l *localized) decidedUnnamed(prefs consent.Preferences) template.HTML {
	allowed := l.words.Allowed
	if len(allowedIn(l.groups, prefs)) == 0 {
		allowed = l.words.Nothing
	}
	return template.HTML(template.HTMLEscapeString(l.words.Decided + " " + allowed))
}

// host matches a name or an address with an optional port. Its length is bounded by that of
// a name (RFC 1035 section 2.3.4).
var host = regexp.MustCompile(`^([a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$`)

// hostOf returns the host that a browser has asked, "" if it cannot be one.
func hostOf(r *http.Request) string {
	name := strings.ToLower(r.Host)
	if len(name) > 253+len(":65535") || !host.MatchString(name) {
		return ""
	}
	return name
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// ownTemplatesSum is the sum of this package's templates.
var ownTemplatesSum = func() string {
	var all bytes.Buffer
	names, err := fs.Glob(templateFiles, "templates/*.html") // sorted
	if err != nil {
		panic(err) // cannot happen: the pattern is valid
	}
	for _, name := range names {
		content, err := templateFiles.ReadFile(name)
		if err != nil {
			panic(err) // cannot happen: it is embedded
		}
		fmt.Fprintf(&all, "%s %d\n%s", name, len(content), content)
	}
	return sumOf(all.Bytes())
}()

// sumWith returns the sum of this package's templates with those of a site, none of which
// has been executed: that changes a template.
func sumWith(site *template.Template) string {
	all := []string{ownTemplatesSum}
	for _, t := range site.Templates() {
		if t.Tree != nil {
			all = append(all, fmt.Sprintf("%q %q", t.Name(), t.Tree.Root.String()))
		}
	}
	slices.Sort(all[1:])
	return sumOf([]byte(strings.Join(all, "\n")))
}
