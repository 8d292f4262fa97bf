package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/servertest"
)

// A fileOf is consentproxy.yaml in a folder, as a test changes it.
type fileOf struct {
	name, site string
	signer     string // the first key
	rest       string // of the file
	declared   []string
}

func (f *fileOf) write(t *testing.T) {
	t.Helper()
	dir := filepath.Dir(f.name)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keys"), []byte(f.signer+"\n"), 0o600))
	var b strings.Builder
	fmt.Fprintf(&b, "listen: localhost:0\ninsecure: true\ntargets: [{to: %q}]\nkeys: {file: keys}\n%s\ndeclarations:\n  cookies:\n", f.site, f.rest)
	for _, name := range f.declared {
		fmt.Fprintf(&b, "    - {provider: P, name: %s, category: necessary, purpose: {en: x}}\n", name)
	}
	require.NoError(t, os.WriteFile(f.name, []byte(b.String()), 0o600))
}

func newFile(t *testing.T, site string) *fileOf {
	f := &fileOf{name: filepath.Join(t.TempDir(), "consentproxy.yaml"), site: site, signer: strings.Repeat("o", 32), declared: []string{"a"}}
	f.write(t)
	return f
}

// byFile starts the program with a file.
func byFile(t *testing.T, name string) program {
	t.Helper()
	p := program{Cmd: command(t, "-config", name), errs: new(journal)}
	p.begin(t)
	return p
}

func (p program) reload(t *testing.T, says string) {
	t.Helper()
	before := strings.Count(p.errs.String(), says)
	require.NoError(t, p.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return strings.Count(p.errs.String(), says) > before }, time.Minute, 5*time.Millisecond, "%s", p.errs)
}

const readAnew, notReadAnew = "were read anew", "were not read anew"

func TestAHangupReadsDeclarationsKeysAndTextsAnew(t *testing.T) {
	t.Parallel()
	f := newFile(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1", "b=1"}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, page)
	}))
	p := byFile(t, f.name)
	response, body, err := ask(t, "GET", p.site)
	require.NoError(t, err)
	assert.Equal(t, []string{"a=1"}, response.Header["Set-Cookie"])
	assert.Equal(t, page, body)
	decision := decide(t, p.site)

	f.declared, f.rest = []string{"a", "b"}, "inject: true\ncharter: {path: /choix/, name: The shop}"
	f.write(t)
	p.reload(t, readAnew)
	response, body, err = ask(t, "GET", p.site, "Cookie: "+decision)
	require.NoError(t, err)
	assert.Equal(t, []string{"a=1", "b=1"}, response.Header["Set-Cookie"])
	assert.Contains(t, body, `<script src="/choix/script.js" defer></script>`)
	_, body, err = ask(t, "GET", p.site+"/choix/", "Cookie: "+decision)
	require.NoError(t, err)
	assert.Contains(t, body, "The shop")
	assert.NotContains(t, body, "You have not decided yet")

	f.signer = strings.Repeat("n", 32)
	f.write(t)
	p.reload(t, readAnew)
	again := decideOn(t, p.site+"/choix/")
	assert.NotEqual(t, decision, again)
	assert.NotContains(t, p.errs.String(), "level=ERROR")
}

func TestAFileWithMistakesKeepsTheOldSettingsAndSaysWhy(t *testing.T) {
	t.Parallel()
	f := newFile(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()["Set-Cookie"] = []string{"a=1", "b=1"} }))
	p := byFile(t, f.name)
	require.NoError(t, os.WriteFile(f.name, []byte("targets:\n  - to: nowhere\n"), 0o600))
	p.reload(t, notReadAnew)
	assert.Contains(t, p.errs.String(), "consentproxy.yaml:2: targets[0].to")
	assert.Contains(t, p.errs.String(), "declarations: is missing")
	response, _, err := ask(t, "GET", p.site)
	require.NoError(t, err)
	assert.Equal(t, []string{"a=1"}, response.Header["Set-Cookie"])

	require.NoError(t, os.Remove(f.name))
	p.reload(t, notReadAnew)
	response, _, err = ask(t, "GET", p.site)
	require.NoError(t, err)
	assert.Equal(t, []string{"a=1"}, response.Header["Set-Cookie"])

	f.rest, f.declared = "admin: localhost:0\nlog: {format: json}\nledger: {url: /no/such/consent.db}", []string{"b"}
	f.write(t)
	p.reload(t, notReadAnew)
	assert.Contains(t, p.errs.String(), "/no/such/consent.db")

	f.rest = "admin: localhost:0\nlog: {format: json}"
	f.write(t)
	p.reload(t, readAnew)
	assert.Contains(t, p.errs.String(), `msg="a change waits for the next start" field=admin`)
	assert.Contains(t, p.errs.String(), `msg="a change waits for the next start" field=log`)
	response, _, err = ask(t, "GET", p.site)
	require.NoError(t, err)
	assert.Equal(t, []string{"b=1"}, response.Header["Set-Cookie"])
}

