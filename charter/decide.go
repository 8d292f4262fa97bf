package charter

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// maxBody bounds a posted form.
const maxBody = 16 << 10

// decide takes a posted form: a choice, what it allows, and the page to come
// back to. What is broken or missing in it is never a consent.
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
	err := c.mw.Save(w, r, a.choice().WithEvidence(c.evidence(r)))
	if unknown := new(consent.ChoiceError); errors.As(err, &unknown) {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err != nil {
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
		// The script's: a form whose answer has no content leaves the page where
		// it is, which takes no permission that the form itself does not need.
		w.WriteHeader(http.StatusNoContent)
		return
	}
	back := localPath(r.PostForm.Get("back"))
	if back == "" {
		back = c.path
	}
	w.Header().Set("Location", back) // as it is: http.Redirect would clean the path
	w.WriteHeader(http.StatusSeeOther)
}

// An answer is what a posted form holds.
type answer struct {
	all     bool     // allows everything
	allow   []string // what it allows, as the form spells it
	objects bool     // to anonymous statistics
}

// answerOf reads the answer that a form holds. An objection is taken back by
// who accepts all, and by who saves a form that shows it.
func (c *Charter) answerOf(form url.Values, before consent.Preferences) (a answer, ok bool) {
	switch form.Get("choice") {
	case "accept":
		return answer{all: true}, true
	case "refuse":
		return answer{objects: before.Objects() || form.Has("object")}, true
	case "save":
		shown := slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool { return cookie.Anonymous })
		return answer{allow: form["allow"], objects: form.Has("object") || before.Objects() && !shown}, true
	case "add":
		return answer{allow: append(c.allowedBy(before), form["allow"]...), objects: before.Objects()}, true
	default:
		return answer{}, false
	}
}

func (a answer) choice() consent.Choice {
	choice := consent.RefuseAll()
	if a.all {
		choice = consent.AcceptAll()
	}
	for _, value := range a.allow {
		category, provider, _ := strings.Cut(value, ":")
		choice = choice.WithProviders(consent.Category(category), provider)
	}
	if a.objects {
		choice = choice.WithObjection()
	}
	return choice
}

// allows reports whether the answer allows a provider of a category.
func (a answer) allows(category consent.Category, provider string) bool {
	return a.all || slices.Contains(a.allow, allowValue(category, provider))
}

// evidence says how the visitor who posts r came to decide.
func (c *Charter) evidence(r *http.Request) consent.Evidence {
	d, prefs := c.drawingFor(r), consent.FromContext(r.Context())
	e := consent.Evidence{Action: consent.ByForm, Language: d.words.tag, Notice: c.notice(d, d.questionFor(prefs).ask)}
	switch form := r.PostForm; {
	case form.Get("by") == "banner":
		e.Action = consent.ByBanner
	case form.Get("choice") == "add":
		e.Action = consent.ByPlaceholder
	case form.Get("choice") == "save" && form.Has("object") && !prefs.Objects():
		e.Action = consent.ByObjection
	}
	return e
}

// notice is what visitors read in the language of d before they decide, asked
// like this.
func (c *Charter) notice(d *drawing, ask string) *consent.Notice {
	w := d.words
	read := map[string]string{
		"Title": w.Title, "Intro": w.Intro, "AskTitle": w.AskTitle, "Ask": ask,
		"Refuse": w.Refuse, "Accept": w.Accept, "Choose": w.Choose, "Save": w.Save,
		"Always": w.Always, "Object": w.Object, "Presumed": w.Presumed, "GPC": w.GPC,
		"Embedded": w.Embedded, "Show": w.Show,
		"OwnProvider": w.OwnProvider, "OwnService": w.OwnService, "OwnPurpose": w.OwnPurpose,
	}
	for _, g := range d.groups {
		read["Categories."+string(g.Category)+".Title"] = g.Title.Text
		read["Categories."+string(g.Category)+".About"] = g.About.Text
	}
	return c.mw.Registry().Notice(w.tag, c.site, read)
}

// askAgain shows the form as it was filled in, since nothing of it is allowed.
func (c *Charter) askAgain(w http.ResponseWriter, r *http.Request, a answer) {
	v, d := c.view(r)
	v.Back = localPath(r.PostForm.Get("back"))
	v.Just, v.Status = false, d.words.NotRecorded
	v.Groups = d.groupsFor(a.allows, a.objects)
	w.Header().Set("Retry-After", "10")
	c.sendPage(w, r, http.StatusServiceUnavailable, v, d)
}

// allowedBy returns what a form would post for the consents that stand. What is
// only presumed is none: the law of the visitor's next request may ask for one.
func (c *Charter) allowedBy(prefs consent.Preferences) []string {
	var values []string
	for _, cookie := range c.cookies {
		if cookie.NeedsConsent() && prefs.Consented(cookie.Category, cookie.Provider) && !prefs.Presumed(cookie.Category) {
			values = append(values, allowValue(cookie.Category, cookie.Provider))
		}
	}
	return values
}

// allowValue is what a form posts to allow a provider; no category holds a ':'.
func allowValue(category consent.Category, provider string) string {
	return string(category) + ":" + provider
}

// maxPath bounds the page to come back to.
const maxPath = 2048

// localPath returns s where it is a path on this site, with its query, and ""
// otherwise. Browsers read "//" and "/\" as the beginning of another host, and
// drop tabs and line ends before they look.
func localPath(s string) string {
	if len(s) > maxPath || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.Contains(s, `\`) {
		return ""
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7F {
			return ""
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.Contains(u.Path, `\`) {
		return ""
	}
	// Dots and what they leave out are gone before a browser looks.
	for _, beginning := range []string{"//", "/./", "/../"} {
		if strings.HasPrefix(u.Path, beginning) {
			return ""
		}
	}
	return s
}

// here is the page that r asks for, as the browser knows it: with what a
// [http.StripPrefix] has taken off.
func here(r *http.Request) string {
	if asked := localPath(r.RequestURI); asked != "" {
		return asked
	}
	return localPath(r.URL.RequestURI())
}
