package consent_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// The same handler is run bare and wrapped, and the connection compared.

const plainGet = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

func getH2(t *testing.T, h http.Handler) (*http.Response, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	response, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer response.Body.Close()
	b, _ := io.ReadAll(response.Body)
	require.Equal(t, 2, response.ProtoMajor)
	return response, string(b)
}

func TestNothingLeaksBehindATimeoutOutsideThatHoldsTheHead(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		w.Header().Add("Set-Cookie", "profile=1")
		w.Header().Add("Set-Cookie", "sessionid=1")
	})
	bare := rawGet(t, http.TimeoutHandler(h, time.Minute, ""), plainGet)
	require.Contains(t, bare, "profile=1")
	raw := rawGet(t, http.TimeoutHandler(middleware(t, nil).Wrap(h), time.Minute, ""), plainGet)
	assert.NotContains(t, raw, gone)
	assert.Contains(t, raw, kept)
}

// A writer as gzip middlewares have: it keeps the head until it has seen enough of the body.

type delaying struct {
	http.ResponseWriter
	code int
	buf  bytes.Buffer
}

func (d *delaying) WriteHeader(code int) { d.code = code }

func (d *delaying) Write(p []byte) (int, error) {
	d.buf.Write(p)
	if d.buf.Len() > 10 {
		d.close()
	}
	return len(p), nil
}

func (d *delaying) close() { d.ResponseWriter.Write(d.buf.Bytes()); d.buf.Reset() }

func TestNothingLeaksBehindAWriterOutsideThatHoldsTheHead(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		w.Header().Add("Set-Cookie", "profile=1")
		io.WriteString(w, strings.Repeat("x", 5000))
	})
	raw := rawGet(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := &delaying{ResponseWriter: w}
		middleware(t, nil).Wrap(h).ServeHTTP(d, r)
		d.close()
	}), plainGet)
	assert.NotContains(t, raw, gone)
}

func TestNothingLeaksBehindAStatusThatIsNone(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer func() {
			recover()
			w.Header().Add("Set-Cookie", "profile=1")
			w.WriteHeader(500)
		}()
		w.WriteHeader(0)
	})
	raw := rawGet(t, middleware(t, nil).Wrap(h), plainGet)
	assert.Contains(t, raw, "500 Internal")
	assert.NotContains(t, raw, gone)
}

func TestNothingLeaksFromAHijackBehindAStatusThatIsNone(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer func() {
			recover()
			c, _, _ := w.(http.Hijacker).Hijack()
			io.WriteString(c, "HTTP/1.1 200 OK\r\nSet-Cookie: profile=1\r\nContent-Length: 0\r\n\r\n")
			c.Close()
		}()
		w.WriteHeader(0)
	})
	raw := rawGet(t, middleware(t, nil).Wrap(h), plainGet)
	assert.NotContains(t, raw, gone)
}

func TestNothingLeaksFromAHijackWhereAClockIsWrong(t *testing.T) {
	recent := "profile=; Expires=" + time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		assert.NoError(t, err)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nSet-Cookie: "+recent+"\r\nContent-Length: 0\r\n\r\n")
		c.Close()
	})
	raw := rawGet(t, middleware(t, nil).Wrap(h), plainGet)
	assert.Contains(t, raw, "\r\nSet-Cookie: "+recent+"; Max-Age=0\r\n")
}

func TestNothingLeaksBehindASwitchOnHTTP2(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(101)
		w.Header().Add("Set-Cookie", "profile=1")
		w.WriteHeader(200)
	})
	response, _ := getH2(t, middleware(t, nil).Wrap(h))
	assert.Equal(t, 200, response.StatusCode)
	assert.Empty(t, response.Header["Set-Cookie"])
}

func TestNothingLeaksInAnAnnouncedTrailer(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Set-Cookie, X-Sum")
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		w.Header().Set("Set-Cookie", "profile=1")
		w.Header().Set("X-Sum", "1")
	})
	raw := rawGet(t, middleware(t, nil).Wrap(h), plainGet)
	assert.NotContains(t, raw, gone)
	assert.Contains(t, raw, "X-Sum: 1")
	response, _ := getH2(t, middleware(t, nil).Wrap(h))
	assert.Empty(t, response.Trailer["Set-Cookie"])
	assert.NotEmpty(t, response.Trailer["X-Sum"])
}

