package consentcaddy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/servertest"
)

func site(options, handlers string) string {
	return "ADDRESS {\nconsent {\n" + basics + options + "}\n" + handlers + "\n}\n"
}

func TestNothingLeaksBeforeConsentAndNothingIsLostAfterIt(t *testing.T) {
	s := start(t, site("", "reverse_proxy "+backend(t)))
	for _, test := range []struct {
		name  string
		given []string
		want  []string
	}{
		{"no answer", nil, []string{"sid"}},
		{"a yes", []string{s.decide(t, "accept")}, []string{"sid", "_ga"}},
		{"a no", []string{s.decide(t, "refuse")}, []string{"sid"}},
		{"a forged yes", []string{s.decide(t, "accept") + "x"}, []string{"sid"}},
	} {
		a := s.ask(t, "/", test.given...)
		assert.Equal(t, page, a.body, test.name)
		assert.Equal(t, test.want, a.names(), test.name)
	}
}

func TestTheCharterIsBelowItsPath(t *testing.T) {
	s := start(t, site("path /privacy/\nname \"The Shop\"\nlanguage fr\n", "try_files {path} /index.html\nreverse_proxy "+backend(t)))
	a := s.ask(t, "/privacy/", "Accept-Language: en")
	assert.Equal(t, 200, a.StatusCode)
	assert.Contains(t, a.body, "Example Analytics")
	assert.Equal(t, "en", a.Header.Get("Content-Language"))
	assert.Equal(t, "fr", s.ask(t, "/privacy/", "Accept-Language: xx").Header.Get("Content-Language"))
	assert.Contains(t, s.ask(t, "/privacy/script.js").Header.Get("Content-Type"), "javascript")
	assert.Equal(t, page, s.ask(t, "/cookies/").body)
}

func TestNothingLeaksByWhateverRoadAnAnswerTakes(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.html"), []byte(page), 0o600))
	php := fastCGI(t)
	up := backend(t)
	always := "header +Set-Cookie \"" + necessary + "\"\nheader +Set-Cookie \"" + statistics + "\"\n"
	late := "header {\n+Set-Cookie \"" + necessary + "\"\ndefer\n}\nheader {\n+Set-Cookie \"" + statistics + "\"\ndefer\n}\n"
	for _, test := range []struct{ name, handlers, path string }{
		{"a proxy", "reverse_proxy " + up, "/"},
		{"a status alone", "reverse_proxy " + up, "/fails"},
		{"a static answer", always + "respond text", "/"},
		{"a late header", late + "respond text", "/"},
		{"a redirect", always + "redir * /there", "/"},
		{"files", always + "root " + folder + "\nfile_server", "/"},
		{"compressed files", always + "encode gzip\nroot " + folder + "\nfile_server", "/"},
		{"PHP", "root " + folder + "\nphp_fastcgi " + php, "/"},
		{"a path that is cut", "handle_path /shop/* {\nreverse_proxy " + up + "\n}", "/shop/x"},
		{"a request of the gate", "forward_auth " + up + " {\nuri /fails\n}\nrespond text", "/"},
		{"an answer of a handler of answers", "reverse_proxy " + up + " {\nhandle_response {\ncopy_response 201\n}\n}", "/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, site("", test.handlers))
			assert.Equal(t, []string{"sid"}, s.ask(t, test.path, "Accept-Encoding: gzip").names())
			assert.ElementsMatch(t, []string{"sid", "_ga"}, s.ask(t, test.path, "Accept-Encoding: gzip", s.decide(t, "accept")).names())
		})
	}
}

// fastCGI is what PHP is to Caddy.
func fastCGI(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go fcgi.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = []string{necessary, statistics}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, page)
	}))
	return listener.Addr().String()
}

func TestNothingLeaksFromAnUpgradeAndTheTunnelWorks(t *testing.T) {
	for _, inject := range []string{"", "inject\n"} {
		s := start(t, site(inject, "reverse_proxy "+backend(t)))
		a, conn, from := s.tunnel(t)
		assert.Equal(t, 101, a.StatusCode)
		assert.Equal(t, []string{"sid"}, a.names())
		fmt.Fprintln(conn, "word")
		said := make([]byte, 10)
		_, err := io.ReadFull(from, said)
		require.NoError(t, err)
		assert.Equal(t, "word\nword\n", string(said))
		conn.Close()
		stop(t)
	}
}

