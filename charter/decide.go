package charter

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	choice, ok := c.choiceOf(r.PostForm, consent.FromContext(r.Context()))
	if !ok {
		http.Error(w, fmt.Sprintf(`choice is %q; want "accept", "refuse", "save" or "add"`, r.PostForm.Get("choice")), http.StatusBadRequest)
		return
	}
	if err := c.mw.Save(w, r, choice); err != nil {
		status := http.StatusInternalServerError
		if unknown := new(consent.ChoiceError); errors.As(err, &unknown) {
			status = http.StatusBadRequest
		}
		http.Error(w, err.Error(), status)
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
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// choiceOf reads the choice that a form holds. An objection is taken back by
// who accepts all, and by who saves a form that shows it.
func (c *Charter) choiceOf(form url.Values, before consent.Preferences) (choice consent.Choice, ok bool) {
	objects := before.Objects()
	switch form.Get("choice") {
	case "accept":
		return consent.AcceptAll(), true
	case "refuse":
	case "save":
		choice, objects = withAllowed(choice, form["allow"]), form.Has("object")
	case "add":
		choice = withAllowed(choice, c.allowedBy(before))
		choice = withAllowed(choice, form["allow"])
	default:
		return choice, false
	}
	if objects {
		choice = choice.WithObjection()
	}
	return choice, true
}

func withAllowed(choice consent.Choice, values []string) consent.Choice {
	for _, value := range values {
		category, provider, _ := strings.Cut(value, ":")
		choice = choice.WithProviders(consent.Category(category), provider)
	}
	return choice
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
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return ""
	}
	return s
}
