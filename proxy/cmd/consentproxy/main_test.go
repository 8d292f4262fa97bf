package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/site"
)

// asProgram makes the test's binary the program itself, for the tests that
// need a process. It then tells at sayGoroutines how many goroutines it has.
const asProgram = "PROXY_AS_PROGRAM"

func asTheProgram() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, sayGoroutines)
	go func() {
		for range asked {
			fmt.Println("goroutines", runtime.NumGoroutine())
		}
	}()
	main()
}

// A program is the proxy as a process, and what it prints.
type program struct {
	*exec.Cmd
	site string
	out  *bufio.Reader
	errs *journal
}

// command runs the program until the test ends.
func command(t *testing.T, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), os.Args[0], arguments...)
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

func start(t *testing.T, arguments ...string) program {
	t.Helper()
	p := program{Cmd: command(t, append([]string{"-addr", "localhost:0", "-insecure"}, arguments...)...), errs: new(journal)}
	p.begin(t)
	return p
}

// begin starts the process, and waits until it serves.
func (p *program) begin(t *testing.T) {
	t.Helper()
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	p.Stderr = p.errs
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Wait() }) // killed, if it has not ended before
	p.out = bufio.NewReader(out)
	for p.site == "" {
		line, err := p.out.ReadString('\n')
		require.NoError(t, err, p.errs)
		fmt.Sscanf(line, "Open %s in a browser", &p.site)
	}
}

// memory returns a figure of /proc/PID/status in bytes, such as VmRSS.
func (p program) memory(t *testing.T, figure string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	_, rest, found := strings.Cut(string(status), figure+":")
	require.True(t, found)
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kilobytes << 10
}

func keyFile(t *testing.T, content string) string {
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func TestMistakesAreSaidAllAtOnceAndShowNoKey(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	t.Cleanup(func() { taken.Close() })
	long := strings.Repeat("k", 64)
	const good = "http://localhost:8000"
	for _, test := range []struct {
		name      string
		arguments []string
		says      []string
	}{
		{"nothing", nil, []string{`"consentproxy -config consentproxy.yaml" serves`, `"consentproxy init http://localhost:8000" writes`}},
		{"no target", []string{"-inject"}, []string{"-to: names no site"}},
		{"a target that is no URL", []string{"-to", "http://a b:%zz"}, []string{"-to: is not the URL of a site"}},
		{"a target without a scheme", []string{"-to", "localhost:8000"}, []string{"-to: is not the URL of a site"}},
		{"a target of another kind", []string{"-to", "ftp://localhost"}, []string{"-to: is not the URL of a site"}},
		{"a target without a host", []string{"-to", "http://"}, []string{"-to: is not the URL of a site"}},
		{"a target with a path", []string{"-to", good + "/app"}, []string{"-to: holds more than"}},
		{"a target with a password", []string{"-to", "http://u:secret@localhost"}, []string{"-to: holds more than"}},
		{"an address in use", []string{"-to", good, "-addr", taken.Addr().String()}, []string{taken.Addr().String(), "in use", "-addr chooses another"}},
		{"an address that is none", []string{"-to", good, "-addr", "nowhere"}, []string{`-addr: "nowhere" is no address`}},
		{"no key file", []string{"-to", good, "-keys", "/no/such"}, []string{"-keys: open /no/such"}},
		{"a blank line", []string{"-to", good, "-keys", keyFile(t, long+"\n\n"+long+"\n")}, []string{"line 2: is blank"}},
		{"an empty key file", []string{"-to", good, "-keys", keyFile(t, "")}, []string{"line 1: is blank"}},
		{"several", []string{"-to", "x", "-trust", "10.0.0.0/33,127.0.0.1", "-keys", keyFile(t, "secret\n"+long+"\r\nsecrets")},
			[]string{"-to: is not", "line 1: has 6 bytes", "line 3: has 7 bytes", `-trust: "10.0.0.0/33"`}},
		{"a database that is nowhere", []string{"-to", good, "-db", "/no/such/consent.db"}, []string{"-db: ledger: cannot make sqlite:/no/such/consent.db"}},
		{"a database of another kind", []string{"-to", good, "-db", "mysql://u:secret@h/d"}, []string{`-db: "mysql" is no kind of database that is known here; sqlite and postgres are`}},
		{"declarations that are not there", []string{"-to", good, "-declarations", "/no/such"}, []string{"-declarations: /no/such cannot be read"}},
		{"declarations with mistakes", []string{"-to", good, "-declarations", keyFile(t, "cookies:\n- name: a\n")}, []string{"keys:2: cookies[0].provider: is empty"}},
		{"a file and a flag", []string{"-config", "x", "-to", good, "-inject"}, []string{"-to: stands in the file", "-inject: stands in the file"}},
		{"a file that is not there", []string{"-config", "/no/such"}, []string{"/no/such: cannot be read"}},
		{"another command", []string{"chek"}, []string{`"chek" is neither`}},
		{"a flag that is none", []string{"-too", good}, []string{"-too", "consentproxy -to URL", "consentproxy check"}},
		{"an argument of check", []string{"check", "consentproxy.yaml"}, []string{`check: "consentproxy.yaml" is not a flag`}},
		{"a flag's value by itself", []string{"-inject", "true"}, []string{`"true" is not a flag`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := command(t, test.arguments...)
			late := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }) // it serves
			defer late.Stop()
			var out, errs bytes.Buffer
			c.Stdout, c.Stderr = &out, &errs
			assert.Error(t, c.Run())
			for _, says := range test.says {
				assert.Contains(t, errs.String(), says)
			}
			assert.NotContains(t, errs.String(), "secret")
			assert.NotContains(t, out.String(), "Open")
		})
	}
}

