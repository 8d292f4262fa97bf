package consent_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// What several files of tests share.

var key = bytes.Repeat([]byte("k"), 32)

func text(s string) consent.Text { return consent.Text{language.English: s} }

// site is what the tests declare, unless they are about something else.
func site() []consent.Cookie {
	return []consent.Cookie{
		{Provider: "Site", Name: "sessionid", Purpose: text("Signs in."), Category: consent.Necessary},
		{Provider: "Site", Name: "visits", Purpose: text("Counts visits."), Category: consent.Statistics, Anonymous: true},
		{Provider: "Matomo", Name: "_pk_id*", Purpose: text("Counts visitors."), Category: consent.Statistics},
		{Provider: "Plausible", Name: "plausible", Purpose: text("Counts visitors."), Category: consent.Statistics},
		{Provider: "Site", Name: "profile", Purpose: text("Advises."), Category: consent.FirstParty},
		{Provider: "AdCo", Name: "ad_id", Purpose: text("Advertises."), Category: consent.ThirdParty, Domain: "example.com"},
		{Provider: "Forum", Name: "mood", Purpose: text("Sets a mood."), Category: "comfort"},
		{Provider: "Site", Name: "shared", Purpose: text("Serves several."), Category: consent.FirstParty},
		{Provider: "AdCo", Name: "shared", Purpose: text("Serves several."), Category: consent.ThirdParty},
		{Provider: "Platform", Name: "shared", Purpose: text("Serves several."), Category: consent.Necessary},
	}
}

// What passes of the site's cookies: for a visitor who accepts all, and for one
// who has not answered.
var (
	all    = []string{"sessionid", "visits", "_pk_id.1", "plausible", "profile", "ad_id", "mood", "shared"}
	exempt = []string{"sessionid", "visits"}
)

func middleware(t testing.TB, change func(*consent.Config)) *consent.Middleware {
	t.Helper()
	config := consent.Config{Registry: consent.MustRegistry(site()...), Keys: [][]byte{key}}
	if change != nil {
		change(&config)
	}
	mw, err := consent.NewMiddleware(config)
	require.NoError(t, err)
	return mw
}

// everywhere is the regime of each request.
func everywhere(r consent.Regime) func(*http.Request) consent.Regime {
	return func(*http.Request) consent.Regime { return r }
}

// pageLoad makes r what a browser sends for a page that the visitor goes to.
func pageLoad(r *http.Request) {
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
}

func reportOnly(c *consent.Config) { c.ReportOnly = true }

// through returns what mw makes of h. The test fails unless each request reaches
// h, and with the writer and the request of mw instead of those outside.
func through(t testing.TB, mw *consent.Middleware, h http.Handler) http.Handler {
	return http.HandlerFunc(func(outside http.ResponseWriter, r *http.Request) {
		var reached atomic.Bool
		defer func() {
			if !reached.Load() {
				t.Error("the request has not reached the handler")
			}
		}()
		mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reached.Store(true)
			// A category that nobody declared changes nothing, and is the second mistake
			// that Save looks for.
			if err := mw.Save(w, r, consent.Accept("nowhere")); errors.Is(err, consent.ErrOutside) {
				t.Error("the handler has got the request from outside")
			}
			if w == outside {
				t.Error("the handler has got the writer from outside")
			}
			h.ServeHTTP(w, r)
		})).ServeHTTP(outside, r)
	})
}

// wrapped is what the middleware makes of h where nobody has answered.
func wrapped(t testing.TB, h http.Handler) http.Handler { return through(t, middleware(t, nil), h) }

// bare is what no middleware makes of h.
func bare(_ testing.TB, h http.Handler) http.Handler { return h }

// serve runs a handler inside the middleware for a request with these cookies.
func serve(t testing.TB, mw *consent.Middleware, cookies string, handler http.HandlerFunc) *http.Response {
	t.Helper()
	r := httptest.NewRequest("GET", "https://www.example.com/", nil)
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	w := httptest.NewRecorder()
	reached := false
	through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached = true
		handler(w, r)
	})).ServeHTTP(w, r)
	if !reached {
		t.FailNow() // since the rest of the test relies on the handler
	}
	return w.Result()
}

// set returns a handler that sends these Set-Cookie lines.
func set(lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range lines {
			w.Header().Add("Set-Cookie", line)
		}
	}
}

// names returns the names of the cookies that a response sets, in order.
func names(response *http.Response) []string {
	var names []string
	for _, c := range response.Cookies() {
		names = append(names, c.Name)
	}
	return names
}

