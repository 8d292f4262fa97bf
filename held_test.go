package consent_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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

func TestNothingLeaksBehindAWriterOutsideThatHoldsTheHead(t *testing.T) {
	filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		setBoth(w)
		io.WriteString(w, strings.Repeat("x", 5000))
	}), held)
}

// response has the name that net/http's own writer has, which holds no head back.
type response struct{ *holding }

func TestNothingLeaksBehindAWriterOutsideThatIsNamedAsTheServers(t *testing.T) {
	filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
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
	raw := filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads := 0
		io.Copy(w, whenRead{strings.NewReader(strings.Repeat("x", 5000)), func() {
			if reads++; reads == 2 {
				setBoth(w)
			}
		}})
	}), held)
	assert.Contains(t, raw, "xxxx")
}

// A file changes no header while it is read, but the handler may have before.
func TestNothingLeaksBeforeAFileOfAHeadThatIsHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("f"), 5000), 0o600))
	raw := filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		setBoth(w)
		file, err := os.Open(path)
		if assert.NoError(t, err) {
			defer file.Close()
			io.CopyN(w, file, 5000) // as http.ServeContent does
		}
	}), held)
	assert.Contains(t, raw, "xffff")
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
