package consent_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// Every road that a head can take is read from the connection itself, as bytes.

const (
	kept = "Set-Cookie: sessionid=1"
	gone = "profile"
)

func setBoth(w http.ResponseWriter) {
	w.Header().Add("Set-Cookie", "profile=1; Path=/")
	w.Header().Add("Set-Cookie", "sessionid=1")
}

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
		http.NewResponseController(struct {
			http.ResponseWriter
			unwrapper
		}{w, unwrapper{w}}).Flush()
	},
	"a head by hand": func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil { // HTTP/2
			setBoth(w)
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

func TestNothingLeaksOnAnyRoadOfHTTP1(t *testing.T) {
	for road, handler := range everyRoad {
		t.Run(road, func(t *testing.T) {
			raw := rawGet(t, middleware(t, nil).Wrap(handler), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			assert.Contains(t, raw, kept)
			assert.NotContains(t, raw, gone)
			if road == "trailers" {
				assert.Contains(t, raw, "X-Sum: 5")
			}
		})
	}
}

func TestNothingLeaksOnAnyRoadOfHTTP2(t *testing.T) {
	for road, handler := range everyRoad {
		t.Run(road, func(t *testing.T) {
			server := httptest.NewUnstartedServer(middleware(t, nil).Wrap(handler))
			server.EnableHTTP2 = true
			server.Config.ErrorLog = quiet
			server.StartTLS()
			defer server.Close()
			var early []string
			ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
				Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { early = append(early, h["Set-Cookie"]...); return nil },
			})
			request, err := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
			require.NoError(t, err)
			client := server.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			response, err := client.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			io.Copy(io.Discard, response.Body)
			assert.Equal(t, 2, response.ProtoMajor)
			assert.Equal(t, []string{"sessionid=1"}, response.Header["Set-Cookie"])
			assert.Empty(t, response.Trailer["Set-Cookie"])
			assert.NotContains(t, fmt.Sprint(early), gone)
		})
	}
}

// recovering answers in the place of a handler that has panicked.
func recovering(inside http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(500)
			}
		}()
		inside.ServeHTTP(w, r)
	})
}

func TestNothingLeaksWhereAHandlerOutsideRecovers(t *testing.T) {
	inside := middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		setBoth(w)
		panic("broken")
	}))
	raw := rawGet(t, recovering(inside), "GET / HTTP/1.0\r\n\r\n")
	assert.Contains(t, raw, "500 Internal Server Error")
	assert.Contains(t, raw, kept)
	assert.NotContains(t, raw, gone)
}

func TestNothingLeaksBehindATimeoutOutside(t *testing.T) {
	handler := middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { setBoth(w); io.WriteString(w, "x") }))
	raw := rawGet(t, http.TimeoutHandler(handler, time.Minute, ""), "GET / HTTP/1.0\r\n\r\n")
	assert.Contains(t, raw, kept)
	assert.NotContains(t, raw, gone)

	slow := middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { setBoth(w); <-r.Context().Done() }))
	assert.NotContains(t, rawGet(t, http.TimeoutHandler(slow, time.Millisecond, ""), "GET / HTTP/1.0\r\n\r\n"), "Set-Cookie")
}

func TestNothingIsForgottenBehindATimeoutInside(t *testing.T) {
	mw := middleware(t, nil)
	raw := rawGet(t, mw.Wrap(http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		w.Header().Add("Set-Cookie", "profile=1")
	}), time.Minute, "")), "GET / HTTP/1.0\r\n\r\n")
	assert.Contains(t, raw, "Set-Cookie: profile=1\r\nSet-Cookie: cookies_preferences=")

	answered, late := make(chan struct{}), make(chan error)
	raw = rawGet(t, mw.Wrap(http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-answered
		late <- mw.Save(w, r, consent.AcceptAll())
	}), time.Millisecond, "")), "GET / HTTP/1.0\r\n\r\n")
	assert.Contains(t, raw, "503 Service Unavailable")
	close(answered)
	assert.ErrorIs(t, <-late, consent.ErrTooLate)
}

