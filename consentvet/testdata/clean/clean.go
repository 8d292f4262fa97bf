// Package clean declares what it sets and sets what it declares.
package clean

import (
	"net/http"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/sessions"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Name: "basket"},
	consent.Cookie{Name: "theme_*"},
	consent.Cookie{Name: "lang"},
	consent.Cookie{Name: "app"},
	consent.Cookie{Name: "session"},
	consent.Cookie{Name: "_pk_id*"}, // consentvet: set elsewhere
)

var manager = scs.New()

func set(w http.ResponseWriter, r *http.Request, store sessions.Store) {
	http.SetCookie(w, &http.Cookie{Name: "basket", Value: "1"})
	http.SetCookie(w, &http.Cookie{Name: "theme_" + r.Host})
	http.SetCookie(w, &http.Cookie{Name: "old", MaxAge: -1})
	w.Header().Add("Set-Cookie", "lang=fr; Path=/")
	session, _ := store.Get(r, "app")
	_ = session.Save(r, w)
}
