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
		status := http.StatusBadRequest
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, err.Error(), status)
		return
	}
	a, ok := c.answerOf(r.PostForm, consent.FromContext(r.Context()))
	if !ok {
		http.Error(w, fmt.Sprintf(`choice is %q; want "accept", "refuse", "save" or "add"`, r.PostForm.Get("choice")), http.StatusBadRequest)
		return
	}
	choice, err := c.choice(a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := c.mw.Save(w, r, choice.WithEvidence(c.evidence(r))); err != nil {
		c.failed(r, err)
		if errors.Is(err, consent.ErrNotRecorded) {
			c.askAgain(w, r, a)
		} else {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
		return
	}
	w.Header().Set("Cache-Control", "private, no-store")
	if r.PostForm.Has("stay") {
		// The script added the field: after a response without content the browser
		// stays on the page. Unlike fetch, a form needs no connect-src in the
		// page's Content-Security-Policy.
		w.WriteHeader(http.StatusNoContent)
		return
	}
	back := cmp.Or(localPath(r.PostForm.Get("back")), c.path)
	w.Header().Set("Location", back) // not http.Redirect, which would clean the path
	w.WriteHeader(http.StatusSeeOther)
}

// An answer is the content of a posted form.
type answer struct {
	all         bool     // everything is allowed
	allow       []string // the providers that are allowed: see allowValue
	hasObjected bool     // to anonymous statistics
}

// answerOf reads the answer from a form. An objection ends if the visitor accepts
// all, or saves a form that shows the box of the objection unticked.
func (c *Charter) answerOf(form url.Values, before consent.Preferences) (a answer, ok bool) {
	switch form.Get("choice") {
	case "accept":
		return answer{all: true}, true
	case "refuse":
		return answer{hasObjected: before.HasObjected() || form.Has("object")}, true
	case "save":
		hasBox := slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool { return cookie.Anonymous })
		return answer{allow: form["allow"], hasObjected: form.Has("object") || before.HasObjected() && !hasBox}, true
	case "add":
		return answer{allow: append(c.allowedBy(before), form["allow"]...), hasObjected: before.HasObjected()}, true
	default:
		return answer{}, false
	}
}

// choice returns the answer as a choice. The error is a [*consent.ChoiceError] for a
// provider that nobody declared.
func (c *Charter) choice(a answer) (consent.Choice, error) {
	choice := consent.RefuseAll()
	if a.all {
		choice = consent.AcceptAll()
	}
	// Each provider once, and WithProviders once for each category: it copies what
	// the choice holds already.
	allowed := make(map[consent.Category][]string)
	for _, value := range slices.Compact(slices.Sorted(slices.Values(a.allow))) {
		name, provider, _ := strings.Cut(value, ":")
		category := consent.Category(name)
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

// evidence returns, for the record of the decision that r posts, the visitor's action
// and the notice that the visitor could read.
func (c *Charter) evidence(r *http.Request) consent.Evidence {
	l, prefs := c.localizedFor(r), consent.FromContext(r.Context())
	e := consent.Evidence{Action: consent.ByForm, Language: l.words.tag, Notice: c.notice(l, l.questionFor(prefs).ask)}
	switch form := r.PostForm; {
	case form.Get("by") == "banner":
		e.Action = consent.ByBanner
	case form.Get("choice") == "add":
		e.Action = consent.ByPlaceholder
	case form.Get("choice") == "save" && form.Has("object") && !prefs.HasObjected():
		e.Action = consent.ByObjection
	}
	return e
}

// notice returns the texts that visitors can read before they decide, with the
// question that the banner asks.
func (c *Charter) notice(l *localized, ask string) *consent.Notice {
	w := l.words
	read := map[string]string{
		"Title": w.Title, "Intro": w.Intro, "AskTitle": w.AskTitle, "Ask": ask,
		"Refuse": w.Refuse, "Accept": w.Accept, "Choose": w.Choose, "Save": w.Save,
		"Always": w.Always, "Object": w.Object, "Presumed": w.Presumed, "GPC": l.gpcRefuses,
		"Embedded": w.Embedded, "Show": w.Show,
		"OwnProvider": w.OwnProvider, "OwnService": w.OwnService, "OwnPurpose": w.OwnPurpose,
	}
	for _, g := range l.groups {
		read["Categories."+string(g.Category)+".Title"] = g.Title.Text
		read["Categories."+string(g.Category)+".About"] = g.About.Text
	}
	return c.mw.Registry().Notice(w.tag, c.defaultLanguage, read)
}

// askAgain shows the form again, filled in as it was posted, after a consent could
// not be recorded and so does not count.
func (c *Charter) askAgain(w http.ResponseWriter, r *http.Request, a answer) {
	v, l := c.view(r)
	v.Back = localPath(r.PostForm.Get("back"))
	v.Just, v.Status = false, l.words.NotRecorded
	v.Groups = l.groupsFor(a.allows, a.hasObjected)
	w.Header().Set("Retry-After", "10")
	c.sendPage(w, r, http.StatusServiceUnavailable, v, l)
}

// allowedBy returns the values that a form would post for the visitor's present
// consents. A presumed consent is not among them: the visitor gave none, and the
// next request may be under an opt-in law.
func (c *Charter) allowedBy(prefs consent.Preferences) []string {
	var values []string
	for _, cookie := range c.cookies {
		if cookie.NeedsConsent() && prefs.Consented(cookie.Category, cookie.Provider) && !prefs.Presumed(cookie.Category) {
			values = append(values, allowValue(cookie.Category, cookie.Provider))
		}
	}
	return values
}

// allowValue returns the value that a form posts to allow a provider. It can be
// cut at the first ':', since no category holds one.
func allowValue(category consent.Category, provider string) string {
	return string(category) + ":" + provider
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

// requestPath returns the path and query of r as the browser sent them, with a
// prefix that [http.StripPrefix] has removed from r.URL.
func requestPath(r *http.Request) string {
	if sent := localPath(r.RequestURI); sent != "" {
		return sent
	}
	return localPath(r.URL.RequestURI())
}
