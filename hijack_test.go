package consent_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// A handler that takes over the connection writes the head by hand.

// byHand returns a handler that hijacks the connection, writes these bytes and
// closes it.
func byHand(t *testing.T, written string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn := hijack(t, w)
		defer conn.Close()
		_, err := io.WriteString(conn, written)
		assert.NoError(t, err)
	}
}

// hijack returns the connection, or ends the handler.
func hijack(t *testing.T, w http.ResponseWriter) net.Conn {
	t.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if !assert.NoError(t, err) {
		panic(http.ErrAbortHandler)
	}
	return conn
}

// headWith is a head that holds what is kept, what is gone and these lines.
func headWith(lines ...string) string {
	return strings.Join(append([]string{"HTTP/1.1 200 OK", "Set-Cookie: profile=1", kept}, append(lines, "Content-Length: 0\r\n\r\n")...), "\r\n")
}

func TestNothingLeaksFromAHijackBehindAStatusThatIsNone(t *testing.T) {
	filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Panics(t, func() { w.WriteHeader(0) })
		byHand(t, headWith())(w, r)
	}), nil)
}

func TestNothingLeaksFromAHijackBehindEarlyHints(t *testing.T) {
	for name, early := range map[string]func(http.ResponseWriter) string{
		"by hand": func(http.ResponseWriter) string {
			return "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: profile=0\r\n\r\n"
		},
		"by hand, twice":           func(http.ResponseWriter) string { return strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 2) },
		"by the server's writer":   func(w http.ResponseWriter) string { w.Header().Set("Link", "</a>"); w.WriteHeader(103); return "" },
		"by both, one after other": func(w http.ResponseWriter) string { w.WriteHeader(103); return "HTTP/1.1 103 Early Hints\r\n\r\n" },
	} {
		t.Run(name, func(t *testing.T) {
			raw := filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				byHand(t, early(w)+headWith())(w, r)
			}), nil)
			assert.Contains(t, raw, "HTTP/1.1 10")
			assert.Contains(t, raw, "HTTP/1.1 200 OK\r\n"+kept)
		})
	}
}

// A client may read an unfinished head as one when the connection closes.
func TestNothingLeaksFromAHijackThatEndsWithinTheHead(t *testing.T) {
	for name, end := range map[string]func(net.Conn) error{
		"Close":      net.Conn.Close,
		"CloseWrite": func(conn net.Conn) error { return conn.(interface{ CloseWrite() error }).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			filtered(t, middleware(t, nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn := hijack(t, w)
				defer conn.Close()
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nSet-Cookie: profile=1\r\n"+kept+"\r\n")
				assert.NoError(t, end(conn))
				if name == "CloseWrite" {
					io.Copy(io.Discard, conn) // until the client has seen the end, and closes
				}
			}), nil)
		})
	}
}

func TestNothingLeaksFromAHijackWhereAClockIsWrong(t *testing.T) {
	recent := "profile=; Expires=" + time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	raw := rawGet(t, wrapped(t, byHand(t, "HTTP/1.1 200 OK\r\nSet-Cookie: "+recent+"\r\nContent-Length: 0\r\n\r\n")), plainGet)
	assert.Contains(t, raw, "\r\nSet-Cookie: "+recent+"; Max-Age=0\r\n")
}

// A client that joins a folded line to the one before would keep a cookie that
// another deletes.
func TestNothingLeaksFromAHijackThroughAFoldedLine(t *testing.T) {
	raw := rawGet(t, wrapped(t, byHand(t, "HTTP/1.1 200 OK\r\nSet-Cookie: profile=1; Max-Age=0\r\n Set-Cookie: sessionid=1; Max-Age=9999\r\nContent-Length: 0\r\n\r\n")), plainGet)
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"profile=1; Max-Age=0", "sessionid=1; Max-Age=9999"}, response.Header["Set-Cookie"])
}

func TestNothingLeaksFromASharedCacheThroughAHijack(t *testing.T) {
	mw := middleware(t, nil)
	raw := rawGet(t, through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		byHand(t, headWith("cache-control: public, max-age=60", "Cache-Control: s-maxage=600", "CDN-Cache-Control: max-age=600"))(w, r)
	})), plainGet)
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"profile", "sessionid", consent.CookieName}, names(response))
	assert.Equal(t, []string{"private, max-age=60"}, response.Header["Cache-Control"])
	assert.NotContains(t, response.Header, "Cdn-Cache-Control")
}

