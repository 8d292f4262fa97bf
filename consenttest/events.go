package consenttest

import (
	"net/http"
	"sync"

	"github.com/cookiecharter/consent"
)

// events collects the events of one request. It travels in the request's context,
// since visitors may send requests concurrently. The test's goroutine reads it after
// the handler has returned.
type events struct {
	mu  sync.Mutex
	all []consent.Event
}

type eventsKey struct{}

// collect adds an event to the events of its request.
func collect(r *http.Request, e consent.Event) {
	if observed, ok := r.Context().Value(eventsKey{}).(*events); ok {
		observed.mu.Lock()
		defer observed.mu.Unlock()
		observed.all = append(observed.all, e)
	}
}

func (observed *events) list() []consent.Event {
	observed.mu.Lock()
	defer observed.mu.Unlock()
	return observed.all
}

// A finding is reported once for each request, also if several visitors send it or
// the handler is wrapped twice.
type finding struct {
	request, cookie string
	reason          consent.Reason
}

// unreported returns the events of a request that have a problem which is not reported
// yet, and marks them as reported.
func (s *Site) unreported(r *http.Request, observed []consent.Event) []consent.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var news []consent.Event
	for _, e := range observed {
		f := finding{title(r), e.Cookie, e.Reason}
		if s.problem(e) != "" && !s.reported[f] {
			s.reported[f] = true
			news = append(news, e)
		}
	}
	return news
}
