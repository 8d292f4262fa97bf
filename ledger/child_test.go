package ledger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// longTrials is the environment variable that runs every round of the trials by
// fire; without it they have a few.
const longTrials = "LEDGER_TRIALS"

// rounds returns how often a trial is repeated.
func rounds(usual, all int) int {
	if os.Getenv(longTrials) != "" {
		return all
	}
	return usual
}

// A browser holds what one visitor was told.
type browser struct {
	cookies  string
	consents []told
	denials  int // refusals that failed
}

// told is a consent that a visitor was told of.
type told struct {
	reference consent.Reference
	at        int64
}

// A crowd is the visitors of one trial.
type crowd struct {
	heard    atomic.Int64 // consents that they were told of
	mu       sync.Mutex
	browsers []*browser
}

// decide has visitors decide, one after the other in each of a number of lines, until
// stop is closed; answer sends one decision of a browser, and reports whether the
// site answered at all.
func (c *crowd) decide(lines int, stop <-chan struct{}, answer func(*browser, bool) bool) {
	var together sync.WaitGroup
	for range lines {
		together.Go(func() {
			b := new(browser)
			for turn := 0; ; turn++ {
				select {
				case <-stop:
					c.add(b)
					return
				default:
				}
				before := len(b.consents)
				if !answer(b, turn%3 != 2) {
					time.Sleep(time.Millisecond)
				}
				c.heard.Add(int64(len(b.consents) - before))
				if turn%5 == 4 {
					c.add(b)
					b = new(browser)
				}
			}
		})
	}
	together.Wait()
}

// await waits until they were told of so many consents more. It gives up after a
// while, which a check finds out.
func (c *crowd) await(more int) {
	enough := c.heard.Load() + int64(more)
	for begun := time.Now(); c.heard.Load() < enough && time.Since(begun) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
}

func (c *crowd) add(b *browser) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.browsers = append(c.browsers, b)
}

// check compares what the crowd was told with what is there.
func (c *crowd) check(t *testing.T, url string) {
	t.Helper()
	db := open(t, url)
	rows, err := db.Query("SELECT reference, decided, answers FROM consent_record")
	require.NoError(t, err)
	defer rows.Close()
	there := make(map[told]bool)
	for rows.Next() {
		var reference, answers string
		var raw any
		var at int64
		require.NoError(t, rows.Scan(&raw, &at, &answers))
		switch v := raw.(type) {
		case []byte:
			reference = fmt.Sprintf("%x", v)
		case string:
			reference = v[:8] + v[9:13] + v[14:18] + v[19:23] + v[24:]
		}
		r, err := consent.ParseReference(reference)
		require.NoError(t, err)
		var list []consent.Answer
		require.NoError(t, json.Unmarshal([]byte(answers), &list))
		if list[0].Allowed {
			there[told{r, at}] = true
		}
	}
	require.NoError(t, rows.Err())
	total, lost, denied := 0, 0, 0
	for _, b := range c.browsers {
		denied += b.denials
		for _, consent := range b.consents {
			total++
			if !there[consent] {
				lost++
			}
		}
	}
	assert.Zero(t, lost, "consents that a browser was told of and the ledger does not have")
	assert.Zero(t, denied, "refusals that did not take effect")
	assert.NotZero(t, total)
	l := begin(t, url)
	report := verified(t, l)
	t.Logf("%d consents were told, all of %d records are there", total, report.Records)
	finish(t, l)
}

// childOf names the environment variable that makes the test's binary a site with
// its ledger at that URL, to be killed.
const childOf = "LEDGER_TEST_CHILD"

// serveAsChild serves the site and says where on its standard output.
func serveAsChild(url string) {
	l, err := ledger.Open(context.Background(), url)
	if err != nil {
		panic(err)
	}
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{make([]byte, 32)}, Recorder: l, Insecure: true})
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + listener.Addr().String())
	panic(http.Serve(listener, mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		choice := consent.RefuseAll()
		if r.URL.Path == "/yes" {
			choice = consent.AcceptAll()
		}
		if err := mw.Save(w, r, choice); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))))
}

