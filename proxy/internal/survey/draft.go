package survey

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/declare"
)

// A draft is a declaration of which parts may still say TODO.
type draft struct {
	Provider string            `json:"provider"`
	Kind     string            `json:"kind"`
	Service  map[string]string `json:"service"`
	Name     string            `json:"name"`
	Purpose  map[string]string `json:"purpose"`
	Category string            `json:"category"`
	Lifetime string            `json:"lifetime"`
	Domain   string            `json:"domain"`
	Path     string            `json:"path"`
	Also     []place           `json:"also"`

	isSiteOwn  bool   // the site answers for it, as far as anybody knows
	isProposed bool   // the category asks for consent, since nobody knows better
	setBy      string // the framework that sets it for who signs in; "" if it was seen
}

type place struct {
	Domain string `json:"domain"`
	Path   string `json:"path"`
}

const todo = "TODO"

// frameworks has the names that frameworks give.
//
//go:embed frameworks.yaml
var frameworks []byte

// drafts returns the declarations that the inventory proposes, with what else is known.
func (w *walk) drafts() ([]draft, error) {
	answer := httptest.NewRecorder()
	w.found.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/?as=json", nil))
	var document struct{ Cookies []draft }
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		return nil, err
	}
	usual, err := declare.Read(bytes.NewReader(frameworks))
	if err != nil {
		return nil, err
	}
	drafts := document.Cookies
	for i := range drafts {
		d := &drafts[i]
		switch {
		case d.take(w.charter):
		case d.take(usual):
			d.isSiteOwn = true
		case !d.take(w.Known):
			d.isSiteOwn = strings.HasPrefix(d.Provider, todo) // nobody else is known to set it
		}
		if d.isSiteOwn && strings.HasPrefix(d.Category, todo) {
			d.Category, d.isProposed = string(consent.FirstParty), true
		}
	}
	drafts = append(drafts, unseen(w.charter, drafts)...)
	more, err := w.ofSignIns(drafts)
	if err != nil {
		return nil, err
	}
	drafts = append(drafts, more...)
	slices.SortStableFunc(drafts, func(a, b draft) int { return strings.Compare(order(a), order(b)) })
	return drafts, nil
}

// unseen returns what a charter declares and nobody has seen, such as the cookies of those
// who sign in.
func unseen(charter *consent.Registry, seen []draft) (drafts []draft) {
	if charter == nil {
		return nil
	}
	for _, c := range charter.Cookies() {
		d := draft{Name: c.Name, Kind: c.Kind.String(), Domain: c.Domain, Path: c.Path}
		if slices.ContainsFunc(seen, func(s draft) bool { return s.Name == d.Name && s.kind() == d.Kind }) {
			continue
		}
		if d.take(charter); d.Lifetime == "" {
			d.Lifetime = lifetimeOf(c)
		}
		drafts = append(drafts, d)
	}
	return drafts
}

// order has what is necessary first, and what is still to be written last.
func order(d draft) string {
	switch {
	case isTODO(d.Purpose):
		return "2"
	case d.Category == string(consent.Necessary):
		return "0"
	default:
		return "1" + d.Provider
	}
}

// take takes the texts of a declaration of the same name, and reports whether there is one.
func (d *draft) take(from *consent.Registry) bool {
	if from == nil {
		return false
	}
	for _, c := range from.Lookup(d.Name) {
		if c.Kind.String() != d.kind() {
			continue
		}
		d.Provider, d.Category = c.Provider, string(c.Category)
		d.Service, d.Purpose = textOf(c.Service), textOf(c.Purpose)
		if d.Lifetime == "" && c.Lifetime > 0 {
			d.Lifetime = lifetimeOf(c)
		}
		return true
	}
	return false
}

func (d *draft) kind() string {
	if d.Kind == "" {
		return consent.HTTPCookie.String()
	}
	return d.Kind
}

func textOf(t consent.Text) map[string]string {
	text := make(map[string]string, len(t))
	for tag, words := range t {
		text[tag.String()] = words
	}
	return text
}

// lifetimeOf returns a lifetime as documents have it.
func lifetimeOf(c consent.Cookie) string {
	c = consent.Cookie{Provider: "p", Name: "n", Category: consent.Necessary, Purpose: consent.Text{language.English: "x"}, Lifetime: c.Lifetime}
	written, err := consent.MustRegistry(c).MarshalJSON()
	var document struct{ Cookies []draft }
	if err != nil || json.Unmarshal(written, &document) != nil {
		return ""
	}
	return document.Cookies[0].Lifetime
}
