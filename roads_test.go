package consent_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// Every road that a head can take is read from the connection itself, as bytes.

var everyRoad = map[string]http.HandlerFunc{
	"WriteHeader":     func(w http.ResponseWriter, _ *http.Request) { setBoth(w); w.WriteHeader(201) },
	"Write":           func(w http.ResponseWriter, _ *http.Request) { setBoth(w); w.Write([]byte("x")) },
	"WriteString":     func(w http.ResponseWriter, _ *http.Request) { setBoth(w); io.WriteString(w, "x") },
	"nothing written": func(w http.ResponseWriter, _ *http.Request) { setBoth(w) },
	"ReadFrom":        func(w http.ResponseWriter, _ *http.Request) { setBoth(w); io.Copy(w, strings.NewReader("x")) },
	"a long ReadFrom": func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20))
	},
	"Flush": func(w http.ResponseWriter, _ *http.Request) { setBoth(w); w.(http.Flusher).Flush(); setBoth(w) },
	"FlushError": func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		http.NewResponseController(w).Flush()
		setBoth(w)
	},
	"an empty write": func(w http.ResponseWriter, _ *http.Request) { setBoth(w); w.Write(nil); setBoth(w) },
	"early hints": func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		w.WriteHeader(103)
		w.Header().Add("Set-Cookie", "profile=2")
		w.WriteHeader(200)
	},
	"a redirect": func(w http.ResponseWriter, r *http.Request) {
		setBoth(w)
		http.Redirect(w, r, "/x", http.StatusSeeOther)
	},
	"an error": func(w http.ResponseWriter, _ *http.Request) { setBoth(w); http.Error(w, "no", 500) },
	"a panic behind the head": func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	},
	"http.SetCookie": func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "profile", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "1"})
	},
	"trailers": func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"Set-Cookie", "profile=3")
		w.Header().Set(http.TrailerPrefix+"set-cookie", "profile=4")
		w.Header().Set(http.TrailerPrefix+"X-Sum", "5")
	},
	"trailers of a body that was not flushed": func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		w.Header().Set(http.TrailerPrefix+"Set-Cookie", "profile=3")
	},
	"a timeout inside": func(w http.ResponseWriter, r *http.Request) {
		http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { setBoth(w); io.WriteString(w, "x") }), time.Minute, "").ServeHTTP(w, r)
	},
	"gzip outside of the body": func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "x")
		z.Close()
	},
	"another writer with only Unwrap": func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		http.NewResponseController(withOnlyUnwrap(w)).Flush()
	},
	"a head by hand": func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil { // HTTP/2
			setBoth(w)
			w.WriteHeader(200)
			return
		}
		defer conn.Close()
		for _, c := range []byte("HTTP/1.1 200 OK\r\ndate: Fri, 01 Jan 1960 00:00:00 GMT\r\nSet-Cookie: profile=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n" + kept + "\r\nContent-Length: 0\r\n\r\n") {
			rw.WriteByte(c)
			rw.Flush()
		}
	},
}

type unwrapper struct{ w http.ResponseWriter }

func (u unwrapper) Unwrap() http.ResponseWriter { return u.w }

// withOnlyUnwrap is another middleware's writer.
func withOnlyUnwrap(w http.ResponseWriter) http.ResponseWriter {
	return struct {
		http.ResponseWriter
		unwrapper
	}{w, unwrapper{w}}
}

func TestNothingLeaksOnAnyRoadOfHTTP1(t *testing.T) {
	for road, handler := range everyRoad {
		t.Run(road, func(t *testing.T) {
			raw := filtered(t, middleware(t, nil), handler, nil)
			if road == "trailers" {
				assert.Contains(t, raw, "X-Sum: 5")
			}
		})
	}
}

func TestNothingLeaksOnAnyRoadOfHTTP2(t *testing.T) {
	for road, handler := range everyRoad {
		t.Run(road, func(t *testing.T) {
			given := getH2(t, handler)
			require.Contains(t, fmt.Sprint(given.Header["Set-Cookie"]), gone, "bare")
			got := getH2(t, wrapped(t, handler))
			assert.Equal(t, given.StatusCode, got.StatusCode)
			assert.Equal(t, []string{"sessionid=1"}, got.Header["Set-Cookie"])
			assert.NotContains(t, got.Trailer, "Set-Cookie")
			assert.NotContains(t, fmt.Sprint(got.early), gone)
			if road == "trailers" {
				assert.Contains(t, given.Trailer, "Set-Cookie", "bare")
				assert.Equal(t, "5", got.Trailer.Get("X-Sum"))
			}
			if road == "early hints" {
				assert.Equal(t, []string{"profile=1; Path=/", "sessionid=1"}, given.early, "bare")
				assert.Equal(t, []string{"sessionid=1"}, got.early)
			}
		})
	}
}

func TestNothingLeaksWhereAHandlerOutsideRecovers(t *testing.T) {
	panicking := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		panic("broken")
	})
	assert.Contains(t, filtered(t, middleware(t, nil), panicking, recovering), "500 Internal Server Error")
}

func TestNothingLeaksWhereObservePanics(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) {
		c.Observe = func(*http.Request, consent.Event) { panic("observer") }
	})
	assert.Contains(t, filtered(t, mw, everyRoad["WriteHeader"], recovering), "500 Internal Server Error")
}

func TestNothingLeaksBehindAStatusThatIsNone(t *testing.T) {
	assert.Contains(t, filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		assert.Panics(t, func() { w.WriteHeader(0) })
		setBoth(w)
		w.WriteHeader(500)
	}), nil), "500 Internal Server Error")
}