func TestNothingLeaksWhereObservePanics(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) {
		c.Observe = func(*http.Request, consent.Event) { panic("observer") }
	})
	inside := mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "profile=1")
		w.WriteHeader(200)
	}))
	raw := rawGet(t, recovering(inside), plainGet)
	assert.Contains(t, raw, "500 Internal")
	assert.NotContains(t, raw, gone)
}

// net/http copies the map when the head leaves, so that a handler may set
// trailers while it writes.
func TestNothingElseChangesForTrailersThatAreSetWhileTheBodyLeaves(t *testing.T) {
	handler := middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		h := w.Header()
		h.Set("Set-Cookie", "profile=1")
		io.WriteString(w, "x")
		assert.Equal(t, "profile=1", h.Get("Set-Cookie"), "nothing looks at it any more")
		var group sync.WaitGroup
		group.Go(func() {
			for i := range 1000 {
				h.Set(fmt.Sprintf("%sX-%d", http.TrailerPrefix, i), "1")
			}
		})
		for range 1000 {
			io.WriteString(w, "x")
		}
		w.(http.Flusher).Flush()
		group.Wait()
	}))
	raw := rawGet(t, handler, plainGet)
	assert.Contains(t, raw, "X-999: 1")
	assert.NotContains(t, raw, gone)
	response, _ := getH2(t, handler)
	assert.Equal(t, "1", response.Trailer.Get("X-999"))
	assert.Empty(t, response.Header["Set-Cookie"])
	rawGet(t, middleware(t, nil).Wrap(handler), plainGet) // -race tells
}

func TestNothingIsLostBetweenEarlyHintsAndTheHead(t *testing.T) {
	mw := middleware(t, nil)
	raw := rawGet(t, mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "profile=1")
		w.WriteHeader(103)
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		w.WriteHeader(200)
	})), plainGet)
	_, final, _ := strings.Cut(raw, "\r\n\r\n")
	assert.Contains(t, final, "Set-Cookie: profile=1")
}

func assertSame(t *testing.T, h http.Handler, req string) {
	t.Helper()
	bareHead, bareBody := split(t, rawGet(t, h, req), req)
	head, body := split(t, rawGet(t, middleware(t, nil).Wrap(h), req), req)
	assert.Equal(t, bareHead, head)
	assert.True(t, bareBody == body, "bodies %d %d", len(bareBody), len(body))
}

type only struct{ io.Reader }

func TestNothingElseChangesInHowABodyIsFramed(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 600, 1023, 1024, 1025, 2047, 2048, 2049, 5000} {
		for _, req := range []string{plainGet, "GET / HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"} {
			t.Run(fmt.Sprintf("%d %q", n, req[:16]), func(t *testing.T) {
				assertSame(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					io.Copy(w, only{strings.NewReader(strings.Repeat("a", n))})
				}), req)
			})
		}
	}
}

func firstBytes(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	io.WriteString(conn, plainGet)
	all, _ := io.ReadAll(conn)
	return string(all)
}

func TestNothingElseChangesInWhenABodyLeaves(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2000")
		pr, pw := io.Pipe()
		go func() {
			pw.Write(bytes.Repeat([]byte("a"), 600)) // then the source waits
			<-r.Context().Done()
			pw.Close()
		}()
		io.Copy(w, pr)
	})
	bare, wrapped := firstBytes(t, h), firstBytes(t, middleware(t, nil).Wrap(h))
	assert.Equal(t, strings.Count(bare, "a"), strings.Count(wrapped, "a"))
}

func TestNothingElseChangesForABodyBeyondItsLength(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "600")
		io.Copy(w, only{strings.NewReader(strings.Repeat("a", 2000))})
	})
	get := func(h http.Handler) int {
		server := httptest.NewServer(h)
		defer server.Close()
		once := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		r, err := once.Get(server.URL)
		require.NoError(t, err)
		b, err := io.ReadAll(r.Body)
		t.Log(len(b), err)
		return len(b)
	}
	assert.Equal(t, get(h), get(middleware(t, nil).Wrap(h)))
}