func TestKeysSignInTheOrderOfTheirFile(t *testing.T) {
	old, next := strings.Repeat("o", 32), strings.Repeat("n", 32)
	for content, want := range map[string][]string{
		old:                      {old},
		old + "\n":               {old},
		next + "\r\n" + old:      {next, old},
		next + "\n" + old + "\n": {next, old},
	} {
		keys, err := site.ReadKeys(keyFile(t, content))
		require.NoError(t, err)
		got := make([]string, len(keys))
		for i, key := range keys {
			got[i] = string(key)
		}
		assert.Equal(t, want, got)
	}
	assert.NotEqual(t, site.NewKey(), site.NewKey())
	assert.Len(t, site.NewKey(), 32)
}

func TestWithoutKeysItSaysThatTheKeyIsForThisRunAlone(t *testing.T) {
	for _, test := range []struct {
		arguments []string
		says      bool
	}{{nil, true}, {[]string{"-keys", keyFile(t, strings.Repeat("k", 32))}, false}} {
		c := command(t, append(test.arguments, "-to", "http://localhost:1", "-addr", "localhost:0")...)
		out, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, test.says, strings.Contains(line, "key for this run alone"), line)
		require.NoError(t, c.Process.Kill())
		_ = c.Wait() // killed
	}
}

func TestAnInterruptStopsTheProxyOnceTheLastAnswersAreOut(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan bool), make(chan bool)
	p := start(t, "-to", newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		asked <- true
		<-answer
		io.WriteString(w, "the last")
	}))
	said := make(chan string)
	go func() {
		response, err := client.Get(p.site)
		if err != nil {
			said <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		said <- string(body)
	}()
	<-asked
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, "Stopping")
	answer <- true
	assert.Equal(t, "the last", <-said)
	_, err = io.Copy(io.Discard, p.out)
	require.NoError(t, err)
	assert.NoError(t, p.Wait())
}

func TestABodyOf1GBPassesInConstantMemory(t *testing.T) {
	const size = 1 << 30
	received := make(chan int64, 1)
	p := start(t, "-inject", "-to", newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			n, _ := io.Copy(io.Discard, r.Body)
			received <- n
			return
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, page)
		io.Copy(w, io.LimitReader(zeros{}, size))
	}))
	_, _, err := ask(t, "GET", p.site+charterPath)
	require.NoError(t, err)
	before := p.memory(t, "VmHWM")
	get, err := (&http.Client{}).Get(p.site)
	require.NoError(t, err)
	defer get.Body.Close()
	n, err := io.Copy(io.Discard, get.Body)
	require.NoError(t, err)
	assert.Equal(t, int64(len(withBanner))+size, n)
	post, err := (&http.Client{}).Post(p.site, "application/octet-stream", io.LimitReader(zeros{}, size/4))
	require.NoError(t, err)
	defer post.Body.Close()
	assert.Equal(t, int64(size/4), <-received)
	assert.Less(t, p.memory(t, "VmHWM")-before, 64<<20)
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestTheAddressIsPrintedAsItWasGiven(t *testing.T) {
	for _, test := range []struct{ given, listening, want string }{
		{"localhost:0", "127.0.0.1:43210", "http://localhost:43210"},
		{":8080", "[::]:8080", "http://localhost:8080"},
		{"[::1]:0", "[::1]:43210", "http://[::1]:43210"},
		{"0.0.0.0:8080", "0.0.0.0:8080", "http://localhost:8080"},
		{"[::]:8080", "[::]:8080", "http://localhost:8080"},
	} {
		listening, err := net.ResolveTCPAddr("tcp", test.listening)
		require.NoError(t, err)
		assert.Equal(t, test.want, address(test.given, listening, false))
		assert.Equal(t, strings.Replace(test.want, "http", "https", 1), address(test.given, listening, true))
	}
}

func TestWhatASiteSendsUnaskedReachesNoLog(t *testing.T) {
	p := start(t, "-to", rawSite(t, func(conn net.Conn) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell")
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nSet-Cookie: sessionid=secret\r\n\r\n")
	}))
	assert.Eventually(t, func() bool {
		_, body, err := ask(t, "GET", p.site)
		return err == nil && body == "well" && strings.Contains(p.errs.String(), "Unsolicited response received on idle HTTP channel\n")
	}, time.Minute, 10*time.Millisecond)
	assert.NotContains(t, p.errs.String(), "secret")
}