func TestNothingLeaksFromAnUpgradeAndNotAByteBehindItIsHeld(t *testing.T) {
	mw := middleware(t, nil)
	proceed := make(chan string)
	server := httptest.NewServer(mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.Accept(consent.ThirdParty)))
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
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
	})))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	reader := bufio.NewReader(conn)
	var head []string
	for line := "-"; line != ""; head = append(head, line) {
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
	close(proceed)
}

func TestNothingElseChangesInATunnel(t *testing.T) {
	for name, first := range map[string]string{"after a head": "HTTP/1.1 200 OK\r\nSet-Cookie: profile=1\r\n\r\n", "without a head": "\x16\x03\x01"} {
		raw := rawGet(t, middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name == "after a head" {
				w.WriteHeader(200)
			}
			conn, _, err := http.NewResponseController(w).Hijack()
			if !assert.NoError(t, err) {
				return
			}
			_, guarded := conn.(*net.TCPConn)
			assert.Equal(t, name == "after a head", guarded, "the server's own connection where nothing can be filtered")
			io.WriteString(conn, first)
			conn.Close()
		})), "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")
		assert.True(t, strings.HasSuffix(raw, first), name)
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
	proxy := middleware(t, nil).Wrap(httputil.NewSingleHostReverseProxy(target))
	for _, upgrade := range []string{"Connection: close\r\n", "Connection: Upgrade\r\nUpgrade: x\r\n"} {
		raw := rawGet(t, proxy, "GET / HTTP/1.1\r\nHost: x\r\n"+upgrade+"\r\n")
		assert.Contains(t, raw, kept)
		assert.NotContains(t, raw, gone)
		if strings.Contains(upgrade, "Upgrade") {
			assert.True(t, strings.HasSuffix(raw, "\r\n\r\ntunnel"))
		}
	}
}

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
		for _, request := range []string{"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=5-9\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"} {
			bareHead, bareBody := split(t, rawGet(t, handler, request), request)
			head, body := split(t, rawGet(t, middleware(t, nil).Wrap(handler), request), request)
			assert.Equal(t, bareHead, head, "%s: %s", name, request)
			assert.True(t, bareBody == body, "%s: %s", name, request)
		}
	}
}

// split returns the head as it came, but for the date, and the body without
// the framing of its chunks.
func split(t *testing.T, raw, request string) (head, body string) {
	t.Helper()
	head, _, _ = strings.Cut(raw, "\r\n\r\n")
	before, after, _ := strings.Cut(head, "\r\nDate: ")
	_, after, _ = strings.Cut(after, "\r\n")
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), &http.Request{Method: method})
	require.NoError(t, err)
	b, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return before + "\r\n" + after, string(b) + fmt.Sprint(response.Trailer)
}

func TestNothingElseChangesInDeadlines(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			control := http.NewResponseController(w)
			assert.NoError(t, control.SetReadDeadline(time.Now().Add(time.Hour)))
			assert.NoError(t, control.SetWriteDeadline(time.Now().Add(time.Hour)))
			assert.NoError(t, control.EnableFullDuplex())
			assert.NoError(t, control.Flush())
		})))
		server.EnableHTTP2 = http2
		server.StartTLS()
		response, err := server.Client().Get(server.URL)
		require.NoError(t, err)
		response.Body.Close()
		server.Close()
	}
	control := http.NewResponseController(nil)
	handler := middleware(t, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { control = http.NewResponseController(w) }))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	assert.ErrorIs(t, control.SetReadDeadline(time.Now()), http.ErrNotSupported)
	assert.ErrorIs(t, control.EnableFullDuplex(), http.ErrNotSupported)
}

// rawGet sends a request over TCP and returns all that comes back.
func rawGet(t *testing.T, handler http.Handler, request string) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = quiet
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	raw, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(raw)
}

// quiet takes what the server says about handlers that panic on purpose.
var quiet = log.New(io.Discard, "", 0)
