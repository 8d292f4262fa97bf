package charter

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// maxBody is the size limit of a posted form, in bytes.
const maxBody = 16 << 10

// decide saves the decision of a posted form, and redirects to the page that the
// form names. A broken or missing part of the form is never a consent.
func (c *Charter) decide(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), statusOfBody(err))
		return
	}
	if err := c.forWhom(r, r.PostForm.Get("account")); err != nil {
		c.failed(r, err)
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	before := consent.FromContext(r.Context())
	a, ok := c.answerOf(r.PostForm, before)
	if !ok {
		http.Error(w, fmt.Sprintf(`choice is %q; want "accept", "refuse", "save" or "add"`, r.PostForm.Get("choice")), http.StatusBadRequest)
		return
	}
	switch err := c.save(w, r, a); {
	case errors.Is(err, consent.ErrNotRecorded):
		c.askAgain(w, r, a)
	case err != nil:
		http.Error(w, err.Error(), statusOf(err))
	case r.PostForm.Has("stay") && !c.mw.Cookie().HttpOnly:
		// The script added the field: after a response without content the browser
		// stays on the page, and the script sees the cookie, if it can. Unlike fetch,
		// a form needs no connect-src in the page's Content-Security-Policy.
		w.Header().Set("Cache-Control", noStore)
		w.WriteHeader(http.StatusNoContent)
	case len(r.Header["Cookie"]) == 0 && r.Header.Get("Sec-Fetch-Dest") == "document":
		// A browser that has sent no cookie may keep none. Its visitor is told so once,
		// on a page that goes on to the other one if the browser does.
		redirect(w, c.public+"?"+keptQuery+"&back="+url.QueryEscape(localPath(r.PostForm.Get("back")))+"#settings")
	default:
		redirect(w, cmp.Or(localPath(r.PostForm.Get("back")), c.public))
	}
}

// save saves an answer, with what a record of it is to say.
func (c *Charter) save(w http.ResponseWriter, r *http.Request, a answer) error {
	choice, err := c.choice(a)
	if err == nil {
		d := c.drawingOf(r, a)
		if !d.isNow {
			choice = choice.WithRegime(d.law.regime, d.law.gpc)
		}
		err = c.mw.Save(w, r, choice.WithEvidence(c.evidence(r, a, d)))
		if k := c.keeperOf(r); k != nil {
			c.linkSaved(r, k, c.account(r)) // before the head leaves
		}
	}
	if err != nil && statusOf(err) != http.StatusBadRequest { // the site is to know of its own mistakes, not of a visitor's
		c.failed(r, err)
	}
	return err
}

// statusOfBody returns the status for a body that could not be read.
func statusOfBody(err error) int {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// statusOf returns the status for an answer that was not saved.
func statusOf(err error) int {
	var nobody *consent.ChoiceError
	switch {
	case errors.Is(err, consent.ErrNotRecorded):
		return http.StatusServiceUnavailable
	case errors.As(err, &nobody), errors.Is(err, errAddsNobody):
		return http.StatusBadRequest
	default:
		return http.StatusInternalServerError
	}
}

// An answer is the content of a posted form.
type answer struct {
	all         bool     // everything is allowed
	adds        bool     // what is not allowed stays as it is
	allow       []string // the providers that are allowed: see allowValue
	hasObjected bool     // to anonymous statistics
	action      consent.Action

	forAccount bool     // the control said that the choice is an account's
	control    control  // by which the visitor answered
	pressed    string   // what its button posts
	said       said     // what the form said for a while
	shows      []string // what a placeholder showed of its content: "title", "link"
	drawn      string   // how the control was drawn: see drawing
	asked      *law     // under which a program has asked; nil if it does not say
}

// answerOf reads the answer from a form. An objection ends if the visitor accepts
// all, or saves a form that shows the box of the objection unticked.
func (c *Charter) answerOf(form url.Values, before consent.Preferences) (a answer, ok bool) {
	a.action, a.control, a.pressed, a.said = consent.ByForm, controlIn(form.Get("by")), form.Get("choice"), said(form.Get("said"))
	a.drawn, a.forAccount = form.Get("drawn"), form.Get("account") != ""
	if a.control == byBanner {
		a.action = consent.ByBanner
	}
	switch a.pressed {
	case "accept":
		a.all = true
	case "refuse":
		a.hasObjected = before.HasObjected() || form.Has("object")
	case "save":
		hasBox := slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool { return cookie.Anonymous })
		a.allow = c.allowedIn(form)
		a.hasObjected = form.Has("object") || before.HasObjected() && !hasBox
		if form.Has("object") && !before.HasObjected() {
			a.action = consent.ByObjection
		}
	case "add":
		a.adds, a.allow, a.action = true, form["allow"], consent.ByPlaceholder
		a.control, a.shows = byPlaceholder, form["shows"]
	default:
		return answer{}, false
	}
	return a, true
}

// allowedIn returns the providers that a form allows. The answer for a category rules;
// the boxes of its providers count only if it leaves the answer to them, or if there is
// none, as in a form that has nothing but boxes.
func (c *Charter) allowedIn(form url.Values) []string {
	var allow []string
	for _, value := range form["allow"] {
		category, _ := cutAllowValue(value)
		if answer := form[categoryField(category)]; len(answer) == 0 || len(answer) == 1 && answer[0] == "some" {
			allow = append(allow, value)
		}
	}
	for value := range c.providers {
		category, _ := cutAllowValue(value)
		if answer := form[categoryField(category)]; len(answer) == 1 && answer[0] == "allow" {
			allow = append(allow, value)
		}
	}
	return allow
}