func TestNothingLeaksBehindASwitchOnHTTP2(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(101)
		setBoth(w)
		w.WriteHeader(200)
	})
	require.Equal(t, []string{"profile=1; Path=/", "sessionid=1"}, getH2(t, h).Header["Set-Cookie"], "bare")
	got := getH2(t, wrapped(t, h))
	assert.Equal(t, 200, got.StatusCode)
	assert.Equal(t, []string{"sessionid=1"}, got.Header["Set-Cookie"])
}

func TestNothingLeaksThroughTheInnermostWriter(t *testing.T) {
	filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		innermost(w).WriteHeader(201)
	}), nil)
}

// innermost goes down as far as Unwrap leads.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}

func TestNothingIsLostBetweenEarlyHintsAndTheHead(t *testing.T) {
	mw := middleware(t, nil)
	raw := rawGet(t, through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setBoth(w)
		w.WriteHeader(103)
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		w.WriteHeader(200)
	})), plainGet)
	early, final, _ := strings.Cut(raw, "\r\n\r\n")
	assert.Contains(t, early, kept)
	assert.NotContains(t, early, gone)
	assert.NotContains(t, early, consent.CookieName)
	assert.Contains(t, final, "Set-Cookie: profile=1; Path=/\r\n"+kept+"\r\nSet-Cookie: cookies_preferences=")
}

// Early hints take nothing out of the map, nor put anything into it, whoever they
// are for; a handler may go on after an observer has panicked.
func TestNothingElseChangesInTheMapBehindEarlyHints(t *testing.T) {
	panics := func(c *consent.Config) { c.Observe = func(*http.Request, consent.Event) { panic("observer") } }
	for name, mw := range map[string]*consent.Middleware{"as usual": middleware(t, nil), "where Observe panics": middleware(t, panics)} {
		for _, cookies := range []string{"", decide(t, mw, consent.AcceptAll())} {
			t.Run(name, func(t *testing.T) {
				serve(t, mw, cookies, func(w http.ResponseWriter, _ *http.Request) {
					given := http.Header{"Set-Cookie": {"profile=1"}, "set-cookie": {"sessionid=1", "profile=2"}, "cache-control": {"public"}, "Cdn-Cache-Control": {"max-age=60"}, "Link": {"</a>"}}
					maps.Copy(w.Header(), given)
					func() {
						defer func() { recover() }()
						w.WriteHeader(http.StatusEarlyHints)
					}()
					assert.Equal(t, given, w.Header())
					clear(w.Header())
				})
			})
		}
	}
}

func TestNothingIsLostOfALineThatEndsInANewline(t *testing.T) {
	h := set("sessionid=1\n")
	require.Contains(t, rawGet(t, h, plainGet), kept+"\r\n", "bare")
	assert.Contains(t, rawGet(t, wrapped(t, h), plainGet), kept+"\r\n")
}

func TestNothingIsForgottenBehindATimeoutInside(t *testing.T) {
	mw := middleware(t, nil)
	raw := rawGet(t, through(t, mw, timed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		w.Header().Add("Set-Cookie", "profile=1")
	}))), plainGet)
	assert.Contains(t, raw, "Set-Cookie: profile=1\r\nSet-Cookie: cookies_preferences=")

	answered, late := make(chan struct{}), make(chan error, 1)
	raw = rawGet(t, through(t, mw, http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-answered
		late <- mw.Save(w, r, consent.AcceptAll())
	}), time.Millisecond, "")), plainGet)
	close(answered)
	require.Contains(t, raw, "503 Service Unavailable")
	assert.ErrorIs(t, <-late, consent.ErrTooLate)
}

// Of several Saves the last counts: the line that leaves tells of it, and so do
// the cookies that pass.
func TestNothingLeaksWhileSaveRacesWithTheHead(t *testing.T) {
	mw := middleware(t, nil)
	for range 50 {
		var saved atomic.Int64
		response := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
			var group sync.WaitGroup
			for _, choice := range []consent.Choice{consent.AcceptAll(), consent.RefuseAll(), consent.AcceptAll(), consent.RefuseAll()} {
				group.Go(func() {
					if mw.Save(w, r, choice) == nil {
						saved.Add(1)
					}
					consent.FromContext(r.Context()).Allows(consent.Statistics)
				})
			}
			setBoth(w)
			w.WriteHeader(200)
			group.Wait()
		})
		want := []string{"sessionid"}
		if decision := sent(response); decision != "" {
			want = append(want, consent.CookieName)
			if slices.Contains(passed(t, mw, decision), "profile") {
				want = slices.Insert(want, 0, "profile")
			}
		}
		assert.Equal(t, want, names(response))
		assert.Equal(t, saved.Load() > 0, sent(response) != "")
	}
}

func TestNothingLeaksThroughAReverseProxy(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setBoth(w)
		if r.Header.Get("Upgrade") != "" {
			w.Header().Set("Upgrade", "x")
			w.Header().Set("Connection", "Upgrade")
			w.WriteHeader(101)
			conn, _, _ := http.NewResponseController(w).Hijack()
			io.WriteString(conn, "tunnel")
			conn.Close()
		}
	}))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	require.NoError(t, err)
	proxy := wrapped(t, httputil.NewSingleHostReverseProxy(target))
	for _, upgrade := range []string{"Connection: close\r\n", "Connection: Upgrade\r\nUpgrade: x\r\n"} {
		raw := rawGet(t, proxy, "GET / HTTP/1.1\r\nHost: x\r\n"+upgrade+"\r\n")
		assert.Contains(t, raw, kept)
		assert.NotContains(t, raw, gone)
		if strings.Contains(upgrade, "Upgrade") {
			assert.True(t, strings.HasSuffix(raw, "\r\n\r\ntunnel"))
		}
	}
}
