package main

import (
	"crypto/rand"
	"errors"
	"log"
	"net/http"
	"strings"
	"sync"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// accounts sign visitors in and out. What somebody decides while signed in holds on their
// other devices, and for nobody else who uses this one.
type accounts struct {
	sessions
	mw    *consent.Middleware
	users *ledger.Users
}

// wrap returns a handler that serves as next does and links what is decided meanwhile.
func (a *accounts) wrap(next http.Handler) http.Handler {
	return a.users.Wrap(next, a.nameOf, func(_ *http.Request, err error) { log.Print("opendata: ", err) })
}

// sessions are the names of who is signed in, by the sessionid cookie. The zero
// value is empty.
type sessions struct {
	mu    sync.Mutex
	names map[string]string
}

// maxSessions keeps the memory of a demonstration bounded.
const maxSessions = 1000

func (a *accounts) signIn(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	name := strings.TrimSpace(r.PostForm.Get("name"))
	if name == "" || len(name) > 100 {
		http.Error(w, "name: 1 to 100 bytes", http.StatusBadRequest)
		return
	}
	session := cookie("sessionid", a.begin(name))
	session.HttpOnly = true
	http.SetCookie(w, session)
	if err := a.restore(w, r, name); err != nil {
		log.Print("opendata: ", err) // they are signed in, and asked here as anybody is
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// restore brings to this browser what the user has decided elsewhere.
func (a *accounts) restore(w http.ResponseWriter, r *http.Request, name string) error {
	record, err := a.users.Latest(r.Context(), name)
	if errors.Is(err, ledger.ErrNoRecord) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.mw.Restore(w, r, record)
}

func (s *sessions) begin(name string) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = make(map[string]string)
	}
	for old := range s.names {
		if len(s.names) < maxSessions {
			break
		}
		delete(s.names, old)
	}
	id = rand.Text()
	s.names[id] = name
	return id
}

func (a *accounts) signOut(w http.ResponseWriter, r *http.Request) {
	if a.nameOf(r) != "" {
		if err := a.mw.Unlink(w, r); err != nil {
			log.Print("opendata: ", err)
		}
	}
	a.end(value(r, "sessionid"))
	gone := cookie("sessionid", "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, id)
}

// nameOf returns the name of who is signed in, "" where nobody is.
func (s *sessions) nameOf(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[value(r, "sessionid")]
}