// startChild starts a site as a process of its own.
func startChild(t *testing.T, url string) (child *exec.Cmd, address string) {
	t.Helper()
	child = exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childOf+"="+url)
	child.Stderr = os.Stderr
	says, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	address, err = bufio.NewReader(says).ReadString('\n')
	require.NoError(t, err)
	return child, strings.TrimSpace(address)
}

func TestNothingIsForgottenByTwoProcesses(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		child, address := startChild(t, url)
		defer func() { child.Process.Kill(); child.Wait() }()
		l := begin(t, url)
		mw, reader := site(t, l), site(t, nil)
		// Each visitor goes to and fro between the two.
		var visitors crowd
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			visitors.await(100)
		}()
		here := atomic.Int64{}
		visitors.decide(8, stop, func(b *browser, allow bool) bool {
			if here.Add(1)%2 == 0 {
				return post(http.DefaultClient, address, reader, b, allow)
			}
			return decideHere(mw, reader, b, allow)
		})
		finish(t, l)
		visitors.check(t, url)
	})
}

// post sends a decision to a site and reads what its answer says. A browser believes
// an answer when its head is there.
func post(client *http.Client, site string, reader *consent.Middleware, b *browser, allow bool) bool {
	path := map[bool]string{true: "/yes", false: "/no"}[allow]
	request, err := http.NewRequest("POST", site+path, nil)
	if err != nil {
		return false
	}
	request.Header.Set("Cookie", b.cookies)
	response, err := client.Do(request)
	if err != nil {
		return false // nobody was told anything
	}
	response.Body.Close()
	set := ""
	for _, c := range response.Cookies() {
		if c.Name == consent.CookieName {
			set = c.Name + "=" + c.Value
		}
	}
	b.learn(reader, set, allow)
	return true
}

// learn takes note of the cookie of an answer.
func (b *browser) learn(reader *consent.Middleware, set string, allow bool) {
	if set != "" {
		b.cookies = set
	}
	serve(reader, b.cookies, func(_ http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		switch allowed := prefs.Allows(consent.Statistics); {
		case allowed && allow && set != "":
			b.consents = append(b.consents, told{prefs.Reference(), prefs.DecidedAt().UnixMilli()})
		case allowed && !allow:
			b.denials++
		}
	})
}

func TestNothingIsForgottenByAProcessThatIsKilled(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		var visitors crowd
		reader := site(t, nil)
		for range rounds(2, 100) {
			child, address := startChild(t, url)
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}

			stop := make(chan struct{})
			go func() {
				visitors.await(1 + rand.IntN(100))
				time.Sleep(time.Duration(rand.IntN(10_000)) * time.Microsecond)
				child.Process.Kill()
				child.Wait()
				close(stop)
			}()
			visitors.decide(16, stop, func(b *browser, allow bool) bool {
				return post(client, address, reader, b, allow)
			})
			client.CloseIdleConnections()
		}
		visitors.check(t, url)
	})
}

func TestNothingIsForgottenByADatabaseThatIsKilled(t *testing.T) {
	c := server(t)
	url := c.database(t)
	l := begin(t, url)
	visitors := inProcess(t, l, func(visitors *crowd) {
		for range rounds(2, 20) {
			visitors.await(1 + rand.IntN(200))
			c.kill()
			time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
			if err := c.start(); !assert.NoError(t, err) {
				return
			}
		}
		// The refusals that wait are written once it is back.
		assert.Eventually(t, func() bool { return l.Figures().Failing == nil }, time.Minute, 10*time.Millisecond)
	})
	finish(t, l)
	assert.Zero(t, l.Figures())
	visitors.check(t, url)
}

// inProcess has visitors decide on a site in this process while something happens.
func inProcess(t *testing.T, l *ledger.Ledger, meanwhile func(*crowd)) *crowd {
	visitors := new(crowd)
	reader, mw := site(t, nil), site(t, l)
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		meanwhile(visitors)
	}()
	visitors.decide(16, stop, func(b *browser, allow bool) bool { return decideHere(mw, reader, b, allow) })
	return visitors
}

