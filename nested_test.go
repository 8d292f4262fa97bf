package consent_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

// One middleware around another, or around itself.

func TestNothingIsForgottenBetweenTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	for name, test := range map[string]struct {
		cookies string
		choice  consent.Choice
		allows  bool
		want    []string
	}{
		"a consent": {"", consent.AcceptAll(), true, []string{"profile", "sessionid", consent.CookieName}},
		"a refusal": {decide(t, mw, consent.AcceptAll()), consent.RefuseAll(), false, []string{"sessionid", consent.CookieName}},
	} {
		t.Run(name, func(t *testing.T) {
			response := serve(t, mw, test.cookies, func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, mw.Save(w, r, test.choice))
				through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					assert.Equal(t, test.allows, consent.FromContext(r.Context()).Allows(consent.FirstParty))
					set("profile=1", "sessionid=1")(w, r)
				})).ServeHTTP(w, r)
			})
			assert.Equal(t, test.want, names(response))
		})
	}
}

func TestNothingElseChangesInHowOftenTheRegimeIsAsked(t *testing.T) {
	asked := 0
	mw := middleware(t, func(c *consent.Config) {
		c.Regime = func(*http.Request) consent.Regime { asked++; return consent.OptOut }
	})
	response := serve(t, mw, "", through(t, mw, set("profile=1")).ServeHTTP)
	assert.Equal(t, []string{"profile"}, names(response))
	assert.Equal(t, 1, asked)
}

func TestNothingIsLostThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	raw := rawGet(t, through(t, mw, through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		w.Header().Add("Set-Cookie", "profile=1")
	}))), plainGet)
	assert.Contains(t, raw, "Set-Cookie: profile=1\r\nSet-Cookie: cookies_preferences=")
}

func TestNothingLeaksThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	raw := rawGet(t, through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		})).ServeHTTP(w, r)
		setBoth(w) // between the two: after a Save
	})), "GET / HTTP/1.1\r\nHost: x\r\nCookie: "+decide(t, mw, consent.AcceptAll())+"\r\nConnection: close\r\n\r\n")
	assert.Contains(t, raw, kept)
	assert.Contains(t, raw, "Set-Cookie: cookies_preferences=")
	assert.NotContains(t, raw, gone)
}

func TestNothingIsForgottenOfWhatIsHiddenThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.HideRefused = true })
	raw := rawGet(t, through(t, mw, through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header["Cookie"])
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	}))), "GET / HTTP/1.1\r\nHost: x\r\nCookie: profile=1\r\nConnection: close\r\n\r\n")
	assert.Contains(t, raw, "Set-Cookie: profile=; Path=/; Max-Age=0")
}

func TestNothingLeaksFromASharedCacheThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	raw := rawGet(t, through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		})).ServeHTTP(w, r)
		w.Header().Set("Cache-Control", "public, max-age=60")
	})), plainGet)
	assert.Contains(t, raw, "Set-Cookie: cookies_preferences=")
	assert.Contains(t, raw, "Cache-Control: private, max-age=60")
}

// What the outer one lets pass, the inner one may not.
func TestNothingLeaksThroughAnotherMiddlewareBehindATimeoutOutside(t *testing.T) {
	lenient := middleware(t, func(c *consent.Config) { c.Registry, c.AllowUndeclared = consent.MustRegistry(), true })
	filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		setBoth(w)
		io.WriteString(w, "y")
	}), func(h http.Handler) http.Handler {
		return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			through(t, lenient, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r)
			})).ServeHTTP(w, r)
		}), time.Minute, "")
	})
}

// A writer between may have a header map of its own.
type ownHeader struct {
	http.ResponseWriter
	h http.Header
}

func (o *ownHeader) Header() http.Header { return o.h }

func (o *ownHeader) Unwrap() http.ResponseWriter { return o.ResponseWriter }

func TestNothingIsLostWhereTwoHeaderMapsMeet(t *testing.T) {
	for name, wrap := range map[string]func(testing.TB, http.Handler) http.Handler{"bare": bare, "wrapped": wrapped} {
		t.Run(name, func(t *testing.T) {
			raw := rawGet(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Set-Cookie"] = []string{"profile=0", "sessionid=1", "sessionid=2"}
				wrap(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header()["Set-Cookie"] = []string{"profile=1", "visits=1", "visits=2"}
					assert.NoError(t, http.NewResponseController(w).Flush())
				})).ServeHTTP(&ownHeader{w, http.Header{}}, r)
			}), plainGet)
			assert.Contains(t, raw, "Set-Cookie: sessionid=1\r\nSet-Cookie: sessionid=2\r\n")
			assert.Equal(t, name == "bare", strings.Contains(raw, gone))
		})
	}
}
