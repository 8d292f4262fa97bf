package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
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
	return serve(t, handler, logger, piecePatience), said
}

// serve serves as the program does.
func serve(t testing.TB, handler http.Handler, logger *slog.Logger, patience time.Duration) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := newServer(handler, logger)
	go serveVisitors(server, listener, patience)
	t.Cleanup(func() { server.Close() })
	return "http://" + listener.Addr().String()
}

// site is one in Go.
func site(t testing.TB, handler http.HandlerFunc) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// rawSite is one that answers each connection with what answer writes, once the
// head of a request has come.
func rawSite(t testing.TB, answer func(net.Conn)) string {
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
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					answer(conn)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
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
	address, said := inFront(t, site(t, func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range []string{"sessionid=1; Path=/", "_ga=1; Path=/", "PHPSESSID=1", "_fbp=1", "csrftoken=1; Path=/"} {
			w.Header().Add("Set-Cookie", line)
		}
	}), options{})
	response, _, err := ask(t, "GET", address)
	require.NoError(t, err)
	assert.Equal(t, []string{"sessionid=1; Path=/", "csrftoken=1; Path=/"}, response.Header["Set-Cookie"])
	assert.Contains(t, said.String(), "cookie=PHPSESSID reason=undeclared")
	assert.Contains(t, said.String(), "cookie=_ga reason=undecided")
}

func TestReportOnlyRemovesNothingAndSaysWhatItWould(t *testing.T) {
	address, said := inFront(t, site(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Set-Cookie", "_ga=1") }), options{reportOnly: true})
	response, _, err := ask(t, "GET", address)
	require.NoError(t, err)
	assert.Equal(t, []string{"_ga=1"}, response.Header["Set-Cookie"])
	assert.Contains(t, said.String(), "would be removed")
}

func TestAVisitorDecidesOnTheCharterAndGetsWhatWasAccepted(t *testing.T) {
	var seen []string
	address, _ := inFront(t, site(t, func(w http.ResponseWriter, r *http.Request) {
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
	address, _ := inFront(t, site(t, func(_ http.ResponseWriter, r *http.Request) { got <- r }), options{inject: true})
	response, _, err := ask(t, "GET", address+"//a%2Fb/../c;d?x=1;y=%zz&&z", "Host: x", "Accept-Encoding: br, gzip;q=0.5", "User-Agent: u")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	r := <-got
	assert.Equal(t, "//a%2Fb/../c;d?x=1;y=%zz&&z", r.RequestURI)
	assert.Equal(t, strings.TrimPrefix(address, "http://"), r.Host)
	assert.Equal(t, "u", r.UserAgent())
	assert.Equal(t, "gzip", r.Header.Get("Accept-Encoding"))

	_, _, err = ask(t, "GET", address, "Sec-Fetch-Dest: image", "Accept-Encoding: br, gzip;q=0.5")
	require.NoError(t, err)
	assert.Equal(t, "br, gzip;q=0.5", (<-got).Header.Get("Accept-Encoding"))
}

func TestWhatAVisitorClaimsToBeIsNotPassedOn(t *testing.T) {
	claims := []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1", "X-Real-Ip: 6.6.6.6", "X_Forwarded_For: 6.6.6.6"}
	for _, test := range []struct {
		name, trust string
		sent        []string
		want        map[string]string
	}{
		{"nobody is trusted", "", append(claims, "Forwarded: for=6.6.6.6"), map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "HOST", "X-Forwarded-Proto": "http",
			"Forwarded": `for=127.0.0.1;host="HOST";proto="http"`,
		}},
		{"somebody else is trusted", "10.0.0.0/8,::1", claims, map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "HOST", "X-Forwarded-Proto": "http",
			"Forwarded": `for=127.0.0.1;host="HOST";proto="http"`,
		}},
		{"a balancer that uses X-Forwarded", "10.0.0.0/8, 127.0.0.1", claims, map[string]string{
			"X-Forwarded-For": "6.6.6.6, 127.0.0.1", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "1",
			"X-Real-Ip": "6.6.6.6", "X_forwarded_for": "6.6.6.6",
		}},
		{"a balancer that uses Forwarded", "127.0.0.0/8", []string{"Forwarded: for=6.6.6.6;proto=https"}, map[string]string{
			"Forwarded": `for=6.6.6.6;proto=https, for=127.0.0.1;host="HOST";proto="http"`,
		}},
		{"a balancer that says nothing", "127.0.0.1", nil, map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "HOST", "X-Forwarded-Proto": "http",
			"Forwarded": `for=127.0.0.1;host="HOST";proto="http"`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := make(chan http.Header, 1)
			address, _ := inFront(t, site(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }), options{trust: test.trust})
			_, _, err := ask(t, "GET", address, test.sent...)
			require.NoError(t, err)
			have := make(map[string]string)
			for key, values := range <-got {
				if isForwarding(key) {
					have[key] = strings.Join(values, " | ")
				}
			}
			for key, value := range test.want {
				test.want[key] = strings.ReplaceAll(value, "HOST", strings.TrimPrefix(address, "http://"))
			}
			assert.Equal(t, test.want, have)
		})
	}
}

func TestOnlyWebsocketsAreTunnelled(t *testing.T) {
	got := make(chan http.Header, 1)
	address, _ := inFront(t, site(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }), options{})
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

// A site that breaks is the proxy's to bear, and to tell apart from a good one.
func TestASiteThatBreaksIsA502OrAnAbortAndTheProxyStands(t *testing.T) {
	gzipped := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		io.WriteString(z, s)
		z.Close()
		return b.String()
	}
	page := "<!doctype html><html><head><title>t</title>" + strings.Repeat("<p>text", 5000)
	huge := strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", 10_000)
	const aborted = -1
	for _, test := range []struct {
		name, answer string
		status       int
		says         string
	}{
		{"closes without an answer", "", 502, "without an answer"},
		{"head that is none", "SSH-2.0-OpenSSH secret\r\n\r\n", 502, "no valid head"},
		{"head with a broken line", "HTTP/1.1 200 OK\r\nSet-Cookie sessionid=secret\r\n\r\nbody", 502, "no valid head"},
		{"head with a status that is none", "HTTP/1.1 2xx secret\r\n\r\n", 502, "no valid head"},
		{"head with two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\nSet-Cookie: a=secret\r\n\r\nxx", 502, "no valid head"},
		{"head cut in the middle", "HTTP/1.1 200 OK\r\nSet-Coo", 502, "no valid head"},
		{"10 MB of headers", "HTTP/1.1 200 OK\r\n" + huge + "\r\n", 502, "more than"},
		{"dies within a known length", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99999\r\n\r\n" + page, aborted, "unexpected EOF"},
		{"dies within a chunk", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n<html><head>", aborted, "unexpected EOF"},
		{"broken chunk", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n<html><head>", aborted, "invalid byte"},
		{"broken gzip", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n<html><head><title>t</title></", aborted, "gzip"},
		{"gzip cut", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzipped(page)[:120], aborted, "unexpected EOF"},
		{"gzip with a wrong sum", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzipped(page)[:len(gzipped(page))-8] + "12345678", aborted, "checksum"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broken := true
			var mu sync.Mutex
			address, said := inFront(t, rawSite(t, func(conn net.Conn) {
				mu.Lock()
				defer mu.Unlock()
				if broken {
					io.WriteString(conn, test.answer)
				} else {
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwell")
				}
			}), options{inject: true})
			response, body, err := ask(t, "GET", address)
			if test.status == aborted {
				assert.Error(t, err, "the visitor can tell that something is missing")
			} else {
				require.NoError(t, err)
				assert.Equal(t, test.status, response.StatusCode)
				assert.Equal(t, "502 Bad Gateway\n", body)
				assert.Empty(t, response.Header["Set-Cookie"])
			}
			assert.Contains(t, said.String(), test.says)
			assert.NotContains(t, said.String(), "secret")
			assert.Less(t, len(said.String()), 1000)

			mu.Lock()
			broken = false
			mu.Unlock()
			_, body, err = ask(t, "GET", address)
			require.NoError(t, err)
			assert.Equal(t, "well", body)
		})
	}
}

func TestASiteThatIsNotThereIsA502(t *testing.T) {
	address, said := inFront(t, "http://127.0.0.1:1", options{})
	response, body, err := ask(t, "GET", address)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadGateway, response.StatusCode)
	assert.NotContains(t, body, "127.0.0.1")
	assert.Contains(t, said.String(), "connection refused")
	response, _, err = ask(t, "GET", address+charterPath)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode, "the charter does not need the site")
}

func TestASetCookieOf100KBPassesOrGoesAsAnyOther(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	address, said := inFront(t, site(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "_ga="+long)
		w.Header().Add("Set-Cookie", "sessionid="+long)
	}), options{})
	response, _, err := ask(t, "GET", address)
	require.NoError(t, err)
	assert.Equal(t, []string{"sessionid=" + long}, response.Header["Set-Cookie"])
	assert.NotContains(t, said.String(), "xxx")
}

