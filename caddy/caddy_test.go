package consentcaddy_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/encode"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/encode/gzip"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/encode/zstd"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/fileserver"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/fastcgi"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/forwardauth"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	_ "github.com/caddyserver/caddy/v2/modules/logging"
	"github.com/stretchr/testify/require"

	_ "github.com/cookiecharter/consent/caddy"
	"github.com/cookiecharter/consent/internal/servertest"
)

const (
	key        = "a key of thirty-two bytes or more"
	oneWord    = "a-key-of-thirty-two-bytes-or-more"
	charter    = "/cookies/"
	page       = "<!doctype html><html><head><title>t</title></head><body>text</body></html>"
	script     = `<script src="/cookies/script.js" defer></script>`
	necessary  = "sid=1; Path=/"
	statistics = "_ga=GA1.1; Path=/"
)

var withScript = strings.Replace(page, "<title>", script+"<title>", 1)

// basics are options for tests that need no others.
const basics = "declarations testdata/cookies.yaml\nkey " + oneWord + "\ninsecure\n"

// A server is Caddy in this process, of which there can be one.
type server struct {
	address string // of the first site
	log     string // its file
	options string // the global ones
}

// start runs Caddy by a Caddyfile in which ADDRESS stands for the address of a site. Without
// other options of the server, it trusts this machine.
func start(t *testing.T, caddyfile string, serving ...string) *server {
	t.Helper()
	s := &server{address: servertest.FreeAddress(t), log: filepath.Join(t.TempDir(), "log")}
	if len(serving) == 0 {
		serving = []string{"trusted_proxies static 127.0.0.1/32"}
	}
	s.options = "{\nadmin off\npersist_config off\nauto_https off\ngrace_period 10s\nservers {\n" + serving[0] + "\n}\nlog {\noutput file " + s.log + "\nlevel DEBUG\n}\n}\n"
	require.NoError(t, s.load(caddyfile))
	t.Cleanup(func() { stop(t) })
	return s
}

func stop(t testing.TB) { require.NoError(t, caddy.Stop()) }

// load has Caddy go on with another Caddyfile.
func (s *server) load(caddyfile string) error {
	config, err := adapt(s.options + strings.ReplaceAll(caddyfile, "ADDRESS", "http://"+s.address))
	if err != nil {
		return err
	}
	return caddy.Load(config, true)
}

func adapt(caddyfile string) ([]byte, error) {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	return config, err
}

// An answer is one that has been read.
type answer struct {
	*http.Response
	body string
}

// names are those of the cookies that it sets.
func (a answer) names() []string {
	names := []string{}
	for _, cookie := range a.Cookies() {
		names = append(names, cookie.Name)
	}
	return names
}

var client = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       time.Minute,
}

// ask asks for a path, with headers such as "Cookie: a=1".
func (s *server) ask(t testing.TB, path string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+s.address+path, nil)
	require.NoError(t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	response := send(t, func() (*http.Response, error) { return client.Do(r) })
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response, string(body)}
}

// send sends a request, and once more if it has met a server that Caddy has just taken another
// one for: it may take a connection and then close it.
func send(t testing.TB, request func() (*http.Response, error)) *http.Response {
	t.Helper()
	response, err := request()
	for try := 0; try < 20 && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)); try++ {
		time.Sleep(10 * time.Millisecond)
		response, err = request()
	}
	require.NoError(t, err)
	return response
}

// decide answers the question, and returns the decision as a Cookie header.
func (s *server) decide(t testing.TB, choice string) string {
	t.Helper()
	response := send(t, func() (*http.Response, error) {
		return client.PostForm("http://"+s.address+charter, url.Values{"choice": {choice}})
	})
	defer response.Body.Close()
	for _, cookie := range response.Cookies() {
		if cookie.Name == "cookies_preferences" {
			return "Cookie: " + cookie.Name + "=" + cookie.Value
		}
	}
	require.Fail(t, "no decision is kept", "%d %v", response.StatusCode, response.Header)
	return ""
}

// told returns what Caddy has logged.
func (s *server) told(t testing.TB) string {
	t.Helper()
	log, err := os.ReadFile(s.log)
	require.NoError(t, err)
	return string(log)
}

// backend is a site behind Caddy.
func backend(t testing.TB) string {
	mux := http.NewServeMux()
	handle := func(path string, handler http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Set-Cookie"] = []string{necessary, statistics}
			w.Header().Set("X-Cookie", r.Header.Get("Cookie"))
			w.Header().Set("X-Asked", r.Host+" "+r.URL.Path)
			handler(w, r)
		})
	}
	handle("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, page)
	})
	handle("/overwrites", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "cookies_preferences=x; Path=/")
	})
	handle("/flushed", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	handle("/early", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "late")
	})
	handle("/fails", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	handle("/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, "slow")
	})
	handle("/socket", upgrade)
	site := httptest.NewServer(mux)
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(func() { site.CloseClientConnections(); site.Close() })
	return strings.TrimPrefix(site.URL, "http://")
}

// upgrade speaks another protocol, in which everything is said twice.
func upgrade(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSet-Cookie: %s\r\nSet-Cookie: %s\r\n\r\n", necessary, statistics)
	rw.Flush()
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		io.WriteString(rw, line+line)
		rw.Flush()
	}
}

// tunnel opens a connection of that protocol.
func (s *server) tunnel(t testing.TB) (answer, net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", s.address)
	from := bufio.NewReader(conn)
	response, err := http.ReadResponse(from, nil)
	require.NoError(t, err)
	return answer{Response: response}, conn, from
}