// decideHere takes a decision on a site in this process.
func decideHere(mw, reader *consent.Middleware, b *browser, allow bool) (answered bool) {
	set := serve(mw, b.cookies, func(w http.ResponseWriter, r *http.Request) {
		choice := consent.RefuseAll()
		if allow {
			choice = consent.AcceptAll()
		}
		answered = mw.Save(w, r, choice) == nil
	})
	if set == b.cookies {
		set = ""
	}
	b.learn(reader, set, allow)
	return answered
}

func TestNothingIsForgottenByADiskThatIsFull(t *testing.T) {
	t.Run("SQLite that may not grow", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "consent.db")
		db, err := openSQLite(path, "busy_timeout(10000)", "max_page_count(60)")
		require.NoError(t, err)
		db.SetMaxOpenConns(1) // the one that has the limit
		defer db.Close()
		l, err := ledger.Use(context.Background(), db)
		require.NoError(t, err)
		full(t, l, path, func() {
			_, err := db.Exec("PRAGMA max_page_count = 100000")
			assert.NoError(t, err)
		})
	})
	t.Run("SQLite on a disk of its own", func(t *testing.T) {
		disk := smallDisk(t, 1<<20)
		path := filepath.Join(disk.path, "consent.db")
		l := begin(t, path)
		full(t, l, path, func() { disk.resize(t, 64<<20) })
	})
	t.Run("PostgreSQL on a disk of its own", func(t *testing.T) {
		if os.Getenv(longTrials) == "" {
			t.Skip("a server of its own takes a while to make; " + longTrials + "=1 has it made")
		}
		disk := smallDisk(t, 80<<20)
		c, err := newCluster(disk.path)
		needPostgres(t, err)
		t.Cleanup(c.remove)
		url := c.database(t)
		l := begin(t, url)
		disk.fill(t)
		full(t, l, url, func() {
			disk.resize(t, 512<<20)
			select {
			case <-c.exited: // it stops where its log has no room
				c.process = nil
				assert.NoError(t, c.start())
			case <-time.After(time.Second):
			}
		})
	})
}

// full has visitors decide until the disk is full and for a while longer; then there
// is room again.
func full(t *testing.T, l *ledger.Ledger, url string, makeRoom func()) {
	visitors := inProcess(t, l, func(*crowd) {
		assert.Eventually(t, func() bool { return l.Figures().Failing != nil }, time.Minute, time.Millisecond, "the disk is never full")
		time.Sleep(200 * time.Millisecond)
		makeRoom()
		assert.Eventually(t, func() bool { return l.Figures().Failing == nil }, time.Minute, 10*time.Millisecond)
	})
	finish(t, l)
	assert.Zero(t, l.Figures())
	visitors.check(t, url)
}

// A disk is a file system of a bounded size.
type disk struct{ path string }

// smallDisk makes one, which takes the right to mount.
func smallDisk(t *testing.T, bytes int) *disk {
	t.Helper()
	path, err := os.MkdirTemp("", "disk") // which a server may reach, unlike t.TempDir
	require.NoError(t, err)
	t.Cleanup(func() { os.Remove(path) })
	d := &disk{path}
	said, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+strconv.Itoa(bytes), "tmpfs", d.path).CombinedOutput()
	if err != nil {
		t.Skipf("a file system of its own takes the right to mount: %s", said)
	}
	t.Cleanup(func() {
		said, err := exec.Command("umount", "-l", d.path).CombinedOutput()
		assert.NoError(t, err, string(said))
	})
	return d
}

func (d *disk) resize(t *testing.T, bytes int) {
	said, err := exec.Command("mount", "-o", "remount,size="+strconv.Itoa(bytes), d.path).CombinedOutput()
	assert.NoError(t, err, string(said))
}

// fill leaves a megabyte free.
func (d *disk) fill(t *testing.T) {
	ballast, err := os.Create(filepath.Join(d.path, "ballast"))
	require.NoError(t, err)
	written, chunk := int64(0), make([]byte, 64<<10)
	for {
		n, err := ballast.Write(chunk)
		written += int64(n)
		if err != nil {
			break
		}
	}
	require.NoError(t, ballast.Truncate(max(0, written-1<<20)))
	require.NoError(t, ballast.Close())
}
