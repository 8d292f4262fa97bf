package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
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

// killTrials is the environment variable that says how often a process is killed.
const killTrials = "LEDGER_KILLS"

func kills(t *testing.T) int {
	if said := os.Getenv(killTrials); said != "" {
		count, err := strconv.Atoi(said)
		require.NoError(t, err)
		return count
	}
	return rounds(2, 100)
}

// childOf names the environment variable that makes the test's binary a site with
// its ledger at that URL, to be killed.
const childOf = "LEDGER_TEST_CHILD"

// serveAsChild serves the site and says where on its standard output.
func serveAsChild(url string) {
	l, err := ledger.Open(context.Background(), url, config)
	if err != nil {
		panic(err)
	}
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{secret}, Recorder: l, Insecure: true})
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
	b.doubtful = err != nil || response.StatusCode != http.StatusOK
	if err != nil {
		return false // nothing was confirmed
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

func TestNothingIsForgottenByAProcessThatIsKilled(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		var visitors crowd
		reader := site(t, nil)
		for range kills(t) {
			child, address := startChild(t, url)
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}

			stop, dead := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(dead)
				visitors.await(1 + rand.IntN(100))
				time.Sleep(time.Duration(rand.IntN(10_000)) * time.Microsecond)
				// Nobody decides on after the kill: it comes at once behind some answers.
				close(stop)
				time.Sleep(time.Duration(rand.IntN(2_000)) * time.Microsecond)
				child.Process.Kill()
				child.Wait()
			}()
			visitors.decide(16, stop, func(b *browser, allow bool) bool {
				return post(client, address, reader, b, allow)
			})
			<-dead
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
	assertSettled(t, l)
	visitors.check(t, url)
}
