package consentcaddy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/servertest"
	"github.com/cookiecharter/consent/ledger"
)

// Each request is answered whole or not at all. Of new connections Caddy loses a few when it
// changes its servers, with this module and without (1 in 100 to 400, v2.11.9), and over TCP
// more than over a socket of Unix, which both servers share: such a request is sent again.
func TestAReloadUnderLoadLosesNoRequestAndNoRecord(t *testing.T) {
	folder := t.TempDir()
	books, socket := filepath.Join(folder, "consent.db"), filepath.Join(folder, "socket")
	up := backend(t)
	of := func(revision int) string {
		return strings.Replace(site(fmt.Sprintf("ledger %s\nname \"Shop %d\"\n", books, revision), "reverse_proxy "+up), "{", "{\nbind unix/"+socket+"\n", 1)
	}
	s := start(t, of(0))
	visitor := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}, CheckRedirect: client.CheckRedirect}
	var group sync.WaitGroup
	var asked, decided atomic.Int64
	done := make(chan struct{})
	for range 4 {
		group.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				ask := func() (*http.Response, error) { return visitor.Get("http://" + s.address + "/slow") }
				if n%5 == 0 {
					ask = func() (*http.Response, error) {
						return visitor.PostForm("http://"+s.address+charter, url.Values{"choice": {"accept"}})
					}
				}
				response, err := ask()
				if err != nil {
					continue
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				assert.NoError(t, err)
				if response.Request.Method == "POST" {
					assert.Equal(t, http.StatusSeeOther, response.StatusCode)
					decided.Add(1)
				} else {
					assert.Equal(t, "slow", string(body))
					assert.Equal(t, []string{"sid"}, answer{Response: response}.names())
					asked.Add(1)
				}
			}
		})
	}
	for revision := range 20 {
		time.Sleep(50 * time.Millisecond) // for some requests
		require.NoError(t, s.load(of(revision+1)))
	}
	close(done)
	group.Wait()
	response, err := visitor.Get("http://" + s.address + charter)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	response.Body.Close()
	assert.Contains(t, string(body), "Shop 20")
	stop(t)
	assert.Positive(t, asked.Load())
	assert.Positive(t, decided.Load())
	requireRecords(t, books, int(decided.Load()))
}

func TestSitesWithTheSameLedgerShareIt(t *testing.T) {
	books := filepath.Join(t.TempDir(), "consent.db")
	other := servertest.FreeAddress(t)
	block := "consent {\n" + basics + "ledger " + books + "\n}\nrespond ok\n"
	s := start(t, "ADDRESS {\n"+block+"}\nhttp://"+other+" {\n"+block+"}\n")
	s.decide(t, "accept")
	(&server{address: other}).decide(t, "refuse")
	stop(t)
	requireRecords(t, books, 2)
}

func TestAConfigurationThatCannotBeUsedLeavesTheOneBefore(t *testing.T) {
	up := backend(t)
	s := start(t, site("", "reverse_proxy "+up))
	other := filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.WriteFile(other, []byte(strings.Repeat("no database\n", 1000)), 0o600))
	for name, bad := range map[string]string{
		"no declarations": strings.Replace(site("", "respond bad"), "cookies.yaml", "none.yaml", 1),
		"no folder":       site("ledger /dev/null/consent.db\n", "respond bad"),
		"no ledger":       site("ledger "+other+"\n", "respond bad"),
	} {
		require.Error(t, s.load(bad), name)
		a := s.ask(t, "/")
		assert.Equal(t, page, a.body, name)
		assert.Equal(t, []string{"sid"}, a.names(), name)
	}
}

func TestToValidateAConfigurationOpensNoLedger(t *testing.T) {
	books := filepath.Join(t.TempDir(), "consent.db")
	config, err := adapt("{\nadmin off\nauto_https off\n}\n:9 {\nconsent {\n" + basics + "ledger " + books + "\n}\n}\n")
	require.NoError(t, err)
	require.NoError(t, validate(config))
	assert.NoFileExists(t, books)
	s := start(t, site("ledger "+books+"\n", "respond ok"))
	assert.FileExists(t, books)
	assert.NotEmpty(t, s.decide(t, "accept"))
}

