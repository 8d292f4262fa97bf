package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/internal/backend"
	"github.com/cookiecharter/consent/proxy/internal/server"
	proxysite "github.com/cookiecharter/consent/proxy/site"
)

// charterPath and bannerTag are what the proxy has by default.
const (
	charterPath = "/cookies/"
	bannerTag   = `<script src="/cookies/script.js" defer></script>`
)

// A journal is what the proxy writes to standard error.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// inFront starts the proxy before a site, and returns its address.
func inFront(t testing.TB, site string, o options) (string, *journal) {
	t.Helper()
	said := new(journal)
	logger := slog.New(slog.NewTextHandler(said, nil))
	o.to, o.insecure = site, true
	handler, err := newHandler(o, logger)
	require.NoError(t, err)
	return serve(t, handler, logger, time.Minute), said
}

// newHandler is what the program serves by.
func newHandler(o options, logger *slog.Logger) (http.Handler, error) {
	p := &instance{options: o, key: proxysite.NewKey(), log: logger}
	settings, err := p.read(p.key)
	if err != nil {
		return nil, err
	}
	return &p.handler, p.use(context.Background(), settings)
}

// serve serves as the program does.
func serve(t testing.TB, handler http.Handler, logger *slog.Logger, patience time.Duration) string {
	t.Helper()
	s, err := server.Listen(server.Config{
		Addr: "127.0.0.1:0", Handler: handler, Log: logger,
		Limits: server.Limits{Piece: patience, Grace: time.Second},
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	addr, _ := s.Addr()
	return "http://" + addr.String()
}

// newSite is one in Go.
func newSite(t testing.TB, handler http.HandlerFunc) string {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

// rawSite is one that answers each connection with what answer writes, once the
// head of a request has come.
func rawSite(t testing.TB, answer func(net.Conn)) string {
	t.Helper()
	return "http://" + eachConn(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			answer(conn)
		}
	})
}

// eachConn returns an address whose connections are taken by a function, and closed when it
// returns.
func eachConn(t testing.TB, take func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				take(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// client follows no redirect, decompresses nothing and keeps no cookie.
var client = &http.Client{
	Transport:     &http.Transport{DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       time.Minute,
}

// ask sends a request with these headers, "Name: value", and returns the answer
// and as much of its body as came.
func ask(t testing.TB, method, address string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest(method, address, nil)
	require.NoError(t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

func TestNothingLeaksFromASiteInAnyLanguage(t *testing.T) {
	address, said := inFront(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Alt-Svc", `h3=":8000"`)
		for _, line := range []string{"sessionid=1; Path=/", "_ga=1; Path=/", "PHPSESSID=1", "_fbp=1", "csrftoken=1; Path=/"} {
			w.Header().Add("Set-Cookie", line)
		}
	}), options{})
	response, _, err := ask(t, "GET", address)
	require.NoError(t, err)
	assert.Equal(t, []string{"sessionid=1; Path=/", "csrftoken=1; Path=/"}, response.Header["Set-Cookie"])
	assert.Empty(t, response.Header["Alt-Svc"], "a way past the proxy")
	assert.Contains(t, said.String(), "cookie=PHPSESSID reason=undeclared")
	assert.Contains(t, said.String(), "cookie=_ga reason=undecided")
}

func TestReportOnlyRemovesNothingAndSaysWhatItWould(t *testing.T) {
	address, said := inFront(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Set-Cookie", "_ga=1") }), options{reportOnly: true})
	response, _, err := ask(t, "GET", address)
	require.NoError(t, err)
	assert.Equal(t, []string{"_ga=1"}, response.Header["Set-Cookie"])
	assert.Contains(t, said.String(), "would be removed")
}

func TestAVisitorDecidesOnTheCharterAndGetsWhatWasAccepted(t *testing.T) {
	var seen []string
	address, _ := inFront(t, newSite(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header["Cookie"]
		w.Header().Add("Set-Cookie", "_ga=1; Path=/")
		w.Header().Add("Set-Cookie", "cookies_preferences=the site's own")
		w.Header().Add("Set-Cookie", " cookies_preferences =another")
	}), options{})
	response, body, err := ask(t, "GET", address+charterPath, "Accept-Language: fr")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Contains(t, body, "django_language")
	assert.Contains(t, body, "Mesure d&#39;audience")

	response, err = client.PostForm(address+charterPath, url.Values{"choice": {"accept"}})
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusSeeOther, response.StatusCode)
	require.Len(t, response.Cookies(), 1)
	decision := response.Cookies()[0]
	require.Equal(t, consent.CookieName, decision.Name)

	response, _, err = ask(t, "GET", address, "Cookie: sessionid=1;  cookies_preferences="+decision.Value+"; a=\"b c\"")
	require.NoError(t, err)
	assert.Equal(t, []string{"_ga=1; Path=/"}, response.Header["Set-Cookie"], "the decision stands and is the proxy's")
	assert.Equal(t, []string{`sessionid=1; a="b c"`}, seen, "what the site gets")
	_, _, err = ask(t, "GET", address, "Cookie: cookies_preferences=x")
	require.NoError(t, err)
	assert.Nil(t, seen)
}

func TestTheCharterSpeaksTheLanguageChosenOnTheSite(t *testing.T) {
	address, _ := inFront(t, "http://127.0.0.1:1", options{})
	_, body, err := ask(t, "GET", address+charterPath, "Cookie: django_language=fr", "Accept-Language: en")
	require.NoError(t, err)
	assert.Contains(t, body, `lang="fr"`)
}

func TestNothingElseChangesInARequest(t *testing.T) {
	got := make(chan *http.Request, 1)
	address, _ := inFront(t, newSite(t, func(_ http.ResponseWriter, r *http.Request) { got <- r }), options{inject: true})
	response, _, err := ask(t, "GET", address+"//a%2Fb/../c;d?x=1;y=%zz&&z", "Host: x", "Accept-Encoding: br, gzip;q=0.5, dcb", "User-Agent: u")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	r := <-got
	assert.Equal(t, "//a%2Fb/../c;d?x=1;y=%zz&&z", r.RequestURI)
	assert.Equal(t, strings.TrimPrefix(address, "http://"), r.Host)
	assert.Equal(t, "u", r.UserAgent())
	assert.Equal(t, "br, gzip;q=0.5", r.Header.Get("Accept-Encoding"))

	_, _, err = ask(t, "GET", address, "Sec-Fetch-Dest: image", "Accept-Encoding: br, dcb")
	require.NoError(t, err)
	assert.Equal(t, "br, dcb", (<-got).Header.Get("Accept-Encoding"))
}

func TestOnlyWebsocketsAreTunnelled(t *testing.T) {
	got := make(chan http.Header, 1)
	address, _ := inFront(t, newSite(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }), options{})
	_, _, err := ask(t, "GET", address, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA")
	require.NoError(t, err)
	h := <-got
	assert.Empty(t, h["Upgrade"])
	assert.Empty(t, h["Http2-Settings"])

	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n")
	status, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 405 Method Not Allowed\r\n", status)
}

func TestAWebsocketsHeadIsFilteredAndItsBytesPass(t *testing.T) {
	address, _ := inFront(t, rawSite(t, func(conn net.Conn) {
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSet-Cookie: _ga=1\r\nSet-Cookie: sessionid=1\r\n\r\n")
		io.Copy(conn, conn)
	}), options{inject: true})
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	assert.Equal(t, []string{"sessionid=1"}, response.Header["Set-Cookie"])
	fmt.Fprint(conn, "hello")
	echo := make([]byte, 5)
	_, err = io.ReadFull(reader, echo)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(echo))
}

// serveWithin serves a site without consent, with so much time for each piece.
func serveWithin(t testing.TB, site string, patience time.Duration) string {
	t.Helper()
	return serve(t, passOn(t, site), slog.New(slog.DiscardHandler), patience)
}

// passOn returns a handler that passes requests on to a site, without consent.
func passOn(t testing.TB, site string) http.Handler {
	t.Helper()
	to, err := backend.ParseTarget(site)
	require.NoError(t, err)
	return backend.New(backend.Config{Targets: []backend.Target{{URL: to}}, Log: slog.New(slog.DiscardHandler)})
}