func TestNothingElseChangesForTheFilesOfAForm(t *testing.T) {
	run := func(wrap func(http.Handler) http.Handler) bool {
		var name string
		server := httptest.NewServer(wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !assert.NoError(t, r.ParseMultipartForm(1)) {
				return
			}
			f, err := r.MultipartForm.File["f"][0].Open()
			if assert.NoError(t, err) {
				name = f.(*os.File).Name()
				f.Close()
			}
		})))
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		p, _ := m.CreateFormFile("f", "f")
		p.Write(make([]byte, 11<<20))
		m.Close()
		response, err := http.Post(server.URL, m.FormDataContentType(), &body)
		require.NoError(t, err)
		response.Body.Close()
		server.Close()
		require.NotEmpty(t, name)
		_, err = os.Stat(name)
		os.Remove(name)
		return errors.Is(err, os.ErrNotExist)
	}
	require.True(t, run(func(h http.Handler) http.Handler { return h }), "bare: removed")
	assert.True(t, run(middleware(t, nil).Wrap), "wrapped: left behind")
}

func TestNothingElseChangesForALoggerOutside(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /a/{id}", func(http.ResponseWriter, *http.Request) {})
	for left, handler := range map[string]http.Handler{
		"POST /a/{id}": mux,
		"/new?a=b":     http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.URL = &url.URL{Path: "/new", RawQuery: "a=b"} }),
		"/rewritten":   http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.RequestURI = "/rewritten" }),
		"DELETE":       http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.Method = "DELETE" }),
		"site.example": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.Host = "site.example" }),
		"192.0.2.7":    http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.RemoteAddr = "192.0.2.7" }),
		"192.0.2.8":    http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.RemoteAddr = "192.0.2.8"; panic("broken") }),
	} {
		run := func(h http.Handler) []string {
			r := httptest.NewRequest("POST", "/a/1", nil)
			func() {
				defer func() { recover() }()
				h.ServeHTTP(httptest.NewRecorder(), r)
			}()
			return []string{r.Pattern, r.URL.String(), r.RequestURI, r.Method, r.Host, r.RemoteAddr}
		}
		bare := run(handler)
		require.Contains(t, bare, left)
		assert.Equal(t, bare, run(middleware(t, nil).Wrap(handler)))
	}
}

// The end of a body would follow the head if the method changed meanwhile, and
// be read as the next response.
func TestNothingElseChangesForAHeadThatIsServedAsGet(t *testing.T) {
	raw := rawGet(t, middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Method = "GET"
		io.WriteString(w, strings.Repeat("x", 5000))
	})), "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	assert.True(t, strings.HasSuffix(raw, "\r\n\r\n"), raw)
}

func TestNothingElseChangesInTheTrailerOfARequest(t *testing.T) {
	for name, head := range map[string]string{"announced": "Trailer: X-Sum\r\n", "not announced": ""} {
		t.Run(name, func(t *testing.T) {
			read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				assert.NoError(t, err)
				io.WriteString(w, "sum "+r.Trailer.Get("X-Sum"))
			})
			request := "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n" + head + "\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n"
			assert.Contains(t, rawGet(t, read, request), "sum 7")
			assert.Contains(t, rawGet(t, middleware(t, nil).Wrap(read), request), "sum 7")
		})
	}
}

func TestNothingElseChangesForAReaderOfTheRequestOutside(t *testing.T) {
	r := httptest.NewRequest("GET", "/a", nil)
	h := middleware(t, nil).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	var group sync.WaitGroup
	group.Go(func() {
		for range 1000 {
			_ = r.Method + r.URL.Path + r.RequestURI + r.Host + r.RemoteAddr + r.Pattern
		}
	})
	for range 100 {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	group.Wait()
}

func TestNothingIsForgottenBetweenTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	for _, test := range []struct {
		cookies string
		choice  consent.Choice
		allows  bool
	}{
		{"", consent.AcceptAll(), true},
		{decide(t, mw, consent.AcceptAll()), consent.RefuseAll(), false},
	} {
		response := serve(mw, test.cookies, func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, test.choice))
			mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, test.allows, consent.FromContext(r.Context()).Allows(consent.FirstParty))
				set("profile=1")(w, r)
			})).ServeHTTP(w, r)
		})
		var names []string
		for _, c := range response.Cookies() {
			names = append(names, c.Name)
		}
		if test.allows {
			assert.Equal(t, []string{"profile", consent.CookieName}, names)
		} else {
			assert.Equal(t, []string{consent.CookieName}, names)
		}
	}
}

func TestNothingIsLostThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	h := mw.Wrap(mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		w.Header().Add("Set-Cookie", "profile=1")
	})))
	assert.Contains(t, rawGet(t, h, plainGet), "Set-Cookie: profile=1")
}

func TestNothingLeaksThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	yes := decide(t, mw, consent.AcceptAll())
	h := mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		})).ServeHTTP(w, r)
		w.Header().Add("Set-Cookie", "profile=1") // between: after a Save
	}))
	raw := rawGet(t, h, "GET / HTTP/1.1\r\nHost: x\r\nCookie: "+yes+"\r\nConnection: close\r\n\r\n")
	assert.NotContains(t, raw, gone)
}

func TestNothingIsLostOfALineThatEndsInANewline(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "sessionid=1\n")
	})
	require.Contains(t, rawGet(t, h, plainGet), kept+"\r\n")
	assert.Contains(t, rawGet(t, middleware(t, nil).Wrap(h), plainGet), kept+"\r\n")
}

func TestNothingElseChangesForTheInnermostWriter(t *testing.T) {
	innermost := func(w http.ResponseWriter) http.ResponseWriter {
		for {
			u, ok := w.(interface{ Unwrap() http.ResponseWriter })
			if !ok {
				return w
			}
			w = u.Unwrap()
		}
	}
	h := middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NotPanics(t, func() { innermost(w).WriteHeader(204) })
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

func TestNothingElseChangesForABeginningThatMayBecomeAHead(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, _ := w.(http.Hijacker).Hijack()
		defer c.Close()
		c.Write([]byte("\x00\x00\x00\x01h"))
		io.Copy(io.Discard, c) // until the other side has read it, or given up
	})
	run := func(h http.Handler) string {
		server := httptest.NewServer(h)
		defer server.Close()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		io.WriteString(conn, "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")
		b := make([]byte, 5)
		n, _ := io.ReadFull(conn, b)
		return string(b[:n])
	}
	assert.Equal(t, run(h), run(middleware(t, nil).Wrap(h)))
}

func TestNothingElseChangesInWhatATCPConnectionCanDo(t *testing.T) {
	for _, wrap := range []func(http.Handler) http.Handler{func(h http.Handler) http.Handler { return h }, middleware(t, nil).Wrap} {
		server := httptest.NewServer(wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			defer c.Close()
			_, a := c.(interface{ CloseRead() error })
			_, b := c.(interface{ SetNoDelay(bool) error })
			_, d := c.(interface{ SetKeepAlive(bool) error })
			_, e := c.(interface{ SetLinger(int) error })
			assert.True(t, a && b && d && e, "CloseRead %t SetNoDelay %t SetKeepAlive %t SetLinger %t", a, b, d, e)
		})))
		http.Get(server.URL)
		server.Close()
	}
}

type ownHeader struct {
	http.ResponseWriter
	h http.Header
}

func (o *ownHeader) Header() http.Header { return o.h }

func (o *ownHeader) Unwrap() http.ResponseWriter { return o.ResponseWriter }

func TestNothingIsLostWhereTwoHeaderMapsMeet(t *testing.T) {
	raw := rawGet(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = []string{"profile=0", "sessionid=1", "sessionid=2"}
		middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Set-Cookie"] = []string{"profile=1", "visits=1", "visits=2"}
			http.NewResponseController(w).Flush()
		})).ServeHTTP(&ownHeader{w, http.Header{}}, r)
	}), plainGet)
	assert.Contains(t, raw, "Set-Cookie: sessionid=1\r\nSet-Cookie: sessionid=2\r\n")
}

// exchange returns what h answers over plain TCP, over TLS and over HTTP/2.

