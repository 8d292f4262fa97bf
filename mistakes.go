package consent

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/cookiecharter/consent/internal/hosts"
)

// What a site does wrong shows only when it runs: each of these errors goes to
// [Config.Failed], and each once.
var (
	// ErrPublic says that a response shows something of its visitor, though its
	// handler let shared caches keep it. It has gone out as private.
	ErrPublic = errors.New("consent: a response that shows what its visitor has decided was public for caches; it has been made private")

	// ErrShownTooLate says that a handler has asked for what shows something of the
	// visitor when the head of the response had left, and nothing in the head keeps
	// the response out of shared caches.
	ErrShownTooLate = errors.New("consent: a response shows what its visitor has decided, but its head left before: ask for it before the first byte, or send Cache-Control: private")

	// ErrNotKept says that browsers do not keep the decision, so that visitors are
	// asked for ever.
	ErrNotKept = errors.New("consent: browsers do not keep the decision")

	// ErrBypassed says that Save was called by a handler whose writer is the one outside
	// of Wrap, as a framework hands its own to a handler although it was given another
	// one. Nothing that the handler sends is filtered, and its decision would be lost.
	ErrBypassed = errors.New("consent: the handler writes past Wrap, so that nothing of it is filtered; put Wrap around the whole site")

	// ErrReturned says that Save was called when the handler inside of Wrap had
	// returned: from a goroutine, or from a framework that calls its handlers only
	// then, so that nothing of them is filtered.
	ErrReturned = errors.New("consent: a handler ran after Wrap's had returned, so that nothing of it is filtered; put Wrap around the whole site")
)

// mistakes tells each mistake once.
type mistakes struct {
	failed func(*http.Request, error)
	told   sync.Map // of those errors
}

func (m *mistakes) tell(r *http.Request, kind error, details ...any) {
	if _, told := m.told.LoadOrStore(kind, true); told {
		return
	}
	err := kind
	if len(details) > 0 {
		err = fmt.Errorf("%w: %s", kind, fmt.Sprint(details...))
	}
	if m.failed == nil {
		slog.WarnContext(r.Context(), err.Error(), "request", printable(r.RequestURI))
		return
	}
	m.failed(r, err)
}

// checkKept tells if the browser that has sent r will not keep the decision, as far
// as the request says so. A server behind a proxy cannot see whether the site is on
// https; the Origin of a form of the site's own does.
func (m *Middleware) checkKept(r *http.Request) {
	scheme, host, _ := strings.Cut(first(r.Header["Origin"]), "://")
	if scheme == "http" && strings.EqualFold(host, r.Host) && m.cookie.Attributes().Secure && !hosts.IsLoopback(hosts.Name(r.Host)) {
		m.mistakes.tell(r, ErrNotKept, "it is Secure, and the site is on plain http; for development there is Config.Insecure")
	}
}

// checkHost tells if the site is asked for under a host that Config.Domain does not
// cover. An address, or none, is what a health check sends.
func (m *Middleware) checkHost(r *http.Request) {
	host := hosts.Name(r.Host)
	if host == "" || hosts.IsAddress(host) || hosts.Under(host, m.domain) {
		return
	}
	m.mistakes.tell(r, ErrNotKept, fmt.Sprintf("the host %q does not lie under Config.Domain, %q", host, m.domain))
}
