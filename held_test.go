package consent_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// A writer outside may hold the head back, and send what the map has become by
// then.

func timed(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "") }

// holding keeps the head until it has seen enough of the body, as writers do
// that compress.
type holding struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (h *holding) WriteHeader(int) {}

func (h *holding) Write(p []byte) (int, error) {
	h.body.Write(p)
	h.leave(1024)
	return len(p), nil
}

func (h *holding) ReadFrom(src io.Reader) (int64, error) {
	n, err := h.body.ReadFrom(src)
	h.leave(1024)
	return n, err
}

func (h *holding) leave(enough int) {
	if h.body.Len() > enough {
		h.body.WriteTo(h.ResponseWriter)
	}
}

func (h *holding) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.ResponseWriter.(http.Hijacker).Hijack()
}

func held(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outside := &holding{ResponseWriter: w}
		h.ServeHTTP(outside, r)
		outside.leave(0)
	})
}

func TestNothingLeaksBehindATimeoutOutside(t *testing.T) {
	filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		io.WriteString(w, "x")
	}), timed)

	slow := wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setBoth(w)
		<-r.Context().Done()
	}))
	returned := make(chan struct{})
	raw := rawGet(t, http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		slow.ServeHTTP(w, r)
	}), time.Millisecond, "late"), plainGet)
	<-returned
	assert.True(t, strings.HasSuffix(raw, "\r\n\r\nlate"), raw)
	assert.NotContains(t, raw, "Set-Cookie")
}

func TestNothingLeaksBehindATimeoutOutsideThatHoldsTheHead(t *testing.T) {
	filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		setBoth(w)
	}), timed)
}

// mayLose fails unless the bare handler sends what is gone, and the wrapped one sends
// its body alone: below a writer that held the head back and sends it in the middle of
// a Write, what was set behind the first Write leaves no more.
func mayLose(t *testing.T, h http.Handler, outside func(http.Handler) http.Handler) {
	t.Helper()
	require.Contains(t, rawGet(t, outside(h), plainGet), gone, "bare")
	raw := rawGet(t, outside(wrapped(t, h)), plainGet)
	assert.NotContains(t, raw, gone)
	_, body := split(t, raw, plainGet)
	assert.Greater(t, len(body), 5000)
}

func TestNothingLeaksBehindAWriterOutsideThatHoldsTheHead(t *testing.T) {
	mayLose(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		setBoth(w)
		io.WriteString(w, strings.Repeat("x", 5000))
	}), held)
}

// response has the name that net/http's own writer has, which holds no head back.
type response struct{ *holding }

func TestNothingLeaksBehindAWriterOutsideThatIsNamedAsTheServers(t *testing.T) {
	mayLose(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		setBoth(w)
		io.WriteString(w, strings.Repeat("x", 5000))
	}), func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			outside := &response{&holding{ResponseWriter: w}}
			h.ServeHTTP(outside, r)
			outside.leave(0)
		})
	})
}

func TestNothingLeaksFromAHijackBehindAHeadThatIsHeld(t *testing.T) {
	raw := filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(101)
		byHand(t, "HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: profile=1\r\n"+kept+"\r\n\r\n")(w, r)
	}), held)
	assert.Contains(t, raw, "101 Switching")
}

// whenRead does something each time that it has been read from.
type whenRead struct {
	io.Reader
	do func()
}

func (r whenRead) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.do()
	return n, err
}

func TestNothingLeaksFromABodyThatSetsHeadersOfAHeadThatIsHeld(t *testing.T) {
	mayLose(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads := 0
		io.Copy(w, whenRead{strings.NewReader(strings.Repeat("x", 5000)), func() {
			if reads++; reads == 2 {
				setBoth(w)
			}
		}})
	}), held)
}

// A file changes no header while it is read, but the handler may have before.
func TestNothingLeaksBeforeAFileOfAHeadThatIsHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("f"), 5000), 0o600))
	mayLose(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		setBoth(w)
		file, err := os.Open(path)
		if assert.NoError(t, err) {
			defer file.Close()
			io.CopyN(w, file, 5000) // as http.ServeContent does
		}
	}), held)
}

func TestNothingIsInventedFromASharedCacheBehindASave(t *testing.T) {
	mw := middleware(t, nil)
	for name, outside := range map[string]func(http.Handler) http.Handler{"a timeout": timed, "another writer": held} {
		t.Run(name, func(t *testing.T) {
			raw := rawGet(t, outside(through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
				io.WriteString(w, "x")
				w.Header().Set("Cache-Control", "public, max-age=60")
				io.WriteString(w, "y")
			}))), plainGet)
			assert.Contains(t, raw, "Set-Cookie: cookies_preferences=")
			assert.Contains(t, raw, "Cache-Control: private, max-age=60")
		})
	}
}

