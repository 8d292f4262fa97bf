package charter

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// errUnmounted says that a visitor was asked, and that no answer can arrive.
var errUnmounted = errors.New("charter: a banner was drawn, but neither Charter.Wrap nor Charter.Handler was called, so that nobody can answer it: write mw.Wrap(site.Wrap(app)), or mount site.Handler() at")

// confirmFor is the time after a decision during which pages confirm it.
const confirmFor = 15 * time.Second

// Banner returns the banner for the visitor of r. Put it first in the body, so that
// screen readers and keyboards reach it first. For 15 seconds after a decision it is
// a short confirmation, and on the first page after a sign-in a short note, if the site has accounts
// (see [Config.Account]); call it before the first byte, or the next page has that note too. Then it is empty, but for the button of [Config.Button], and for
// an element without content that tells the script of a law other than opt-in, until the
// visitor is to be asked anew: see [consent.Preferences.ShouldAsk]. A page with a banner
// depends on the visitor: the response is kept out of shared caches, see
// [consent.Preferences.KeepPrivate].
func (c *Charter) Banner(r *http.Request) template.HTML {
	c.keepPrivate(r)
	return c.bannerFor(r, c.backOf(r))
}

// Link returns a link to the form in the charter, for the footer of every page: a
// consent must be as easy to withdraw as to give (GDPR, article 7(3)). The script opens
// the form over the page instead. Under an opt-out law, a visitor whose browser sends
// Global Privacy Control reads next to it what has become of that; the response is then
// kept out of shared caches.
func (c *Charter) Link(r *http.Request) template.HTML {
	if consent.FromContext(r.Context()).Regime() == consent.OptOut {
		c.keepPrivate(r)
	}
	v, _ := c.view(r)
	return c.render("link", v)
}

// keepPrivate keeps the response to r to its visitor, since it shows something of
// them, in their language.
func (c *Charter) keepPrivate(r *http.Request) {
	var fields []string
	if c.languageOf == nil || c.languageOf(r) == (language.Tag{}) {
		fields = []string{"Accept-Language"}
	}
	consent.FromContext(r.Context()).KeepPrivate(fields...)
}

// A shown is what a page shows to its visitor by itself.
type shown uint8

const (
	nothing    shown = iota
	asking           // the banner
	telling          // a note that the choices of an account hold here
	confirming       // a note that the decision is saved
	offering         // the button of Config.Button
)

func (c *Charter) shownTo(r *http.Request) shown {
	switch prefs := consent.FromContext(r.Context()); {
	case prefs.ShouldAsk(), prefs == (consent.Preferences{}): // outside of Wrap the site learns by the banner that nothing is saved
		return asking
	case c.tells(r):
		return telling
	case c.isJust(r):
		return confirming
	case c.button:
		return offering
	default:
		return nothing
	}
}

// isJust reports whether the visitor has decided a moment ago: here, and not on the device
// from which their account has brought it.
func (c *Charter) isJust(r *http.Request) bool {
	prefs := consent.FromContext(r.Context())
	at := prefs.DecidedAt()
	return prefs.Decided() && !at.IsZero() && time.Since(at) < confirmFor && !c.isBrought(r)
}

// bannerFor returns the banner with a page to return to, which localPath has checked.
func (c *Charter) bannerFor(r *http.Request, back string) template.HTML {
	prefs := consent.FromContext(r.Context())
	l := c.localizedFor(r)
	mark := l.markFor(prefs)
	now := strconv.FormatInt(time.Now().UnixMilli(), 10)
	show := c.shownTo(r)
	if show == nothing {
		return mark
	}
	if !c.mounted.Load() {
		c.unmounted.Do(func() { c.failed(r, fmt.Errorf("%w %q", errUnmounted, c.path)) })
	}
	q := l.questionFor(prefs)
	isShared := q.banner[0] != "" && q.law == lawOf(r)
	if show == asking && isShared && c.formOf(r) == "" {
		return mark + template.HTML(q.banner[0]+now+q.banner[1]+template.HTMLEscapeString(back)+q.banner[2])
	}
	v, _ := c.view(r)
	v.Back, v.At = back, now
	if !isShared {
		v.Drawn = c.drawnIn(l) + c.stateOf(r)
	}
	switch show {
	case offering:
		return mark + c.render("button", v)
	case telling:
		v.Note, v.Change = c.accountNote(r, l), true
		c.accountNoteShown(r)
	case confirming:
		v.Note, v.Change = l.words.Saved, true
	}
	if v.Note != "" && c.button { // who closes the note still finds the way to the settings
		return mark + c.render("banner", v) + c.render("button", v)
	}
	return mark + c.render("banner", v)
}

// noteFor returns a note in place of the banner, for the script.
func (c *Charter) noteFor(r *http.Request, text string, reload bool) template.HTML {
	v, _ := c.view(r)
	v.Note, v.Reload = text, reload
	return c.render("banner", v)
}

// markFor returns an element that tells the script which law the visitor is under, and
// which categories are allowed until they are refused; under opt-in, nothing.
func (l *localized) markFor(prefs consent.Preferences) template.HTML {
	regime := prefs.Regime()
	if regime == consent.OptIn {
		return ""
	}
	var presumed []string
	for _, g := range l.groups {
		if prefs.Presumed(g.Category) {
			presumed = append(presumed, string(g.Category))
		}
	}
	return template.HTML(fmt.Sprintf(`<template data-regime="%s" data-presumed="%s"></template>`, regime, strings.Join(presumed, " ")))
}
