package consenttest

import (
	"net/http"
	"sync"

	"github.com/cookiecharter/consent"
)

// events are what the middleware tells while one request is served. They travel
// in the request's context, since visitors may send requests side by side, and
// are read when the handler has returned, in the goroutine of the test.
type events struct {
	mu  sync.Mutex
	all []consent.Event
}

type eventsKey struct{}

// collect keeps an event with the request that it belongs to.
func collect(r *http.Request, e consent.Event) {
	if seen, ok := r.Context().Value(eventsKey{}).(*events); ok {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		seen.all = append(seen.all, e)
	}
}

func (seen *events) list() []consent.Event {
	seen.mu.Lock()
	defer seen.mu.Unlock()
	return seen.all
}

// A finding is what is told once, however many visitors send the request and
// however many handlers around one another are wrapped.
type finding struct {
	request, cookie string
	reason          consent.Reason
}

// unreported returns those of a request's events that are worth reporting and
// have not been.
func (s *Site) unreported(r *http.Request, seen []consent.Event) []consent.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var news []consent.Event
	for _, e := range seen {
		f := finding{title(r), e.Cookie, e.Reason}
		if s.wrong(e) != "" && !s.reported[f] {
			s.reported[f] = true
			news = append(news, e)
		}
	}
	return news
}
