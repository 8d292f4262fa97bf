// Command sse sends events as they come (server-sent events). The head leaves
// with the first flush, and the middleware holds nothing back.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Example",
		Name:     "theme",
		Purpose:  consent.Text{language.English: "Remembers whether you read on light or on dark."},
		Category: consent.Necessary,
	},
	consent.Cookie{
		Provider: "Matomo",
		Name:     "_pk_id*",
		Purpose:  consent.Text{language.English: "Recognises a visitor who comes back."},
		Category: consent.Statistics,
		Lifetime: 13 * 30 * 24 * time.Hour,
	},
)

func main() {
	site, err := newSite(clock)
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080 in a browser: what is removed is written here; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

// clock is an event a second.
func clock(ctx context.Context) (event string, more bool) {
	select {
	case now := <-time.After(time.Second):
		return now.Format(time.TimeOnly), true
	case <-ctx.Done(): // the visitor has left
		return "", false
	}
}

// newSite makes the site; next waits for the next event, and says whether there
// is one.
func newSite(next func(context.Context) (event string, more bool)) (http.Handler, error) {
	key := make([]byte, 32) // in production: from your secrets, the same in every process
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{key}, Insecure: true, Observe: consent.LogTo(slog.Default(), 0)}) // Insecure: for http
	if err != nil {
		return nil, err
	}
	site, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		setCookies(w)
		w.Header().Set("Cache-Control", "private, no-store")
		fmt.Fprintf(w, "<!doctype html><title>Events</title>%s%s<h1>Events</h1>%s%s", site.Head(r), site.Banner(r), site.Link(r), script)
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		setCookies(w)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		flush := http.NewResponseController(w).Flush
		for flush() == nil {
			event, more := next(r.Context())
			if !more {
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", event)
		}
	})
	return mw.Wrap(mux), nil
}

const script = `<script>new EventSource("/events").onmessage = e => document.body.append(e.data, " ")</script>`

func setCookies(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
	http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2", MaxAge: 86400})
}