// sent returns what the browser sends after a response that brings a decision;
// "" if it brings none.
func sent(response *http.Response) string {
	for _, c := range response.Cookies() {
		if c.Name == consent.CookieName {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

// save serves a visitor's choice and returns what their browser then sends.
func save(t testing.TB, mw *consent.Middleware, cookies string, choice consent.Choice) (sends string, err error) {
	t.Helper()
	response := serve(t, mw, cookies, func(w http.ResponseWriter, r *http.Request) { err = mw.Save(w, r, choice) })
	return sent(response), err
}

// decide returns what the browser sends after a choice.
func decide(t testing.TB, mw *consent.Middleware, choice consent.Choice) string {
	t.Helper()
	sends, err := save(t, mw, "", choice)
	require.NoError(t, err)
	require.NotEmpty(t, sends, "Save has set no cookie")
	return sends
}

// passed returns the names of what a visitor with this decision gets.
func passed(t testing.TB, mw *consent.Middleware, cookies string) []string {
	t.Helper()
	return names(serve(t, mw, cookies, set("sessionid=1", "visits=1", "_pk_id.1=1", "plausible=1", "profile=1", "ad_id=1", "mood=1", "shared=1", "other=1")))
}

// What stays of setBoth in the bytes of a response, and what goes.
const (
	kept = "Set-Cookie: sessionid=1"
	gone = "profile"
)

func setBoth(w http.ResponseWriter) {
	w.Header().Add("Set-Cookie", "profile=1; Path=/")
	w.Header().Add("Set-Cookie", "sessionid=1")
}

// filtered returns what h answers through mw, with outside around both. The test
// fails unless the bare handler sends what is kept and what is gone, and the
// wrapped one only the first.
func filtered(t *testing.T, mw *consent.Middleware, h http.Handler, outside func(http.Handler) http.Handler) string {
	t.Helper()
	if outside == nil {
		outside = func(h http.Handler) http.Handler { return h }
	}
	given := rawGet(t, outside(h), plainGet)
	require.Contains(t, given, kept, "bare")
	require.Contains(t, given, gone, "bare")
	raw := rawGet(t, outside(through(t, mw, h)), plainGet)
	assert.Contains(t, raw, kept)
	assert.NotContains(t, raw, gone)
	return raw
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

const plainGet = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

// quiet takes what the server says about handlers that panic on purpose.
var quiet = log.New(io.Discard, "", 0)

// connect serves h over TCP, or over TLS, and hands a connection to talk. The
// handler has returned when connect does.
func connect(t *testing.T, h http.Handler, overTLS bool, talk func(net.Conn)) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = quiet
	var conn net.Conn
	var err error
	if overTLS {
		server.StartTLS()
		conn, err = tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	} else {
		server.Start()
		conn, err = net.Dial("tcp", server.Listener.Addr().String())
	}
	defer server.Close()
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	talk(conn)
}

// rawGet sends a request over TCP and returns all that comes back.
func rawGet(t *testing.T, h http.Handler, request string) (raw string) {
	t.Helper()
	connect(t, h, false, func(conn net.Conn) {
		_, err := io.WriteString(conn, request)
		require.NoError(t, err)
		all, err := io.ReadAll(conn)
		require.NoError(t, err)
		raw = string(all)
	})
	return raw
}

// An answer is what came over HTTP/2.
type answer struct {
	*http.Response
	body  string
	early []string // cookies of informational heads
}

// askH2 asks h over HTTP/2. The error is that of the body if there is an answer.
func askH2(t *testing.T, h http.Handler, method, body string) (answer, error) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = quiet
	server.StartTLS()
	defer server.Close()
	var early []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { early = append(early, h["Set-Cookie"]...); return nil },
	})
	request, err := http.NewRequestWithContext(ctx, method, server.URL, strings.NewReader(body))
	require.NoError(t, err)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	require.Equal(t, 2, response.ProtoMajor)
	b, err := io.ReadAll(response.Body)
	return answer{response, string(b), early}, err
}

// getH2 gets an answer over HTTP/2, be its body cut short.
func getH2(t *testing.T, h http.Handler) answer {
	t.Helper()
	got, err := askH2(t, h, "GET", "")
	require.NotNil(t, got.Response, err)
	return got
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

// assertSame compares what h answers bare and wrapped.
func assertSame(t *testing.T, h http.Handler, request string) {
	t.Helper()
	bareHead, bareBody := split(t, rawGet(t, h, request), request)
	head, body := split(t, rawGet(t, wrapped(t, h), request), request)
	assert.Equal(t, bareHead, head)
	assert.True(t, bareBody == body, "bodies of %d and %d bytes", len(bareBody), len(body))
}

// only hides what else a reader can do.
type only struct{ io.Reader }

// nothing returns a handler that only asks.
func nothing(ask func(consent.Preferences)) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { ask(consent.FromContext(r.Context())) }
}
