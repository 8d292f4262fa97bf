package consent_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

// Each benchmark runs the bare handler beside the wrapped one, since absolute
// figures say little.

// sink returns a ResponseWriter that does nothing, so that what is measured is the
// middleware. It is one that the middleware knows, as it knows the server's: its head
// has left, so that a recorder copies nothing.
func sink() *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.WriteHeader(http.StatusOK)
	return w
}

var roads = []struct {
	name    string
	lines   []string
	allowed bool // by a decision that the request carries
}{
	{"no cookie", nil, false},
	{"necessary", []string{"sessionid=1; Path=/"}, false},
	{"removed", []string{"profile=1; Path=/"}, false},
	{"removed between others", []string{"sessionid=1", "profile=1; Path=/", "sessionid=2"}, false},
	{"undeclared", []string{"nobody=1; Path=/"}, false},
	{"consented", []string{"profile=1; Path=/"}, true},
	{"comes back", nil, true},
}

func BenchmarkServe(b *testing.B) {
	for _, road := range roads {
		mw := middleware(b, nil)
		bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if road.lines != nil {
				w.Header()["Set-Cookie"] = road.lines
			}
			w.WriteHeader(http.StatusOK)
		})
		r := httptest.NewRequest("GET", "/", nil)
		if road.allowed {
			r.Header.Set("Cookie", decide(b, mw, consent.AcceptAll()))
		}
		reporting := middleware(b, func(c *consent.Config) { c.ReportOnly = true })
		for _, side := range []struct {
			name    string
			handler http.Handler
		}{
			{"bare", bare},
			{"context and writer alone", floor(bare)},
			{"wrapped", mw.Wrap(bare)},
			{"only reporting", reporting.Wrap(bare)},
			{"wrapped, observed", middleware(b, watch).Wrap(bare)},
			{"only reporting, observed", middleware(b, func(c *consent.Config) { watch(c); c.ReportOnly = true }).Wrap(bare)},
		} {
			b.Run(road.name+"/"+side.name, func(b *testing.B) {
				w := sink()
				b.ReportAllocs()
				for b.Loop() {
					side.handler.ServeHTTP(w, r)
				}
			})
		}
	}
}

func watch(c *consent.Config) { c.Observe = func(*http.Request, consent.Event) {} }

// floor does the least that any middleware does which hands on a context and a
// writer of its own, in as many bytes: a benchmark has next to no heap, so that
// much of what it measures is the collector, which goes by bytes.
func floor(next http.Handler) http.Handler {
	type state struct {
		context.Context
		http.ResponseWriter
		_ [16]uintptr
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &state{Context: r.Context(), ResponseWriter: w}
		next.ServeHTTP(s, r.WithContext(s))
	})
}

func BenchmarkLookup(b *testing.B) {
	for _, declared := range []int{10, 10_000} {
		var cookies []consent.Cookie
		for i := range declared {
			name := fmt.Sprintf("cookie%d", i)
			if i%2 == 1 {
				name = fmt.Sprintf("pattern%d_*", i)
			}
			cookies = append(cookies, consent.Cookie{Provider: "Site", Name: name, Purpose: text("x"), Category: consent.Necessary})
		}
		mw := middleware(b, func(c *consent.Config) { c.Registry = consent.MustRegistry(cookies...) })
		for _, name := range []string{"cookie4", "pattern3_x", "nobody"} {
			b.Run(fmt.Sprintf("%s of %d", name, declared), func(b *testing.B) {
				b.ReportAllocs()
				serve(b, mw, "", func(_ http.ResponseWriter, r *http.Request) {
					prefs := consent.FromContext(r.Context())
					for b.Loop() {
						prefs.AllowsCookie(name)
					}
				})
			})
		}
	}
}

func TestNothingElseChangesInAllocations(t *testing.T) {
	most := map[string]float64{
		"no cookie": 1, "necessary": 1, "removed": 1, "undeclared": 1, "comes back": 1,
		"removed between others": 2,  // one for its Cache-Control, which says private
		"consented":              12, // 3, but under the race detector sync.Pool drops what it is given now and then
	}
	html := []string{"text/html; charset=utf-8"}
	for _, only := range []bool{false, true} {
		mw := middleware(t, func(c *consent.Config) { c.ReportOnly = only })
		yes := decide(t, mw, consent.AcceptAll())
		for _, road := range roads {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Accept", "text/html,*/*;q=0.8")
			if road.allowed {
				r.Header.Set("Cookie", yes)
			}
			w := sink()
			handler := mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = html
				if road.lines != nil {
					w.Header()["Set-Cookie"] = road.lines
				}
				w.WriteHeader(http.StatusOK)
			}))
			serve := func() {
				clear(w.Header())
				handler.ServeHTTP(w, r)
			}
			got, bytes := math.Inf(1), math.Inf(1) // the least of some runs: other goroutines of the process allocate too
			for range 3 {
				got = min(got, testing.AllocsPerRun(100, serve))
				bytes = min(bytes, bytesPerRun(100, serve))
			}
			assert.LessOrEqual(t, got, most[road.name], "%s; only reported: %v", road.name, only)
			if most[road.name] == 1 {
				assert.LessOrEqual(t, bytes, 512., "%s; only reported: %v; one more takes 576, the next size that Go has", road.name, only)
			}
		}
	}
}

// bytesPerRun does for bytes what [testing.AllocsPerRun] does for allocations.
func bytesPerRun(runs int, f func()) float64 {
	var before, after runtime.MemStats
	f()
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return math.Floor(float64(after.TotalAlloc-before.TotalAlloc) / float64(runs))
}