// A writer that holds the head back until the handler has returned sends what the
// handler has made of its map by then.
func TestNothingIsLostOfWhatIsSetBehindAWrite(t *testing.T) {
	for name, outside := range map[string]func(http.Handler) http.Handler{"a timeout": timed, "another writer": held} {
		for change, h := range map[string]http.HandlerFunc{
			"added": func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["x-odd"] = []string{"a", "b"}
				w.Header().Add("Set-Cookie", "sessionid=1")
				io.WriteString(w, "x")
				w.Header().Add("Set-Cookie", "sessionid=2")
				w.Header().Add("X-Odd", "c")
			},
			"replaced": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "a/b")
				w.Header().Add("Set-Cookie", "sessionid=1")
				w.Header().Add("Set-Cookie", "visits=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
				io.WriteString(w, "x")
				w.Header().Set("Content-Type", "c/d")
				w.Header().Set("Set-Cookie", "sessionid=2")
				w.Header()["Cache-Control"] = []string{"private"}
			},
			"deleted": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-A", "1")
				w.Header().Set("X-B", "1")
				w.Header().Set("Set-Cookie", "sessionid=1")
				io.WriteString(w, "x")
				w.Header().Del("X-A")
				w.Header().Del("Set-Cookie")
			},
			"changed in place": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-A", "1")
				io.WriteString(w, "x")
				w.Header()["X-A"][0] = "2"
			},
			"a cookie changed in place": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Set-Cookie", "sessionid=1")
				io.WriteString(w, "x")
				w.Header()["Set-Cookie"][0] = "sessionid=2"
			},
			"deleted, which others have set": func(w http.ResponseWriter, _ *http.Request) { w.Header().Del("X-Outside") },
			"an empty value":                 func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil; io.WriteString(w, "x") },
			"a kept map": func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				io.WriteString(w, "x")
				h.Set("X-A", "1")
			},
		} {
			t.Run(name+"/"+change, func(t *testing.T) {
				within := func(h http.Handler) http.Handler {
					return outside(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						w.Header().Set("X-Outside", "1")
						w.Header().Set("X-Kept", "1")
						h.ServeHTTP(w, r)
						w.Header().Set("X-After", w.Header().Get("X-A"))
					}))
				}
				given := withoutDate(rawGet(t, within(h), plainGet))
				assert.Equal(t, given, withoutDate(rawGet(t, within(wrapped(t, h)), plainGet)))
				assert.Equal(t, given, withoutDate(rawGet(t, within(wrapped(t, wrapped(t, h))), plainGet)), "wrapped twice")
			})
		}
	}
}

func TestNothingLeaksInPlaceBehindAWrite(t *testing.T) {
	filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"visits=1", "sessionid=1"}
		io.WriteString(w, "x")
		w.Header()["Set-Cookie"][0] = "profile=1"
		io.WriteString(w, strings.Repeat("x", 5000))
	}), timed)
}

// What others do to the head when it passes them stays: a session that is saved, the
// encoding of a body that is compressed.
func TestNothingIsLostOfWhatAWriterOutsideAdds(t *testing.T) {
	mw := middleware(t, nil)
	for name, late := range map[string]func(http.Header){
		"nothing":            func(http.Header) {},
		"a cookie":           func(h http.Header) { h.Add("Set-Cookie", "visits=1") },
		"a cookie, replaced": func(h http.Header) { h.Set("Set-Cookie", "visits=1") },
		"no cookie":          func(h http.Header) { h.Del("Set-Cookie") },
	} {
		t.Run(name, func(t *testing.T) {
			raw := rawGet(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				outside := &adding{ResponseWriter: w}
				through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
					w.Header().Set("Content-Length", "1")
					w.Header().Add("Set-Cookie", "visits=0")
					io.WriteString(w, "x")
					late(w.Header())
				})).ServeHTTP(outside, r)
				w.Write(outside.body)
			}), plainGet)
			assert.Contains(t, raw, "Content-Encoding: x")
			assert.NotContains(t, raw, "Content-Length: 1\r\n")
			assert.Equal(t, 1, strings.Count(raw, "Set-Cookie: sessionid=outside"))
			assert.Equal(t, 1, strings.Count(raw, "Set-Cookie: cookies_preferences="))
		})
	}
}

// adding keeps the body until the handler has returned, and adds to the head before.
type adding struct {
	http.ResponseWriter
	body []byte
}

func (a *adding) Write(p []byte) (int, error) {
	a.Header().Del("Content-Length")
	a.Header().Set("Content-Encoding", "x")
	a.Header().Add("Set-Cookie", "sessionid=outside")
	a.body = append(append(a.body, p...), "and more"...)
	return len(p), nil
}

// copying reads the map once, as many servers do.
type copying struct {
	http.ResponseWriter
	h     http.Header
	wrote bool
}

func (c *copying) Header() http.Header { return c.h }

func (c *copying) WriteHeader(status int) {
	if !c.wrote {
		c.wrote = status >= 200
		maps.Copy(c.ResponseWriter.Header(), c.h.Clone())
		c.ResponseWriter.WriteHeader(status)
	}
}

