package consent_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The same handler is run bare and wrapped, and what leaves is compared.

func TestNothingElseChangesInTheResponse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file.bin")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("0123456789", 100_000)), 0o600))
	for name, handler := range map[string]http.HandlerFunc{
		"a file":         func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) },
		"a sniffed type": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"a copied file": func(w http.ResponseWriter, _ *http.Request) {
			f, _ := os.Open(file)
			defer f.Close()
			io.Copy(w, f)
		},
		"a status alone": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) },
		"no content":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"many small parts": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				fmt.Fprintln(w, i)
			}
		},
		"a status behind an empty copy": func(w http.ResponseWriter, _ *http.Request) {
			io.Copy(w, strings.NewReader(""))
			w.WriteHeader(404)
		},
		"headers and trailers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			w.Header()["x-odd"] = []string{"a", "b"}
			io.WriteString(w, "x")
			w.Header().Set("X-Sum", "1")
		},
	} {
		for _, request := range []string{plainGet, "HEAD" + plainGet[3:],
			"GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=5-9\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"} {
			t.Run(fmt.Sprintf("%s/%.30q", name, request), func(t *testing.T) { assertSame(t, handler, request) })
		}
	}
}

func TestNothingElseChangesInHowABodyIsFramed(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 600, 1023, 1024, 1025, 2047, 2048, 2049, 5000} {
		for _, request := range []string{plainGet, "GET / HTTP/1.0\r\n\r\n", "HEAD" + plainGet[3:]} {
			t.Run(fmt.Sprintf("%d/%.16q", n, request), func(t *testing.T) {
				assertSame(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					io.Copy(w, only{strings.NewReader(strings.Repeat("a", n))})
				}), request)
			})
		}
	}
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
	var given, kept int
	t.Run("meanwhile", func(t *testing.T) { // both wait for the same three seconds
		for arrived, h := range map[*int]http.Handler{&given: h, &kept: wrapped(t, h)} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				connect(t, h, false, func(conn net.Conn) {
					conn.SetDeadline(time.Now().Add(3 * time.Second))
					io.WriteString(conn, plainGet)
					all, _ := io.ReadAll(conn)
					*arrived = bytes.Count(all, []byte("a"))
				})
			})
		}
	})
	require.GreaterOrEqual(t, given, 512)
	assert.Equal(t, given, kept)
}

func TestNothingElseChangesForABodyBeyondItsLength(t *testing.T) {
	assertSame(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "600")
		io.Copy(w, only{strings.NewReader(strings.Repeat("a", 2000))})
	}), plainGet)
}

// The end of a body would follow the head if the method changed meanwhile, and
// be read as the next response.
func TestNothingElseChangesForAHeadThatIsServedAsGet(t *testing.T) {
	raw := rawGet(t, wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Method = "GET"
		io.WriteString(w, strings.Repeat("x", 5000))
	})), "HEAD"+plainGet[3:])
	assert.True(t, strings.HasSuffix(raw, "\r\n\r\n"), raw)
}

func TestNothingElseChangesForAGetThatIsServedAsHead(t *testing.T) {
	raw := rawGet(t, wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Method = "HEAD"
		io.WriteString(w, strings.Repeat("x", 5000))
	})), plainGet)
	_, body := split(t, raw, plainGet)
	assert.Equal(t, strings.Repeat("x", 5000)+"map[]", body)
}

func TestNothingElseChangesForTheInnermostWriter(t *testing.T) {
	w := httptest.NewRecorder()
	wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NotPanics(t, func() { innermost(w).WriteHeader(204) })
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	assert.Equal(t, 204, w.Code)
}

func TestNothingElseChangesInDeadlines(t *testing.T) {
	h := wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		assert.NoError(t, control.SetReadDeadline(time.Now().Add(time.Hour)))
		assert.NoError(t, control.SetWriteDeadline(time.Now().Add(time.Hour)))
		assert.NoError(t, control.EnableFullDuplex())
		assert.NoError(t, control.Flush())
	}))
	assert.Contains(t, rawGet(t, h, plainGet), "200 OK")
	assert.Equal(t, 200, getH2(t, h).StatusCode)
	serve(t, middleware(t, nil), "", func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		assert.ErrorIs(t, control.SetReadDeadline(time.Now()), http.ErrNotSupported)
		assert.ErrorIs(t, control.EnableFullDuplex(), http.ErrNotSupported)
	})
}

// exchange returns what h answers over plain TCP, over TLS and over HTTP/2. On the
// first two the connection serves three requests.
func exchange(t *testing.T, h http.Handler, mode, method, body string) (got string) {
	t.Helper()
	if mode == "h2" {
		answer, err := askH2(t, h, method, body)
		if answer.Response == nil {
			return "error " + err.Error()[strings.LastIndex(err.Error(), ":"):]
		}
		answer.Header.Del("Date")
		return fmt.Sprint(answer.Status, answer.Header, answer.ContentLength, answer.body, err, answer.Trailer)
	}
	connect(t, h, mode == "tls", func(conn net.Conn) {
		expect := ""
		if body != "" {
			expect = fmt.Sprintf("Content-Length: %d\r\nExpect: 100-continue\r\n", len(body))
		}
		for range 2 { // keep-alive
			io.WriteString(conn, method+" / HTTP/1.1\r\nHost: x\r\n"+expect+"\r\n"+body)
		}
		io.WriteString(conn, "GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		all, _ := io.ReadAll(conn)
		got = withoutDate(string(all))
	})
	return got
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
			w.Header()["Cache-Control"] = []string{"private"} // as a response with statistics has to be
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
			for _, method := range []string{"GET", "HEAD", "POST"} {
				body := ""
				if method == "POST" {
					// A body that nobody reads has net/http reset the connection, which
					// may cut the answer short on its way.
					if !strings.HasPrefix(name, "body") {
						continue
					}
					body = "the body"
				}
				t.Run(name+"/"+mode+"/"+method, func(t *testing.T) {
					given := exchange(t, h, mode, method, body)
					assert.Equal(t, given, exchange(t, wrapped(t, h), mode, method, body))
					assert.Equal(t, given, exchange(t, wrapped(t, wrapped(t, h)), mode, method, body), "wrapped twice")
				})
			}
		}
	}
}

// net/http names the line of a handler that sends a second head.
func TestNothingElseChangesInWhatTheServerLogs(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"two heads":             func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); w.WriteHeader(500) },
		"behind a body":         func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x"); w.WriteHeader(103) },
		"by net/http's own":     func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200); http.Error(w, "no", 500) },
		"behind a switch":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(101); w.WriteHeader(500) },
		"behind a hijack":       func(w http.ResponseWriter, _ *http.Request) { defer hijack(t, w).Close(); w.WriteHeader(500) },
		"no status":             func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); w.WriteHeader(0) },
		"nothing to talk about": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) },
	} {
		t.Run(name, func(t *testing.T) {
			logged := func(h http.Handler) string {
				var b bytes.Buffer
				returned := make(chan struct{}) // of a handler that has taken the connection the server knows nothing
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer close(returned)
					h.ServeHTTP(w, r)
				}))
				server.Config.ErrorLog = log.New(&b, "", 0)
				server.Start()
				if response, err := server.Client().Get(server.URL); err == nil {
					response.Body.Close()
				}
				<-returned
				server.Close()
				return b.String()
			}
			given := logged(h)
			assert.Equal(t, name == "nothing to talk about", given == "")
			assert.Equal(t, given, logged(wrapped(t, h)))
			assert.Equal(t, given, logged(wrapped(t, wrapped(t, h))), "wrapped twice")
		})
	}
}