func TestNothingLeaksFromAStreamAndItIsNotHeldBack(t *testing.T) {
	s := start(t, site("", "reverse_proxy "+backend(t)+" {\nflush_interval -1\n}"))
	response, err := client.Get("http://" + s.address + "/flushed")
	require.NoError(t, err)
	defer response.Body.Close()
	said := make([]byte, 3)
	_, err = io.ReadFull(response.Body, said)
	require.NoError(t, err)
	assert.Equal(t, "one", string(said))
	assert.Equal(t, []string{"sid"}, answer{Response: response}.names())
}

func TestNothingLeaksFromEarlyHints(t *testing.T) {
	s := start(t, site("", "reverse_proxy "+backend(t)))
	var early []textproto.MIMEHeader
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		early = append(early, h)
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.address+"/early", nil)
	require.NoError(t, err)
	response, err := client.Do(r)
	require.NoError(t, err)
	response.Body.Close()
	require.Len(t, early, 1)
	assert.NotEmpty(t, early[0].Get("Link"))
	assert.Equal(t, []string{necessary}, early[0].Values("Set-Cookie"))
	assert.Equal(t, []string{"sid"}, answer{Response: response}.names())
}

func TestTheDecisionIsBetweenTheVisitorAndCaddy(t *testing.T) {
	s := start(t, site("", "reverse_proxy "+backend(t)))
	decision := s.decide(t, "accept")
	a := s.ask(t, "/overwrites", decision+"; sid=1")
	assert.Equal(t, "sid=1", a.Header.Get("X-Cookie"))
	assert.Equal(t, []string{"sid", "_ga"}, a.names())
}

func TestPlaceholdersOfHandlersSeeWhatOthersHaveChanged(t *testing.T) {
	for _, options := range []string{"", "inject\n"} {
		s := start(t, site(options, `method POST
		rewrite /old /new
		request_header Host other.example
		request_header X-Set it
		route {
			respond "{method} {path} {host} {header.X-Set} {uri}"
		}`))
		assert.Equal(t, "POST /new other.example it /new", s.ask(t, "/old").body)
		stop(t)
	}
}

func TestEachSiteOfACaddyfileHasItsOwnConsent(t *testing.T) {
	up := backend(t)
	other := servertest.FreeAddress(t)
	s := start(t, site("", "reverse_proxy "+up)+"http://"+other+" {\nreverse_proxy "+up+"\n}\n"+
		"http://localhost:"+portOf(other)+" {\nconsent {\n"+basics+"allow_undeclared\npath /privacy/\n}\nreverse_proxy "+up+"\n}\n")
	assert.Equal(t, []string{"sid"}, s.ask(t, "/").names())
	bare := &server{address: other}
	assert.Equal(t, []string{"sid", "_ga"}, bare.ask(t, "/").names())
	named := &server{address: "localhost:" + portOf(other)}
	assert.Equal(t, []string{"sid"}, named.ask(t, "/").names())
	assert.Contains(t, named.ask(t, "/privacy/").body, "Example Analytics")
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

func TestWithinHandlePathTheCharterHasAPrefix(t *testing.T) {
	s := start(t, "ADDRESS {\nhandle_path /shop/* {\nconsent {\n"+basics+"prefix /shop\ninject\n}\nreverse_proxy "+backend(t)+"\n}\n}\n")
	a := s.ask(t, "/shop/x")
	assert.Contains(t, a.body, `src="/shop/cookies/script.js"`)
	assert.Equal(t, []string{"sid"}, a.names())
	assert.Contains(t, s.ask(t, "/shop/cookies/").body, `/shop/cookies/`)
}

func TestALawHoldsByAHeaderOfATrustedProxy(t *testing.T) {
	s := start(t, site("regime opt-in\nregime_header CF-IPCountry {\nUS opt-out\n}\n", "reverse_proxy "+backend(t)))
	assert.Equal(t, []string{"sid", "_ga"}, s.ask(t, "/", "CF-IPCountry: US").names())
	assert.Equal(t, []string{"sid"}, s.ask(t, "/", "CF-IPCountry: FR").names())
	stop(t)
	untrusting := start(t, site("regime_header CF-IPCountry {\nUS opt-out\n}\n", "reverse_proxy "+backend(t)), "trusted_proxies static 192.0.2.1/32")
	assert.Equal(t, []string{"sid"}, untrusting.ask(t, "/", "CF-IPCountry: US").names())
}

func TestReportOnlyChangesNothingAndTheLogHasNamesWithoutValues(t *testing.T) {
	s := start(t, site("report_only\n", "reverse_proxy "+backend(t)))
	assert.Equal(t, []string{"sid", "_ga"}, s.ask(t, "/").names())
	assert.Contains(t, s.told(t), `"logger":"http.handlers.consent"`)
	assert.Contains(t, s.told(t), `_ga`)
	assert.NotContains(t, s.told(t), `GA1.1`)
}