func TestNothingIsForgottenThatWasSavedBeforeAHijack(t *testing.T) {
	for name, early := range map[string]string{"at once": "", "with early hints first": "HTTP/1.1 103 Early Hints\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			mw := middleware(t, nil)
			raw := rawGet(t, through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, mw.Save(w, r, consent.Accept(consent.FirstParty)))
				byHand(t, early+headWith("Set-Cookie: ad_id=1"))(w, r)
			})), plainGet)
			final, found := strings.CutPrefix(raw, early)
			require.True(t, found)
			response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(final)), nil)
			require.NoError(t, err)
			assert.Equal(t, []string{"profile", "sessionid", consent.CookieName}, names(response))
			assert.Equal(t, []string{"sessionid", "visits", "profile"}, passed(t, mw, sent(response)))
			assert.Equal(t, []string{"private"}, response.Header["Cache-Control"])
		})
	}
}

func TestNothingLeaksFromAnUpgradeAndNotAByteBehindItIsHeld(t *testing.T) {
	mw := middleware(t, nil)
	proceed := make(chan string, 1)
	connect(t, through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.Accept(consent.ThirdParty)))
		conn := hijack(t, w)
		defer conn.Close()
		for _, c := range []byte("HTTP/1.1 101 Switching Protocols\r\nset-cookie: profile=1\r\nSet-Cookie: ad_id=1\r\nCache-Control: public\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r") {
			conn.Write([]byte{c})
		}
		assert.NoError(t, mw.Save(w, r, consent.Accept(consent.ThirdParty)), "the head is not out yet")
		conn.Write([]byte("\n"))
		assert.ErrorIs(t, mw.Save(w, r, consent.RefuseAll()), consent.ErrTooLate)
		for s := range proceed {
			io.WriteString(conn, s)
		}
	})), false, func(conn net.Conn) {
		defer close(proceed)
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		reader := bufio.NewReader(conn)
		var head []string
		for line := "-"; line != ""; head = append(head, line) {
			var err error
			line, err = reader.ReadString('\n')
			require.NoError(t, err)
			line = strings.TrimRight(line, "\r\n")
		}
		text := strings.Join(head, "\n")
		assert.NotContains(t, text, gone)
		assert.Contains(t, text, "Set-Cookie: ad_id=1\n")
		assert.Contains(t, text, "Set-Cookie: cookies_preferences=")
		assert.Contains(t, text, "Cache-Control: private")
		assert.NotContains(t, text, "public")
		for _, s := range []string{"S", "HTTP/1.1 200 OK\r\nSet-Cookie: profile=1\r\n\r\n", "\x00\xff"} {
			proceed <- s
			got := make([]byte, len(s))
			_, err := io.ReadFull(reader, got)
			require.NoError(t, err)
			assert.Equal(t, s, string(got))
		}
	})
}

func TestNothingElseChangesInATunnel(t *testing.T) {
	for name, test := range map[string]struct {
		status int // of a head that the server has sent; 0 for none
		first  string
	}{
		"after a head":   {200, "HTTP/1.1 200 OK\r\nSet-Cookie: profile=1\r\n\r\n"},
		"after a switch": {101, "HTTP/1.1 200 OK\r\nSet-Cookie: profile=1\r\n\r\n"},
		"without a head": {0, "\x16\x03\x01"},
	} {
		t.Run(name, func(t *testing.T) {
			h := wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if test.status != 0 {
					w.WriteHeader(test.status)
				}
				conn := hijack(t, w)
				defer conn.Close()
				_, unguarded := conn.(*net.TCPConn)
				assert.Equal(t, test.status != 0, unguarded, "the server's own connection where nothing can be filtered")
				io.WriteString(conn, test.first)
			}))
			for _, h := range []http.Handler{h, wrapped(t, h)} {
				raw := rawGet(t, h, "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")
				assert.True(t, strings.HasSuffix(raw, test.first), raw)
			}
		})
	}
}