func exchange(t *testing.T, h http.Handler, mode, method, body string) string {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = quiet
	if mode == "tcp" {
		server.Start()
	} else {
		server.EnableHTTP2 = mode == "h2"
		server.StartTLS()
	}
	defer server.Close()
	if mode != "h2" {
		var c net.Conn
		var err error
		if mode == "tcp" {
			c, err = net.Dial("tcp", server.Listener.Addr().String())
		} else {
			c, err = tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		}
		require.NoError(t, err)
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		expect := ""
		if body != "" {
			expect = fmt.Sprintf("Content-Length: %d\r\nExpect: 100-continue\r\n", len(body))
		}
		for range 2 { // keep-alive
			io.WriteString(c, method+" / HTTP/1.1\r\nHost: x\r\n"+expect+"\r\n"+body)
		}
		io.WriteString(c, "GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		all, _ := io.ReadAll(c)
		return withoutDate(string(all))
	}
	r, _ := http.NewRequest(method, server.URL, strings.NewReader(body))
	response, err := server.Client().Do(r)
	if err != nil {
		return "error " + err.Error()[strings.LastIndex(err.Error(), ":"):]
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	response.Header.Del("Date")
	return fmt.Sprint(response.Status, response.Header, response.ContentLength, string(b), err, response.Trailer)
}

func withoutDate(s string) string {
	var out []string
	for _, l := range strings.Split(s, "\r\n") {
		if !strings.HasPrefix(l, "Date: ") && !strings.HasPrefix(l, "Last-Modified") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

func TestNothingElseChangesOnTheWire(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.txt")
	require.NoError(t, os.WriteFile(file, bytes.Repeat([]byte("f"), 700), 0o600))
	hs := map[string]http.HandlerFunc{
		"servefile": func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) },
		"content": func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("hello"))
		},
		"204": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(204)
			_, err := w.Write([]byte("x"))
			w.Header().Set("X", fmt.Sprint(err))
		},
		"304": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(304)
			io.Copy(w, only{strings.NewReader("abc")})
		},
		"304 tag": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Etag", "x")
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(304)
		},
		"cl": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "hel")
			io.Copy(w, only{strings.NewReader("lo")})
		},
		"cl short": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "50")
			io.WriteString(w, "hel")
		},
		"cl long": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "2")
			_, err := io.WriteString(w, "hel")
			w.Header().Set("X", fmt.Sprint(err))
		},
		"cl bad": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "x")
			io.WriteString(w, "hel")
		},
		"write then readfrom": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<html>")
			io.Copy(w, only{strings.NewReader(strings.Repeat("z", 700))})
		},
		"ws0": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, ""); w.Header().Set("A", "b") },
		"type nil": func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			w.Header()["Date"] = nil
			io.WriteString(w, "<html>")
		},
		"te identity": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Transfer-Encoding", "identity")
			io.WriteString(w, "x")
		},
		"100s": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "a")
			w.WriteHeader(103)
			w.WriteHeader(102)
			w.Header().Set("X", "y")
			w.WriteHeader(201)
			w.WriteHeader(500)
		},
		"body":        func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) },
		"body unread": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "no") },
		"body duplex": func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).EnableFullDuplex()
			io.WriteString(w, "a")
			http.NewResponseController(w).Flush()
			io.Copy(w, r.Body)
		},
		"trailers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "A, B")
			w.Header().Add("Trailer", "C")
			io.WriteString(w, "x")
			w.Header().Set("A", "1")
			w.Header().Set(http.TrailerPrefix+"D", "2")
		},
		"trailers nothing": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Trailer", "A"); w.Header().Set("A", "1") },
		"panic": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat("x", 5000))
			panic(http.ErrAbortHandler)
		},
		"panic before": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("A", "b"); panic(http.ErrAbortHandler) },
		"flush": func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
		},
		"odd keys": func(w http.ResponseWriter, r *http.Request) {
			w.Header()["x-a"] = []string{"1\r\nB: 2"}
			w.Header()["bad key"] = []string{"x"}
			w.Header()["Set-Cookie "] = []string{"profile=1"}
		},
		"cookies": func(w http.ResponseWriter, r *http.Request) {
			w.Header()["set-cookie"] = []string{" sessionid=1 "}
			w.Header()["SET-COOKIE"] = []string{"visits=1; \xff", "sessionid=\"2\""}
			w.Header()["Set-Cookie"] = []string{"x=; Max-Age=0", "sessionid=3"}
		},
		"timeout": func(w http.ResponseWriter, r *http.Request) {
			http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Set-Cookie", "sessionid=1")
				io.WriteString(w, "a")
			}), time.Minute, "late").ServeHTTP(w, r)
		},
		"timeout late": func(w http.ResponseWriter, r *http.Request) {
			answered := make(chan struct{})
			defer close(answered)
			http.TimeoutHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-answered }), time.Millisecond, "late").ServeHTTP(w, r)
		},
		"large readfrom": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			io.Copy(w, only{strings.NewReader(strings.Repeat("z", 100000))})
		},
		"304 readfrom": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(304)
			n, err := io.Copy(w, only{strings.NewReader(strings.Repeat("z", 2000))})
			_ = n
			_ = err
		},
	}
	for name, h := range hs {
		for _, mode := range []string{"tcp", "tls", "h2"} {
			for _, req := range []string{"GET", "HEAD", "POST"} {
				body := ""
				if req == "POST" {
					// A body that nobody reads has net/http reset the connection, which
					// may cut the answer short on its way.
					if !strings.HasPrefix(name, "body") {
						continue
					}
					body = "the body"
				}
				bare := exchange(t, h, mode, req, body)
				wrapped := exchange(t, middleware(t, nil).Wrap(h), mode, req, body)
				twice := exchange(t, middleware(t, nil).Wrap(middleware(t, nil).Wrap(h)), mode, req, body)
				if bare != wrapped && (mode != "tcp" || name != "body") {
					t.Errorf("%s %s %s:\n%.600q\n%.600q", name, mode, req, bare, wrapped)
				}
				if bare != twice {
					t.Errorf("twice %s %s %s:\n%.600q\n%.600q", name, mode, req, bare, twice)
				}
			}
		}
	}
}