func (c *copying) Write(p []byte) (int, error) {
	c.WriteHeader(200)
	return c.ResponseWriter.Write(p)
}

func (c *copying) Flush() { c.WriteHeader(200); c.ResponseWriter.(http.Flusher).Flush() }

func (c *copying) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// A bare handler may set trailers in one goroutine while another writes the body:
// every map is read by one goroutine at a time. -race tells of one that is not.
func TestNothingElseChangesForAMapThatIsWrittenWhileTheBodyLeaves(t *testing.T) {
	writing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		setBoth(w)
		w.Write([]byte("x"))
		var group sync.WaitGroup
		group.Go(func() {
			for i := range 1000 {
				h.Set(fmt.Sprint(http.TrailerPrefix, "X-", i), "1")
				h.Set("Set-Cookie", "profile=1")
			}
		})
		for i := range 1000 {
			switch i % 4 {
			case 0:
				io.WriteString(w, "x")
			case 1:
				w.(http.Flusher).Flush()
			case 2:
				assert.NoError(t, http.NewResponseController(w).Flush())
			default:
				io.Copy(w, only{strings.NewReader("x")})
			}
			if i == 500 {
				w.WriteHeader(http.StatusEarlyHints) // too late
			}
		}
		group.Wait()
	})
	copies := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := &copying{ResponseWriter: w, h: http.Header{}}
			h.ServeHTTP(c, r)
			maps.Copy(w.Header(), c.h)
		})
	}
	only := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(flushing{w}, r) })
	}
	for name, outside := range map[string]func(http.Handler) http.Handler{"a copy": copies, "the same map": only} {
		t.Run(name, func(t *testing.T) {
			for _, h := range []http.Handler{wrapped(t, writing), wrapped(t, wrapped(t, writing))} {
				raw := rawGet(t, outside(h), plainGet)
				assert.Contains(t, raw, kept)
				assert.Contains(t, raw, "\r\nX-999: 1\r\n")
				assert.NotContains(t, raw, gone)
				got := getH2(t, outside(h))
				assert.Equal(t, "1", got.Trailer.Get("X-999"))
				assert.Equal(t, []string{"sessionid=1"}, got.Header["Set-Cookie"])
			}
		})
	}
}

// flushing passes everything on, and is unknown.
type flushing struct{ http.ResponseWriter }

func (f flushing) Flush() { f.ResponseWriter.(http.Flusher).Flush() }

// http.TimeoutHandler lets several goroutines write at once.
func TestNothingElseChangesForSeveralThatWriteAtOnce(t *testing.T) {
	h := wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { io.WriteString(w, "x") })
		}
		group.Wait()
	}))
	for _, h := range []http.Handler{h, wrapped(t, h)} {
		_, body := split(t, rawGet(t, timed(h), plainGet), plainGet)
		assert.Equal(t, "xxxxxxxxmap[]", body)
	}
}

// The map of a writer further down is filtered too if nothing is written.
func TestNothingLeaksFromTheMapOfAWriterFurtherDown(t *testing.T) {
	for name, write := range map[string]func(http.ResponseWriter){
		"nothing written":               func(http.ResponseWriter) {},
		"written through the one above": func(w http.ResponseWriter) { io.WriteString(w, "x") },
		"written through itself":        func(w http.ResponseWriter) { innermost(w).Write([]byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				setBoth(innermost(w))
				write(w)
			}), func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&ownHeader{w, http.Header{}}, r) })
			})
		})
	}
}

// A head that was held back may still be written by hand.
func TestNothingLeaksFromAHijackFurtherDownBehindAHeadThatIsHeld(t *testing.T) {
	raw := filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		innermost(w)
		io.WriteString(w, "held")
		byHand(t, headWith())(w, r)
	}), func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			outside := &struct {
				holding
				unwrapper
			}{holding{ResponseWriter: w}, unwrapper{w}}
			h.ServeHTTP(struct {
				http.ResponseWriter
				unwrapper
			}{&outside.holding, outside.unwrapper}, r)
		})
	})
	assert.NotContains(t, raw, "held")
}

// A writer outside that compresses says so in the map below, by the first Write. What a
// handler adds to the same field later is added, as it is bare.
func TestNothingIsLostOfAFieldThatAWriterOutsideAndTheHandlerBothAddTo(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		w.Header().Add("Vary", "Accept-Language")
	})
	outside := func(h http.Handler) http.Handler {
		return timed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&encoding{w}, r) }))
	}
	assert.Equal(t, withoutDate(rawGet(t, outside(h), plainGet)), withoutDate(rawGet(t, outside(wrapped(t, h)), plainGet)))
}

type encoding struct{ http.ResponseWriter }

func (e *encoding) Write(p []byte) (int, error) {
	e.Header().Add("Vary", "Accept-Encoding")
	return e.ResponseWriter.Write(p)
}