// A head has left, too, if it was sent through what lies below the writer of others.
func TestNothingElseChangesInATunnelThroughTheWriterOfOthers(t *testing.T) {
	for name, send := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"a flush": func(w http.ResponseWriter) http.ResponseWriter {
			w.WriteHeader(200)
			assert.NoError(t, http.NewResponseController(w).Flush())
			return w
		},
		"a switch": func(w http.ResponseWriter) http.ResponseWriter {
			below := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
			below.WriteHeader(101)
			return below
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn := hijack(t, send(w))
				defer conn.Close()
				_, unguarded := conn.(*net.TCPConn)
				assert.True(t, unguarded)
				io.WriteString(conn, headWith())
			}))
			raw := rawGet(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(withOnlyUnwrap(w), r)
			}), "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")
			assert.True(t, strings.HasSuffix(raw, headWith()), raw)
		})
	}
}

func TestNothingElseChangesForABeginningThatMayBecomeAHead(t *testing.T) {
	for name, wrap := range map[string]func(testing.TB, http.Handler) http.Handler{"bare": bare, "wrapped": wrapped} {
		t.Run(name, func(t *testing.T) {
			connect(t, wrap(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn := hijack(t, w)
				defer conn.Close()
				conn.Write([]byte("\x00\x00\x00\x01h"))
				io.Copy(io.Discard, conn) // until the client has read it, or given up
			})), false, func(conn net.Conn) {
				io.WriteString(conn, "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")
				got := make([]byte, 5)
				_, err := io.ReadFull(conn, got)
				assert.NoError(t, err)
				assert.Equal(t, "\x00\x00\x00\x01h", string(got))
			})
		})
	}
}

func TestNothingElseChangesInWhatATCPConnectionCanDo(t *testing.T) {
	for name, wrap := range map[string]func(testing.TB, http.Handler) http.Handler{"bare": bare, "wrapped": wrapped} {
		t.Run(name, func(t *testing.T) {
			raw := rawGet(t, wrap(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn := hijack(t, w)
				defer conn.Close()
				assert.Implements(t, (*interface {
					CloseRead() error
					CloseWrite() error
					SetNoDelay(bool) error
					SetKeepAlive(bool) error
					SetLinger(int) error
					io.ReaderFrom
					io.WriterTo
				})(nil), conn)
				_, err := conn.(io.ReaderFrom).ReadFrom(only{strings.NewReader("HTTP/1.1 200 OK\r\n" + kept + "\r\n\r\n" + strings.Repeat("x", 10_000))})
				assert.NoError(t, err)
			})), plainGet)
			assert.Equal(t, "HTTP/1.1 200 OK\r\n"+kept+"\r\n\r\n"+strings.Repeat("x", 10_000), raw)
		})
	}
}

func TestNothingElseChangesBehindAWriteTimeout(t *testing.T) {
	for name, wrap := range map[string]func(testing.TB, http.Handler) http.Handler{"bare": bare, "wrapped": wrapped} {
		t.Run(name, func(t *testing.T) {
			raw := rawGet(t, wrap(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn := hijack(t, w)
				defer conn.Close()
				conn.SetWriteDeadline(time.Now().Add(-time.Second))
				_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
				assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
				conn.SetWriteDeadline(time.Time{})
				_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nbody")
				assert.NoError(t, err)
			})), plainGet)
			assert.Equal(t, "HTTP/1.1 200 OK\r\n\r\nbody", raw)
		})
	}
}

// bufferless hijacks without a buffer, as some writers in other frameworks do.
type bufferless struct {
	http.ResponseWriter
	conn net.Conn
}

func (b bufferless) Hijack() (net.Conn, *bufio.ReadWriter, error) { return b.conn, nil, nil }

func TestNothingElseChangesInAHijackWithoutABuffer(t *testing.T) {
	server, client := net.Pipe()
	var got bytes.Buffer
	read := make(chan error)
	go func() {
		_, err := got.ReadFrom(client)
		read <- err
	}()
	wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffer, err := w.(http.Hijacker).Hijack()
		assert.NoError(t, err)
		assert.Nil(t, buffer)
		defer conn.Close()
		io.WriteString(conn, headWith())
	})).ServeHTTP(bufferless{httptest.NewRecorder(), server}, httptest.NewRequest("GET", "/", nil))
	server.Close()
	require.NoError(t, <-read)
	assert.Equal(t, "HTTP/1.1 200 OK\r\n"+kept+"\r\nContent-Length: 0\r\nCache-Control: private\r\nConnection: close\r\n\r\n", got.String())
}

