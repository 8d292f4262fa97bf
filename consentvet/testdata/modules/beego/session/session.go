// Package session sets the cookie of a session, whose name it is told.
package session

import "net/http"

type ManagerConfig struct{ CookieName string }

type Manager struct{ config *ManagerConfig }

func NewManager(config *ManagerConfig) *Manager { return &Manager{config} }

func (m *Manager) Start(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(m.config.CookieName)
	if err != nil {
		cookie = &http.Cookie{Name: m.config.CookieName, Path: "/"}
	}
	http.SetCookie(w, cookie)
}
