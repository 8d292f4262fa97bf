package charter

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/cookiecharter/consent"
)

// stateName is below the charter's path. docs/state.openapi.json describes it.
const stateName = "state.json"

// A stateDocument is what a visitor has decided, for programs.
type stateDocument struct {
	Decided   bool                          `json:"decided"` // for everything that is declared now
	Ask       bool                          `json:"ask"`     // the visitor is to be asked
	At        *time.Time                    `json:"at"`      // null if nothing was decided
	Regime    consent.Regime                `json:"regime"`
	Allowed   map[consent.Category][]string `json:"allowed"`   // the providers of each category that asks for consent
	Objection bool                          `json:"objection"` // to anonymous statistics
	Reference string                        `json:"reference,omitempty"`
	Account   *stateAccount                 `json:"account,omitempty"` // nil if nobody is signed in
}

// A stateAccount is what a program tells a visitor who is signed in.
type stateAccount struct {
	Of     string `json:"of"`               // to post with a choice that is for the account
	Says   string `json:"says"`             // before the choice
	Notice string `json:"notice,omitempty"` // after the sign-in, until a page has shown it
}

// A stateChoice is what a program posts.
type stateChoice struct {
	Choice    string                        `json:"choice"`              // as the form's button
	Allow     map[consent.Category][]string `json:"allow,omitempty"`     // for "save" and "add"
	Objection *bool                         `json:"objection,omitempty"` // for "save"; null leaves it. "refuse" ends none
	Account   string                        `json:"account,omitempty"`   // the "of" of the state, if the visitor was told

	Regime *consent.Regime `json:"regime,omitempty"` // that of the state when the program asked; null means just now
	GPC    bool            `json:"gpc,omitempty"`    // the browser sent Global Privacy Control then; counts with a regime
}

const notForOthers = "the state is for pages and programs of this site"

// state serves the visitor's decision.
func (c *Charter) state(w http.ResponseWriter, r *http.Request) {
	if !fromOwnPage(r) {
		sendError(w, http.StatusForbidden, notForOthers)
		return
	}
	c.sendState(w, r)
}

// postState saves a decision, and serves what it is now. The media type is none that a
// form can send, so that no other site can post it without asking first (Fetch Standard,
// "CORS-safelisted request-header").
func (c *Charter) postState(w http.ResponseWriter, r *http.Request) {
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "application/json" {
		sendError(w, http.StatusUnsupportedMediaType, "Content-Type: want application/json")
		return
	}
	var posted stateChoice
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&posted)
	if err == nil && decoder.Decode(new(any)) != io.EOF {
		err = errors.New("json: something follows the object")
	}
	if err != nil {
		sendError(w, statusOfBody(err), err.Error())
		return
	}
	if err := c.forWhom(r, posted.Account); err != nil {
		c.failed(r, err)
		sendError(w, statusOf(err), err.Error())
		return
	}
	a, ok := posted.answer(consent.FromContext(r.Context()))
	if !ok {
		sendError(w, http.StatusBadRequest, `choice: want "accept", "refuse", "save" or "add"`)
		return
	}
	switch err := c.save(w, r, a); {
	case errors.Is(err, consent.ErrNotRecorded):
		w.Header().Set("Retry-After", "10")
		sendError(w, statusOf(err), consent.ErrNotRecorded.Error()) // the reason is the site's
	case err != nil:
		sendError(w, statusOf(err), err.Error())
	default:
		c.sendState(w, r)
	}
}

// answer returns what a program has posted for a visitor who had decided as before says;
// ok is false if it names no choice.
func (posted *stateChoice) answer(before consent.Preferences) (a answer, ok bool) {
	a = answer{action: consent.ByForm, hasObjected: before.HasObjected(), control: byProgram, pressed: posted.Choice}
	if posted.Regime != nil {
		a.asked = &law{*posted.Regime, *posted.Regime == consent.OptOut && posted.GPC}
	}
	for category, providers := range posted.Allow {
		for _, provider := range providers {
			a.allow = append(a.allow, allowValue(category, provider))
		}
	}
	switch posted.Choice {
	case "accept":
		a.all, a.allow, a.hasObjected = true, nil, false
	case "refuse":
		a.allow = nil
		a.hasObjected = a.hasObjected || posted.Objection != nil && *posted.Objection
	case "save":
		if posted.Objection != nil {
			a.hasObjected = *posted.Objection
		}
	case "add":
		a.adds, a.action = true, consent.ByPlaceholder
	default:
		return answer{}, false
	}
	return a, true
}

func (c *Charter) sendState(w http.ResponseWriter, r *http.Request) {
	prefs := consent.FromContext(r.Context())
	s := stateDocument{
		Decided: prefs.Decided(), Ask: prefs.ShouldAsk(), Regime: prefs.Regime(), Objection: prefs.HasObjected(),
		Allowed: make(map[consent.Category][]string), Reference: prefs.Reference().String(),
	}
	if of := c.formOf(r); of != "" {
		l := c.localizedFor(r)
		s.Account = &stateAccount{of, l.words.AskAccount, c.accountNote(r, l)}
	}
	if at := prefs.DecidedAt().UTC(); !prefs.DecidedAt().IsZero() {
		s.At = &at
	}
	for _, cookie := range c.cookies {
		if !cookie.NeedsConsent() {
			continue
		}
		if s.Allowed[cookie.Category] == nil {
			s.Allowed[cookie.Category] = []string{}
		}
	}
	for value := range c.providers {
		category, provider := cutAllowValue(value)
		if prefs.Consented(category, provider) {
			s.Allowed[category] = append(s.Allowed[category], provider)
		}
	}
	for _, providers := range s.Allowed {
		slices.Sort(providers)
	}
	content, err := json.Marshal(s)
	if err != nil { // cannot happen: every regime has a name
		sendError(w, http.StatusInternalServerError, err.Error())
		return
	}
	send(w, http.StatusOK, "application/json", content)
}

func sendError(w http.ResponseWriter, status int, message string) {
	content, _ := json.Marshal(map[string]string{"error": message}) // never fails
	send(w, status, "application/json", content)
}