// A connection that goes on in HTTP brings more requests, which nothing would filter
// and that would share the decisions of the first one's visitor.
func TestNothingLeaksThroughHTTPOnAHijackedConnection(t *testing.T) {
	for name, request := range map[string]string{
		"prior knowledge": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"an upgrade":      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: H2C\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
		"another version": "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: HTTP/2.0\r\n\r\n",
		"HTTP in TLS":     "OPTIONS / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tls/1.2, HTTP/1.1\r\n\r\n",
		"TLS alone":       "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n",
		"ALPN's name":     "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2\r\n\r\n",
		"one of several":  "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: foo, h2c\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			attempt := func(h func(testing.TB, http.Handler) http.Handler) error {
				hijacked := make(chan error, 1)
				rawGet(t, h(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Connection", "close")
					conn, _, err := http.NewResponseController(w).Hijack()
					if err == nil {
						conn.Close()
					}
					hijacked <- err
				})), request)
				return <-hijacked
			}
			require.NoError(t, attempt(bare))
			assert.ErrorContains(t, attempt(wrapped), "h2c.NewHandler(mw.Wrap(app)")
		})
	}
}

func TestNothingIsInventedOnceAConnectionIsATunnel(t *testing.T) {
	mw := middleware(t, nil)
	for name, first := range map[string]string{"no head": "\x16\x03\x01\x00\x05hello", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan context.Context, 1)
			raw := rawGet(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var inside context.Context
				through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					inside = r.Context()
					conn := hijack(t, w)
					defer conn.Close()
					_, err := io.WriteString(conn, first)
					assert.NoError(t, err)
					if first != "" {
						assert.ErrorIs(t, mw.Save(w, r, consent.AcceptAll()), consent.ErrTooLate)
					}
				})).ServeHTTP(w, r)
				ended <- inside
			}), plainGet)
			assert.Equal(t, first, raw)
			ctx := <-ended
			assert.ErrorIs(t, mw.Save(nil, httptest.NewRequestWithContext(ctx, "GET", "/", nil), consent.AcceptAll()), consent.ErrTooLate)
			assert.False(t, consent.FromContext(ctx).Allows(consent.FirstParty))
		})
	}
}

// A client that sends its next request on a connection which a handler has taken gets
// the answer from that handler alone.
func TestNothingLeaksFromASecondResponseOnAHijackedConnection(t *testing.T) {
	second := headWith()
	for name, test := range map[string]struct {
		method, first string
		open          bool // for another request, of the bare handler
	}{
		"a length":                {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", true},
		"chunks":                  {"GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", true},
		"no content":              {"GET", "HTTP/1.1 204 No Content\r\n\r\n", true},
		"not modified":            {"GET", "HTTP/1.1 304 Not Modified\r\n\r\n", true},
		"no body":                 {"HEAD", "HTTP/1.1 200 OK\r\n\r\n", true},
		"open by the first word":  {"GET", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true},
		"open, a proxy":           {"GET", "HTTP/1.1 200 OK\r\nProxy-Connection: keep-alive\r\nContent-Length: 0\r\n\r\n", true},
		"closed":                  {"GET", "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", false},
		"until the end":           {"GET", "HTTP/1.1 200 OK\r\n\r\nx", false},
		"a tunnel":                {"CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false},
		"a switch":                {"GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", false},
		"another tunnel's answer": {"CONNECT", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			request := test.method + " / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
			if test.method == "CONNECT" {
				request = "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"
			}
			answer := func(mw *consent.Middleware) string {
				return rawGet(t, through(t, mw, byHand(t, test.first+second)), request)
			}
			raw := answer(middleware(t, nil))
			if !test.open {
				assert.Equal(t, test.first+second, raw)
				return
			}
			head, rest, _ := strings.Cut(raw, "\r\n\r\n")
			assert.True(t, strings.HasSuffix(head, "\r\nConnection: close"), head)
			assert.Equal(t, 1, strings.Count(strings.ToLower(head), "connection:"), head)
			_, body, _ := strings.Cut(test.first, "\r\n\r\n")
			assert.Equal(t, body+second, rest, "which no client reads any more")
			assert.Equal(t, test.first+second, answer(middleware(t, reportOnly)), "only reported")
		})
	}
}

// Nobody has asked for the protocol that a 101 switches to.
func TestNothingLeaksBehindASwitchThatNobodyAskedFor(t *testing.T) {
	filtered(t, middleware(t, nil), byHand(t, "HTTP/1.1 101 Switching Protocols\r\n\r\n"+headWith()), nil)
}