func TestAVisitorsHeadIsBounded(t *testing.T) {
	address, _ := inFront(t, "http://127.0.0.1:1", options{})
	response, _, err := ask(t, "GET", address, "X-Filler: "+strings.Repeat("x", 10_000_000))
	if err == nil { // else the connection was closed while the rest was still being sent
		assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
	}
}

func TestABrokenBodyIsTheVisitorsMistake(t *testing.T) {
	address, said := inFront(t, site(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }), options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
	status, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 400 Bad Request\r\n", status)
	assert.NotContains(t, said.String(), "the site does not answer")
}

func TestAVisitorWhoSendsNothingMoreIsNotWaitedForForEver(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	to, err := url.Parse(site(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	require.NoError(t, err)
	address := serve(t, newBackend(to, nil, logger).handler(), logger, 100*time.Millisecond)
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
	answer, err := io.ReadAll(conn)
	require.NoError(t, err, "the connection ends")
	if len(answer) > 0 { // nothing where net/http has given the visitor up first
		assert.Contains(t, string(answer), "408 Request Timeout")
	}
}

func TestAVisitorWhoTakesNothingMoreIsNotWaitedForForEver(t *testing.T) {
	left := make(chan error, 1)
	logger := slog.New(slog.DiscardHandler)
	to, err := url.Parse(site(t, func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, zeros{})
		left <- err
	}))
	require.NoError(t, err)
	address := serve(t, newBackend(to, nil, logger).handler(), logger, 100*time.Millisecond)
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	assert.Error(t, <-left, "the site is set free")
}

func TestARequestAfterABodyHasItsOwnTime(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	again := make(chan bool)
	to, err := url.Parse(site(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.Method == "POST" {
			<-again // longer than a piece of a body may take
		}
	}))
	require.NoError(t, err)
	address := serve(t, newBackend(to, nil, logger).handler(), logger, 50*time.Millisecond)
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	reader := bufio.NewReader(conn)
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345")
	time.AfterFunc(300*time.Millisecond, func() { again <- true })
	for range 2 {
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusOK, response.StatusCode)
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	}
}
