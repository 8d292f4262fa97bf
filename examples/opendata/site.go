package main

import (
	"crypto/rand"
	"net/http"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/ledger"
)

// newSite wires the site: the middleware and the charter that the declarations
// make, the portal between the two, and around all what watches the middleware
// at work, for the panel. What visitors decide is kept in the books.
func newSite(books *ledger.Ledger) (http.Handler, error) {
	key := make([]byte, 32) // for this run alone; a real site keeps its keys
	rand.Read(key)
	users, err := books.Users(key)
	if err != nil {
		return nil, err
	}
	receipts, err := books.Receipts(issuer)
	if err != nil {
		return nil, err
	}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: cookies,
		Keys:     [][]byte{key},
		Insecure: true, // the portal speaks plain http, on this machine
		Observe:  observe,
		Recorder: books,
	})
	if err != nil {
		return nil, err
	}
	who := new(sessions)
	c, err := charter.New(charter.Config{
		Middleware: mw,
		Language:   language.French,
		LanguageOf: chosenLanguage,
		Templates:  charterPage,
		History:    receipts,
		Account:    who.nameOf,
		Accounts:   users,
	})
	if err != nil {
		return nil, err
	}
	// The charter refuses the posts of other sites by itself; the portal's own
	// forms want the same.
	forms := http.NewCrossOriginProtection()
	return watch(forms.Handler(mw.Wrap(newPortal(c, who)))), nil
}