func TestAHangupWithFlagsAloneReadsTheirFilesAnew(t *testing.T) {
	t.Parallel()
	declared := filepath.Join(t.TempDir(), "cookies.yaml")
	write := func(name string) {
		require.NoError(t, os.WriteFile(declared, fmt.Appendf(nil, "cookies: [{provider: P, name: %s, category: necessary, purpose: {en: x}}]\n", name), 0o600))
	}
	write("a")
	p := start(t, "-declarations", declared, "-to", newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()["Set-Cookie"] = []string{"a=1", "b=1"} }))
	decision := decide(t, p.site)
	write("b")
	p.reload(t, readAnew)
	response, _, err := ask(t, "GET", p.site)
	require.NoError(t, err)
	assert.Equal(t, []string{"b=1"}, response.Header["Set-Cookie"])
	_, body, err := ask(t, "GET", p.site+charterPath+"state.json", "Cookie: "+decision)
	require.NoError(t, err)
	assert.Contains(t, body, `"decided":true`, "the key of this run stays")
}

// Visitors with connections that stay, long answers, uploads and websockets notice nothing
// of forty changes.
func TestNoRequestIsLostWhileTheSettingsChange(t *testing.T) {
	t.Parallel()
	f := newFile(t, newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			echo(w)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Header()["Set-Cookie"] = []string{"a=1", "c=1"}
		fmt.Fprint(w, "received ", n, strings.Repeat(" and more", 1000))
	}))
	f.rest = "ledger: {url: consent.db}"
	f.write(t)
	p := byFile(t, f.name)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.site, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	socket := bufio.NewReader(conn)
	response, err := http.ReadResponse(socket, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)

	stop := make(chan struct{})
	var answers, decisions, failures atomic.Int64
	fail := func(what string, err error) {
		if failures.Add(1) < 10 {
			t.Error(what, err)
		}
	}
	upload := bytes.Repeat([]byte("x"), 100_000)
	var visitors sync.WaitGroup
	for i := range 8 {
		visitors.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if i == 0 {
					response, err := client.PostForm(p.site+charterPath, map[string][]string{"choice": {"accept"}})
					if err != nil || response.StatusCode != http.StatusSeeOther {
						fail("no decision", err)
						continue
					}
					response.Body.Close()
					decisions.Add(1)
					continue
				}
				response, err := client.Post(p.site, "application/octet-stream", bytes.NewReader(upload))
				if err != nil {
					fail("no answer", err)
					continue
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || !strings.HasPrefix(string(body), "received 100000") || len(response.Header["Set-Cookie"]) != 1 {
					fail(fmt.Sprintf("%d %.40q %q", response.StatusCode, body, response.Header["Set-Cookie"]), err)
				}
				answers.Add(1)
			}
		})
	}
	for i := range 40 {
		f.declared = [][]string{{"a"}, {"a", "b"}}[i%2]
		if i == 20 {
			f.rest = "ledger: {url: another.db}" // the old one ends after the requests that use it
		}
		f.write(t)
		p.reload(t, readAnew)
		if i%10 == 0 {
			io.WriteString(conn, "hello")
			echoed := make([]byte, 5)
			_, err := io.ReadFull(socket, echoed)
			require.NoError(t, err)
			assert.Equal(t, "hello", string(echoed))
		}
	}
	close(stop)
	visitors.Wait()
	assert.Zero(t, failures.Load())
	assert.Greater(t, answers.Load(), int64(100))
	assert.Greater(t, decisions.Load(), int64(10))
	t.Log(answers.Load(), "answers and", decisions.Load(), "decisions in 40 changes")
	conn.Close()
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	io.Copy(io.Discard, p.out)
	assert.NoError(t, p.Wait(), p.errs)
	assert.NotContains(t, p.errs.String(), "level=ERROR")
}

func TestTheMetricsAreThoseOfTheLedgerThatIsUsedNow(t *testing.T) {
	t.Parallel()
	f := newFile(t, newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()["Set-Cookie"] = []string{"a=1", "b=1"} }))
	admin := servertest.FreeAddress(t)
	f.rest = "admin: " + admin + "\nledger: {url: first.db}"
	f.write(t)
	p := byFile(t, f.name)
	figures := func() string {
		_, body, err := ask(t, "GET", "http://"+admin+"/metrics")
		require.NoError(t, err)
		return body
	}
	_, _, err := ask(t, "GET", p.site)
	require.NoError(t, err)
	decide(t, p.site)
	for _, line := range []string{
		`consent_cookies_total{cookie="b",outcome="removed",reason="undeclared"} 1`,
		`consent_decisions_total{action="form",allows="nothing"} 1`, // nothing that is declared needs consent
		`consent_ledger_records_total{outcome="dropped"} 0`,
		`consentproxy_request_duration_seconds_count{status="2xx"} 1`,
	} {
		// A request is counted once its answer is out.
		require.Eventually(t, func() bool { return strings.Contains(figures(), line+"\n") }, time.Minute, 10*time.Millisecond, line)
	}
	written := `consent_ledger_records_total{outcome="written"} `
	require.Eventually(t, func() bool { return strings.Contains(figures(), written+"1\n") }, time.Minute, 10*time.Millisecond)

	f.rest = strings.Replace(f.rest, "first", "second", 1)
	f.write(t)
	p.reload(t, readAnew)
	assert.Contains(t, figures(), written+"0\n", "it is another one")
	assert.Contains(t, figures(), `consent_cookies_total{cookie="b",outcome="removed",reason="undeclared"} 1`+"\n", "the site is the same")
	f.rest = "admin: " + admin
	f.write(t)
	p.reload(t, readAnew)
	assert.NotContains(t, figures(), "consent_ledger_")
}
