package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/servertest"
)

// recipe returns the configuration under a heading of docs/fleet.md.
func recipe(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/fleet.md")
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)\n## " + heading + "\n.*?```[a-z]+\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, found, "docs/fleet.md has nothing under %q", heading)
	return string(found[1])
}

// servers run by a configuration that listens at an address.
var servers = map[string]func(t testing.TB, address, config string){
	"nginx": servertest.Nginx, "haproxy": servertest.HAProxy, "varnishd": servertest.Varnish,
}

// The visitor has another address than the machines, so that it is to be told from theirs.
const visitorAddress = "127.0.0.2"

var fromElsewhere = &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitorAddress)}, Timeout: time.Minute}

func TestARecipeKeepsEveryPromise(t *testing.T) {
	for _, test := range []struct{ program, heading, place string }{
		{"nginx", "nginx in front", "front"},
		{"nginx", "nginx behind", "behind"},
		{"haproxy", "A balancer", "front"},
		{"haproxy", "HAProxy behind", "behind"},
		{"varnishd", "Varnish in front", "front"},
		{"varnishd", "Varnish behind", "behind"},
	} {
		t.Run(test.heading, func(t *testing.T) {
			t.Parallel()
			site := strings.TrimPrefix(newSite(t, toldSite), "http://")
			entrance, to, trust := "", site, "-insecure"
			config := recipe(t, test.heading)
			if test.place == "behind" {
				to = servertest.FreeAddress(t)
				servers[test.program](t, to, place(config, map[string]string{"127.0.0.1:8082": to, "127.0.0.1:8000": site}))
			} else {
				trust = "-trust=127.0.0.1"
			}
			p := start(t, "-to", "http://"+to, "-inject", trust)
			entrance = strings.TrimPrefix(strings.Replace(p.site, "localhost", "127.0.0.1", 1), "http://")
			if test.place == "front" {
				inside := entrance
				entrance = servertest.FreeAddress(t)
				config = regexp.MustCompile(`127\.0\.0\.1:808[123]`).ReplaceAllString(config, inside)
				servers[test.program](t, entrance, place(config, map[string]string{"127.0.0.1:8080": entrance, "127.0.0.1:8081": inside}))
			}
			visitsAsPromised(t, entrance)
		})
	}
}

// place puts real addresses in a recipe. Varnish has host and port apart.
func place(config string, addresses map[string]string) string {
	for written, real := range addresses {
		config = strings.ReplaceAll(config, written, real)
		_, port, _ := net.SplitHostPort(written) // both are addresses
		_, realPort, _ := net.SplitHostPort(real)
		config = strings.ReplaceAll(config, `.port = "`+port+`"`, `.port = "`+realPort+`"`)
	}
	return config
}

// The handshake of RFC 6455 section 1.3, which HAProxy checks.
const (
	handshakeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	handshakeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// toldSite answers with what it is told of the visitor.
func toldSite(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "+handshakeAccept+"\r\n\r\n")
		io.Copy(conn, buffered)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	w.Header().Add("Set-Cookie", "_ga=1; Path=/")
	w.Header().Add("Set-Cookie", "sessionid=1; Path=/")
	fmt.Fprintf(w, "<!doctype html><html><head><title>t</title></head><body>host %s", r.Host)
	for _, key := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		fmt.Fprintf(w, "<p>%s %s", key, strings.Join(r.Header[key], " | "))
	}
}

func visitsAsPromised(t *testing.T, entrance string) {
	t.Helper()
	visitor := &http.Client{Transport: &http.Transport{DialContext: fromElsewhere.DialContext}, CheckRedirect: client.CheckRedirect, Timeout: time.Minute}
	visit := func(cookie string) (*http.Response, string) {
		r, err := http.NewRequest("GET", "http://"+entrance+"/page", nil)
		require.NoError(t, err)
		r.Header = http.Header{
			"X-Forwarded-For": {"6.6.6.6"}, "X-Real-Ip": {"6.6.6.6"}, "Forwarded": {"for=6.6.6.6;host=evil;proto=https"},
			"X-Forwarded-Host": {"evil"}, "X-Forwarded-Proto": {"https"},
		}
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		response, err := visitor.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response, string(body)
	}
	var response *http.Response
	var body string
	require.Eventually(t, func() bool { // a balancer checks first
		response, body = visit("")
		return response.StatusCode == http.StatusOK
	}, time.Minute, 100*time.Millisecond)
	assert.Equal(t, []string{"sessionid=1; Path=/"}, response.Header["Set-Cookie"], "before consent")
	assert.Contains(t, body, bannerTag)
	assert.Contains(t, body, "host "+entrance)
	assert.Contains(t, body, "X-Forwarded-For "+visitorAddress)
	assert.NotContains(t, body, "6.6.6.6")
	assert.NotContains(t, body, "evil")
	assert.NotContains(t, body, "https")

	decided, err := visitor.PostForm("http://"+entrance+charterPath, url.Values{"choice": {"accept"}})
	require.NoError(t, err)
	decided.Body.Close()
	require.NotEmpty(t, decided.Cookies())
	response, _ = visit(decided.Cookies()[0].Name + "=" + decided.Cookies()[0].Value)
	assert.Equal(t, []string{"_ga=1; Path=/", "sessionid=1; Path=/"}, response.Header["Set-Cookie"], "after it")

	conn, err := fromElsewhere.Dial("tcp", entrance)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+handshakeKey+"\r\n\r\n", entrance)
	from := bufio.NewReader(conn)
	response, err = http.ReadResponse(from, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	io.WriteString(conn, "hello")
	echoed := make([]byte, 5)
	_, err = io.ReadFull(from, echoed)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(echoed))
}
