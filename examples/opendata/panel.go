package main

import (
	"context"
	"net/http"

	"github.com/cookiecharter/consent"
)

// An eventLog keeps what the middleware tells about one response.
type eventLog struct{ events []consent.Event }

type logKey struct{}

// watch gives each request a log of its own, outside of the middleware.
func watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), logKey{}, new(eventLog))))
	})
}

// observe is the middleware's Config.Observe.
func observe(r *http.Request, e consent.Event) {
	if l, ok := r.Context().Value(logKey{}).(*eventLog); ok {
		l.events = append(l.events, e)
	}
}

// A fate is what became of one line of this very response.
type fate struct {
	Name, Why string
	Sent      bool
}

// fates tells what became of the lines that the handler tried to send.
func fates(r *http.Request, tried []string, say func(string) string) []fate {
	removed := make(map[string]consent.Reason)
	if l, ok := r.Context().Value(logKey{}).(*eventLog); ok {
		for _, e := range l.events {
			if e.Outcome == consent.OutcomeRemoved {
				removed[e.Cookie] = e.Reason
			}
		}
	}
	var all []fate
	for _, line := range tried {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			continue
		}
		if reason, gone := removed[c.Name]; gone {
			all = append(all, fate{Name: c.Name, Why: say(string(reason))})
			continue
		}
		why := "exempt"
		for _, declared := range cookies.Lookup(c.Name) {
			if declared.NeedsConsent() {
				why = "consented"
			}
			if declared.Anonymous {
				why = "anonymous"
			}
		}
		all = append(all, fate{Name: c.Name, Why: say(why), Sent: true})
	}
	return all
}
