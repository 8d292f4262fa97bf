// Package manager keeps sessions by github.com/alexedwards/scs.
package manager

import (
	"github.com/alexedwards/scs/v2"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "declared"})

var (
	unnamed = scs.New() // want `cookie "session" is set by alexedwards/scs but not declared`
	named   = scs.New()
	whole   = scs.NewSession()
)

type app struct{ sessions *scs.SessionManager }

func init() {
	named.Cookie.Name = "named" // want `cookie "named" is set by alexedwards/scs but not declared`
	whole.Cookie = scs.SessionCookie{
		Name: "whole", // want `cookie "whole" is set by alexedwards/scs but not declared`
	}
	unnamed.Cookie.Path = "/"

	a := app{sessions: scs.New()}
	a.sessions.Cookie.Name = "declared"

	local := scs.New()
	configure(local)
}

func configure(m *scs.SessionManager) {
	m.Cookie.Name = "configured" // want `cookie "configured" is set by alexedwards/scs but not declared`
}