// categoryField returns the name of the field with the answer for a category: "allow",
// "refuse" or "some".
func categoryField(category consent.Category) string { return "category:" + string(category) }

// errAddsNobody is the mistake of a form or a program, which would save nothing.
var errAddsNobody = errors.New(`charter: the choice "add" has no provider in allow`)

// choice returns the answer as a choice. The error is a [*consent.ChoiceError] for a
// provider that nobody declared.
func (c *Charter) choice(a answer) (consent.Choice, error) {
	choice := consent.RefuseAll()
	switch {
	case a.all:
		choice = consent.AcceptAll()
	case a.adds && len(a.allow) == 0:
		return choice, errAddsNobody
	case a.adds:
		choice = consent.Add("")
	}
	// Each provider once, and WithProviders once for each category: it copies what
	// the choice holds already.
	allowed := make(map[consent.Category][]string)
	for _, value := range slices.Compact(slices.Sorted(slices.Values(a.allow))) {
		category, provider := cutAllowValue(value)
		if !c.providers[value] {
			return choice, &consent.ChoiceError{Category: category, Provider: provider}
		}
		allowed[category] = append(allowed[category], provider)
	}
	for category, providers := range allowed {
		choice = choice.WithProviders(category, providers...)
	}
	if a.hasObjected {
		choice = choice.WithObjection()
	}
	return choice, nil
}

// allows reports whether the answer allows a provider of a category.
func (a answer) allows(category consent.Category, provider string) bool {
	return a.all || slices.Contains(a.allow, allowValue(category, provider))
}

// askAgain shows the form again, filled in as it was posted, after a consent could
// not be recorded and so does not count. The script, which stays on its page, asks for
// the sentence alone.
func (c *Charter) askAgain(w http.ResponseWriter, r *http.Request, a answer) {
	v, l := c.view(r)
	w.Header().Set("Retry-After", "10")
	if isFromScript(r) {
		send(w, http.StatusServiceUnavailable, "text/plain; charset=utf-8", []byte(l.words.NotRecorded))
		return
	}
	v.Back = localPath(r.PostForm.Get("back"))
	v.say(saidNotRecorded)
	v.Groups = l.groupsBy(func(category consent.Category, provider string) reply {
		switch {
		case a.allows(category, provider):
			return allowed
		case a.adds: // the rest is as it was, also if it was open
			return replyIn(consent.FromContext(r.Context()), category, provider)
		default:
			return refused
		}
	}, a.hasObjected)
	c.sendPage(w, r, http.StatusServiceUnavailable, v, l)
}

// isFromScript reports whether the script of a page waits for the answer to a post.
func isFromScript(r *http.Request) bool { return r.Header.Get("Accept") == "text/plain" }

// allowValue returns the value that a form posts to allow a provider.
func allowValue(category consent.Category, provider string) string {
	return string(category) + ":" + provider
}

// cutAllowValue is the reverse of allowValue: no category holds a ':'.
func cutAllowValue(value string) (category consent.Category, provider string) {
	name, provider, _ := strings.Cut(value, ":")
	return consent.Category(name), provider
}

// maxPath is the length limit of the path to return to, in bytes.
const maxPath = 2048

// localPath returns s if it is a path on this site, with an optional query, else "".
// It keeps forms from redirecting to other sites. By the URL standard of WHATWG,
// browsers read "//" and "/\" as the beginning of another host, and first remove
// tabs and line ends.
func localPath(s string) string {
	if len(s) > maxPath || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.Contains(s, `\`) {
		return ""
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7F }) {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.Contains(u.Path, `\`) {
		return ""
	}
	// Browsers remove dot segments first, so "/.//host" is "//host".
	for _, beginning := range []string{"//", "/./", "/../"} {
		if strings.HasPrefix(u.Path, beginning) {
			return ""
		}
	}
	return s
}

// backOf returns the path of the page that r draws, to come back to after a decision, as
// the browser knows it: with the prefix that a proxy in front or [http.StripPrefix] has
// removed. It is empty unless that page answers a GET: not for the answer to a post, and
// not for a fragment, such as htmx swaps in; the page around that is the one that the
// browser names in Referer.
func (c *Charter) backOf(r *http.Request) string {
	dest := r.Header.Get("Sec-Fetch-Dest")
	if r.Header.Get("HX-Boosted") != "" || r.Header.Get("X-Turbo-Request-Id") != "" && r.Header.Get("Turbo-Frame") == "" {
		dest = "document" // a whole page, which a script fetches in place of the browser
	}
	switch dest {
	case "", "document", "iframe", "frame":
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return ""
		}
		if sent := localPath(r.RequestURI); sent != "" {
			if strings.HasPrefix(sent, c.prefix+"/") && !strings.HasPrefix(r.URL.Path, c.prefix+"/") {
				return sent // the prefix was taken off in this process
			}
			return localPath(c.prefix + sent)
		}
		return localPath(c.prefix + r.URL.RequestURI())
	default:
		around, err := url.Parse(r.Header.Get("Referer"))
		if err != nil || !strings.EqualFold(around.Host, r.Host) {
			return ""
		}
		return localPath(around.RequestURI())
	}
}