func TestNothingLeaksWhileSaveRacesWithTheHead(t *testing.T) {
	mw := middleware(t, nil)
	for range 50 {
		raw := rawGet(t, mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					c := consent.AcceptAll()
					if i%2 == 0 {
						c = consent.RefuseAll()
					}
					mw.Save(w, r, c)
					consent.FromContext(r.Context()).Allows(consent.Statistics)
				}()
			}
			w.Header().Add("Set-Cookie", "profile=1")
			w.WriteHeader(200)
			wg.Wait()
		})), plainGet)
		assert.LessOrEqual(t, strings.Count(raw, "cookies_preferences"), 1)
	}
}

func TestNothingElseChangesBehindAWriteTimeout(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{"bare": func(h http.Handler) http.Handler { return h }, "wrapped": middleware(t, nil).Wrap} {
		raw := rawGet(t, wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			defer c.Close()
			c.SetWriteDeadline(time.Now().Add(-time.Second))
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			c.SetWriteDeadline(time.Time{})
			_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nbody")
			assert.NoError(t, err, name)
		})), plainGet)
		assert.Equal(t, "HTTP/1.1 200 OK\r\n\r\nbody", raw, name)
	}
}

type brokenHijacker struct {
	http.ResponseWriter
	c  net.Conn
	rw *bufio.ReadWriter
}

func (b brokenHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return b.c, b.rw, nil }

func TestNothingElseChangesInAHijackWithoutABuffer(t *testing.T) {
	c, _ := net.Pipe()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NotPanics(t, func() { w.(http.Hijacker).Hijack() })
	})
	middleware(t, nil).Wrap(h).ServeHTTP(brokenHijacker{httptest.NewRecorder(), c, nil}, httptest.NewRequest("GET", "/", nil))
}

// A client that joins a folded line to the one before would keep a cookie that
// another deletes.
func TestNothingLeaksFromAHijackThroughAFoldedLine(t *testing.T) {
	raw := rawGet(t, middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, _ := w.(http.Hijacker).Hijack()
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 200 OK\r\nSet-Cookie: profile=1; Max-Age=0\r\n Set-Cookie: sessionid=1; Max-Age=9999\r\nContent-Length: 0\r\n\r\n")
	})), plainGet)
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"profile=1; Max-Age=0", "sessionid=1; Max-Age=9999"}, response.Header["Set-Cookie"])
}

