// Package gorilla keeps sessions by github.com/gorilla/sessions.
package gorilla

import (
	"net/http"

	"github.com/gorilla/sessions"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "declared"})

const sessionName = "app"

type server struct {
	store sessions.Store
	name  string
}

func newServer(key []byte) *server {
	return &server{store: sessions.NewCookieStore(key), name: "kept"} // want `cookie "kept" is set by gorilla/sessions but not declared`
}

func (s *server) home(w http.ResponseWriter, r *http.Request) {
	cookies := sessions.NewCookieStore([]byte("k"))
	files := sessions.NewFilesystemStore("", []byte("k"))
	declared, _ := cookies.Get(r, "declared")
	_ = declared.Save(r, w)
	cookies.Get(r, sessionName) // want `cookie "app" is set by gorilla/sessions but not declared`
	cookies.New(r, "new")       // want `cookie "new" is set by gorilla/sessions but not declared`
	files.Get(r, "file")        // want `cookie "file" is set by gorilla/sessions but not declared`
	s.store.Get(r, s.name)
	s.store.New(r, "by interface")                                            // want `cookie "by interface" is set by gorilla/sessions but not declared`
	sessions.NewSession(cookies, "by itself")                                 // want `cookie "by itself" is set by gorilla/sessions but not declared`
	sessions.GetRegistry(r).Get(cookies, "by hand")                           // want `cookie "by hand" is set by gorilla/sessions but not declared`
	s.session(r, "looked into")                                               // want `cookie "looked into" is set by gorilla/sessions but not declared`
	s.store.Get(r, r.Host)                                                    // want `the name of this cookie, set by gorilla/sessions, is not constant and cannot be checked`
	http.SetCookie(w, sessions.NewCookie("cookie", "1", &sessions.Options{})) // want `cookie "cookie" is set by http.SetCookie but not declared`
}

func (s *server) session(r *http.Request, name string) *sessions.Session {
	session, _ := s.store.Get(r, name)
	return session
}

// The string that a site's own function takes need not be the cookie's name.
func (s *server) themed(r *http.Request, theme string) *sessions.Session {
	session := s.session(r, "declared")
	session.Values["theme"] = theme
	return session
}

func (s *server) dark(r *http.Request) { s.themed(r, "dark") }
