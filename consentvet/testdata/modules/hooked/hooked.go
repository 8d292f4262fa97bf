// Package hooked keeps sessions, and leaves it to a site to write the cookie.
package hooked

import "net/http"

type Options struct{ Name string }

type Manager struct {
	options Options
	set     func(cookie *http.Cookie, w any) error
}

func New(options Options) *Manager {
	if options.Name == "" {
		options.Name = "hooked"
	}
	return &Manager{options: options}
}

func (m *Manager) SetHook(set func(cookie *http.Cookie, w any) error) { m.set = set }

func (m *Manager) Start(w any) error { return m.set(&http.Cookie{Name: m.options.Name}, w) }