// holding keeps the head back, as writers do that compress.
type holding struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (h *holding) WriteHeader(int)             {}
func (h *holding) Write(p []byte) (int, error) { return h.body.Write(p) }
func (h *holding) ReadFrom(src io.Reader) (int64, error) {
	n, err := h.body.ReadFrom(src)
	if h.body.Len() > 1024 {
		h.ResponseWriter.Write(h.body.Bytes())
	}
	return n, err
}
func (h *holding) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.ResponseWriter.(http.Hijacker).Hijack()
}

func held(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&holding{ResponseWriter: w}, r) })
}

func TestNothingLeaksFromAHijackBehindAHeadThatIsHeld(t *testing.T) {
	raw := rawGet(t, held(middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(101)
		c, _, _ := w.(http.Hijacker).Hijack()
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: profile=1\r\n\r\n")
	}))), plainGet)
	assert.Contains(t, raw, "101 Switching")
	assert.NotContains(t, raw, gone)
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
	raw := rawGet(t, held(middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads := 0
		io.Copy(w, whenRead{strings.NewReader(strings.Repeat("x", 5000)), func() {
			if reads++; reads == 2 {
				w.Header().Add("Set-Cookie", "profile=1")
			}
		}})
	}))), plainGet)
	assert.Contains(t, raw, "xxxx")
	assert.NotContains(t, raw, gone)
}

func TestNothingIsInventedFromASharedCacheBehindASave(t *testing.T) {
	mw := middleware(t, nil)
	public := func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "public, max-age=60") }
	for name, h := range map[string]http.Handler{
		"a head that is held": http.TimeoutHandler(mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
			io.WriteString(w, "x")
			public(w)
		})), time.Minute, ""),
		"twice": mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
			})).ServeHTTP(w, r)
			public(w)
		})),
	} {
		raw := rawGet(t, h, plainGet)
		assert.Contains(t, raw, "Set-Cookie: cookies_preferences=", name)
		assert.Contains(t, raw, "Cache-Control: private, max-age=60", name)
	}
}

// The law of a request is what it was when it came.
func TestNothingLeaksWhereAHandlerChangesWhatOptOutLooksAt(t *testing.T) {
	optOut := func(holds func(*http.Request) bool) *consent.Middleware {
		return middleware(t, func(c *consent.Config) { c.OptOut = holds })
	}
	raw := rawGet(t, optOut(func(*http.Request) bool { return true }).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Sec-Gpc")
		w.Header().Add("Set-Cookie", "ad_id=1")
	})), "GET / HTTP/1.1\r\nHost: x\r\nSec-GPC: 1\r\nConnection: close\r\n\r\n")
	assert.NotContains(t, raw, "ad_id")

	raw = rawGet(t, optOut(func(r *http.Request) bool { return strings.HasPrefix(r.RemoteAddr, "192.0.2.") }).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.9" // as a header says that anybody may send
		w.Header().Add("Set-Cookie", "ad_id=1")
	})), plainGet)
	assert.NotContains(t, raw, "ad_id")

	inside := optOut(func(*http.Request) bool { panic("no country") }).Wrap(set("profile=1"))
	raw = rawGet(t, recovering(inside), plainGet)
	assert.Contains(t, raw, "500 Internal")
	assert.NotContains(t, raw, gone)

	// Preferences may be asked for while the request is being read; -race tells.
	optOut(func(*http.Request) bool { return false }).Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		var group sync.WaitGroup
		group.Go(func() { consent.FromContext(ctx).Allows(consent.FirstParty) })
		assert.NoError(t, r.ParseForm())
		group.Wait()
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/?a=b", strings.NewReader("")))
}

func TestNothingIsForgottenOfWhatIsHiddenThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.HideRefused = true })
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.ExpireRefused(w, r)) })
	raw := rawGet(t, mw.Wrap(mw.Wrap(h)), "GET / HTTP/1.1\r\nHost: x\r\nCookie: profile=1\r\nConnection: close\r\n\r\n")
	assert.Contains(t, raw, "Set-Cookie: profile=; Path=/; Max-Age=0")
}
