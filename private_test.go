package consent_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

// Behind a writer that holds the head back, the head is edited more than once: what the
// first time made it private still holds the second time.
func TestNothingLeaksIntoCachesFromAHeadThatIsHeld(t *testing.T) {
	mw := middleware(t, nil)
	no := decide(t, mw, consent.RefuseAll())
	for what, h := range map[string]http.HandlerFunc{
		"a line was removed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Set-Cookie", "profile=1")
			io.WriteString(w, "x")
			w.Header().Set("Cache-Control", "public, max-age=60")
			io.WriteString(w, "y")
		},
		"a line was removed, then nothing written": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Set-Cookie", "profile=1")
			io.WriteString(w, "x")
			w.Header().Set("Cache-Control", "s-maxage=60")
		},
		"a line was removed, a cache of its own": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Set-Cookie", "profile=1")
			io.WriteString(w, "x")
			w.Header().Set("CDN-Cache-Control", "max-age=60")
		},
		"a line was removed, said anew": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Add("Set-Cookie", "profile=1")
			io.WriteString(w, "x")
			w.Header().Set("Cache-Control", "max-age=120")
		},
		"a line was removed, and it says nothing any more": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Add("Set-Cookie", "profile=1")
			io.WriteString(w, "x")
			w.Header().Del("Cache-Control")
		},
		"lines expire": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "x")
			w.Header().Set("Cache-Control", "public, max-age=60")
		},
		"a trailer was announced": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "Set-Cookie")
			io.WriteString(w, "x")
			w.Header().Set("Cache-Control", "public, max-age=60")
		},
	} {
		for name, outside := range map[string]func(http.Handler) http.Handler{"a timeout": timed, "another writer": held} {
			raw := rawGet(t, outside(through(t, mw, h)), "GET / HTTP/1.1\r\nHost: www.example.com\r\nCookie: profile=1; "+no+"\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n")
			head, _, _ := strings.Cut(raw, "\r\n\r\n")
			assert.Regexp(t, `(?i)\r\ncache-control: [^\r]*private`, head, "%s, %s", what, name)
			assert.NotRegexp(t, `(?i)public|s-maxage|cdn-`, head, "%s, %s", what, name)
		}
	}
}

// A writer outside that holds the head back has not sent it: what is shown until then can
// still be made private.
func TestNothingLeaksToASharedCacheOfWhatIsShownBehindAHeadThatIsHeld(t *testing.T) {
	mw := middleware(t, nil)
	for name, outside := range map[string]func(http.Handler) http.Handler{"a timeout": timed, "another writer": held} {
		raw := rawGet(t, outside(through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			io.WriteString(w, "<!doctype html>")
			consent.FromContext(r.Context()).KeepPrivate()
		}))), plainGet)
		assert.Contains(t, raw, "Cache-Control: private", name)
	}
}

// The key of the map may be spelled in any case.
func TestNothingIsInventedOfAHeadThatIsPrivateInAnySpelling(t *testing.T) {
	for _, key := range []string{"Cache-Control", "cache-control", "CACHE-CONTROL"} {
		var errs []error
		mw := middleware(t, told(&errs))
		serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
			w.Header()[key] = []string{"private"}
			w.Write([]byte("x"))
			consent.FromContext(r.Context()).KeepPrivate()
		})
		assert.Empty(t, errs, key)
	}
}

// What tells a CDN to keep nothing does not let shared caches keep the response.
func TestNothingIsInventedOfWhatTellsACacheToKeepNothing(t *testing.T) {
	for key, value := range map[string]string{
		"Cdn-Cache-Control": "no-store", "Surrogate-Control": "no-store", "X-Accel-Expires": "0", "Edge-Control": "no-store", "Cloudflare-Cdn-Cache-Control": "private",
	} {
		var errs []error
		mw := middleware(t, told(&errs))
		serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "private, no-store")
			w.Header().Set(key, value)
			consent.FromContext(r.Context()).KeepPrivate()
		})
		assert.Empty(t, errs, key)
	}
}

// What keeps a response out of a cache stays: nginx with "proxy_ignore_headers
// Cache-Control" goes by X-Accel-Expires and by Set-Cookie alone.
func TestNothingIsLostOfWhatTellsACacheToKeepNothing(t *testing.T) {
	for key, value := range map[string]string{"X-Accel-Expires": "0", "Surrogate-Control": "no-store", "Cdn-Cache-Control": "no-store"} {
		response := serve(t, middleware(t, nil), "", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(key, value)
			w.Header().Set("Set-Cookie", "profile=1")
		})
		assert.Equal(t, value, response.Header.Get(key))
	}
}

// A handler between the same middleware twice may say that caches keep what the inner one
// has removed a line from.
func TestNothingLeaksIntoCachesThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	response := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		through(t, mw, set("profile=1")).ServeHTTP(w, r)
		w.Header().Set("Cache-Control", "public, max-age=60")
	})
	assert.Equal(t, "private, max-age=60", response.Header.Get("Cache-Control"))
}
