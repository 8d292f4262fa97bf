package main

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
)

// sessions are the names of who is signed in, by the sessionid cookie. The charter asks
// nameOf with each request, and does the rest: what somebody decides while signed in holds on
// their other devices, and for nobody else who uses this one. The zero value is empty.
type sessions struct {
	mu    sync.Mutex
	names map[string]string
}

// maxSessions keeps the memory of a demonstration bounded.
const maxSessions = 1000

func (s *sessions) signIn(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	name := strings.TrimSpace(r.PostForm.Get("name"))
	if name == "" || len(name) > 100 {
		http.Error(w, "name: 1 to 100 bytes", http.StatusBadRequest)
		return
	}
	session := cookie("sessionid", s.begin(name))
	session.HttpOnly = true
	http.SetCookie(w, session)
	http.Redirect(w, r, "/", http.StatusSeeOther)
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

func (s *sessions) signOut(w http.ResponseWriter, r *http.Request) {
	s.end(value(r, "sessionid"))
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