func TestADecisionInDevelopmentOutlivesAReload(t *testing.T) {
	of := func(body string) string {
		return "ADDRESS {\nconsent {\ndeclarations testdata/cookies.yaml\ninsecure\n}\nheader +Set-Cookie \"" + statistics + "\"\nrespond " + body + "\n}\n"
	}
	s := start(t, of("one"))
	decision := s.decide(t, "accept")
	require.NoError(t, s.load(of("two")))
	a := s.ask(t, "/", decision)
	assert.Equal(t, "two", a.body)
	assert.Equal(t, []string{"_ga"}, a.names())
	assert.Empty(t, s.ask(t, "/").names())
	assert.Contains(t, s.told(t), "lasts as long as Caddy runs")
}

func TestKeysComeFromTheEnvironmentAndFromAFile(t *testing.T) {
	t.Setenv("CONSENT_KEYS", strings.Repeat("n", 32)+" "+strings.Repeat("o", 32))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("f", 32)+"\n"), 0o600))
	of := func(keys string) string {
		return "ADDRESS {\nconsent {\ndeclarations testdata/cookies.yaml\ninsecure\n" + keys + "\n}\nheader +Set-Cookie \"" + statistics + "\"\nrespond ok\n}\n"
	}
	s := start(t, of("keys_file "+file))
	byFile := s.decide(t, "accept")
	require.NoError(t, s.load(of("key "+strings.Repeat("o", 32))))
	byOld := s.decide(t, "accept")
	require.NoError(t, s.load(of("key {env.CONSENT_KEYS}")))
	assert.Equal(t, []string{"_ga"}, s.ask(t, "/", byOld).names())
	assert.Empty(t, s.ask(t, "/", byFile).names())
	require.NoError(t, s.load(of("key {env.CONSENT_KEYS}\nkeys_file "+file)))
	assert.Equal(t, []string{"_ga"}, s.ask(t, "/", byOld).names())
	assert.Equal(t, []string{"_ga"}, s.ask(t, "/", byFile).names())
}

// validate does what "caddy validate" does.
func validate(config []byte) error {
	read := new(caddy.Config)
	if err := caddy.StrictUnmarshalJSON(config, read); err != nil {
		return err
	}
	return caddy.Validate(read)
}

// Caddy does not wait for requests when it takes another configuration.
func TestARequestUnderWayAtAReloadIsStillRecorded(t *testing.T) {
	folder := t.TempDir()
	books := filepath.Join(folder, "consent.db")
	of := func(books string) string { return site("ledger "+books+"\n", "respond ok") }
	s := start(t, of(books))
	form := url.Values{"choice": {"accept"}}.Encode()
	conn, err := net.Dial("tcp", s.address)
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", charter, s.address, len(form))
	io.WriteString(conn, form[:5])
	time.Sleep(200 * time.Millisecond) // it has reached the handler
	require.NoError(t, s.load(of(filepath.Join(folder, "other.db"))))
	time.Sleep(1500 * time.Millisecond) // longer than handlers linger
	io.WriteString(conn, form[5:])
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusSeeOther, response.StatusCode)
	stop(t)
	requireRecords(t, books, 1)
}

// requireRecords waits for a ledger to be closed, and counts its records.
func requireRecords(t *testing.T, books string, want int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		read, err := ledger.OpenReadOnly(context.Background(), books, ledger.Config{})
		require.NoError(c, err)
		defer read.Close(context.Background())
		report, err := read.Verify(t.Context(), nil)
		require.NoError(c, err)
		assert.EqualValues(c, want, report.Records)
	}, time.Minute, 100*time.Millisecond)
}

// TestALedgerIsOpenOnceAndClosedWithTheLastConfiguration counts the open files of this process.
func TestALedgerIsOpenOnceAndClosedWithTheLastConfiguration(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc is Linux's")
	}
	books := filepath.Join(t.TempDir(), "consent.db")
	open := func() (n int) {
		files, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		for _, file := range files {
			if name, err := os.Readlink("/proc/self/fd/" + file.Name()); err == nil && name == books {
				n++
			}
		}
		return n
	}
	block := "consent {\n" + basics + "ledger " + books + "\n}\nrespond ok\n"
	one := "ADDRESS {\n" + block + "}\n"
	s := start(t, one)
	s.decide(t, "accept")
	alone := open()
	require.Positive(t, alone)
	require.NoError(t, s.load(one+"http://"+servertest.FreeAddress(t)+" {\n"+block+"}\n"))
	assert.Equal(t, alone, open())
	require.NoError(t, s.load(one))
	require.Eventually(t, func() bool { return open() == alone }, time.Minute, 50*time.Millisecond)
	s.decide(t, "refuse")
	require.NoError(t, s.load("ADDRESS {\nrespond ok\n}\n"))
	require.Eventually(t, func() bool { return open() == 0 }, time.Minute, 50*time.Millisecond)
}
