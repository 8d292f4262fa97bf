package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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

// TestNothingIsForgottenByAFleet runs the balancer of docs/fleet.md before three
// instances, kills one under load, and rolls their keys.
func TestNothingIsForgottenByAFleet(t *testing.T) {
	servertest.Find(t, "haproxy") // before much has begun
	page, err := os.ReadFile("../../../docs/fleet.md")
	require.NoError(t, err)
	config := string(regexp.MustCompile("(?s)```haproxy\n(.*?)```").FindSubmatch(page)[1])
	f := &fleet{
		keys: filepath.Join(t.TempDir(), "keys"),
		site: newSite(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", "_ga=1; Path=/")
			io.WriteString(w, r.Header.Get("X-Forwarded-For"))
		}),
	}
	old, next := strings.Repeat("o", 32), strings.Repeat("n", 32)
	f.setKeys(t, old)
	for i := range f.addresses {
		f.addresses[i] = servertest.FreeAddress(t)
		config = strings.ReplaceAll(config, fmt.Sprintf("127.0.0.1:808%d", i+1), f.addresses[i])
		f.start(t, i)
	}
	entrance := servertest.FreeAddress(t)
	servertest.HAProxy(t, entrance, strings.ReplaceAll(config, "127.0.0.1:8080", entrance))
	entrance = "http://" + entrance
	require.Eventually(t, func() bool {
		response, _, err := ask(t, "GET", entrance)
		return err == nil && response.StatusCode == http.StatusOK
	}, time.Minute, 50*time.Millisecond)

	before := decide(t, entrance)
	_, from, err := ask(t, "GET", entrance)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1, 127.0.0.1", from, "the visitor, as the balancer says, and the balancer")

	var answers, failures, forgotten atomic.Int64
	stop := make(chan struct{})
	var visitors sync.WaitGroup
	for range 20 {
		visitors.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				response, _, err := ask(t, "GET", entrance, "Cookie: "+before)
				switch {
				case err != nil || response.StatusCode != http.StatusOK:
					failures.Add(1)
				case response.Header.Get("Set-Cookie") == "":
					forgotten.Add(1)
				default:
					answers.Add(1)
				}
			}
		})
	}
	more := func() { // some hundred answers later
		enough := answers.Load() + 500
		require.Eventually(t, func() bool { return answers.Load() > enough }, time.Minute, 10*time.Millisecond)
	}
	report := func(what string) {
		t.Logf("%s: %d answers, %d failures, %d forgotten", what, answers.Load(), failures.Load(), forgotten.Load())
	}
	more()
	report("three instances")
	require.NoError(t, f.programs[1].Process.Kill())
	more()
	report("one killed")
	_ = f.programs[1].Wait() // killed
	f.start(t, 1)
	more()
	report("and back")
	killed := failures.Load()

	f.setKeys(t, old, next)
	f.restartAll(t, more)
	report("all know the new key")
	f.setKeys(t, next, old)
	f.restartAll(t, more)
	report("all sign with it")
	close(stop)
	visitors.Wait()
	assert.Zero(t, forgotten.Load(), "answers that asked again")
	assert.LessOrEqual(t, killed, int64(20), "at most what was under way when one was killed")
	assert.Zero(t, failures.Load()-killed, "failures while keys were rolled")

	f.setKeys(t, next)
	after := decide(t, entrance)
	f.restartAll(t, func() {})
	for range 6 {
		response, _, err := ask(t, "GET", entrance, "Cookie: "+after)
		require.NoError(t, err)
		assert.NotEmpty(t, response.Header.Get("Set-Cookie"), "what was signed since does not need the old key")
		response, _, err = ask(t, "GET", entrance, "Cookie: "+before)
		require.NoError(t, err)
		assert.Empty(t, response.Header.Get("Set-Cookie"), "what the old key has signed went with it")
	}
}

// A fleet is three instances with one file of keys.
type fleet struct {
	keys, site string
	addresses  [3]string
	programs   [3]program
}

func (f *fleet) setKeys(t *testing.T, keys ...string) {
	require.NoError(t, os.WriteFile(f.keys, []byte(strings.Join(keys, "\n")+"\n"), 0o600))
}

func (f *fleet) start(t *testing.T, i int) {
	f.programs[i] = start(t, "-addr", f.addresses[i], "-to", f.site, "-keys", f.keys, "-trust", "127.0.0.1")
}

// restartAll restarts one after the other, and waits in between.
func (f *fleet) restartAll(t *testing.T, between func()) {
	for i := range f.programs {
		require.NoError(t, f.programs[i].Process.Signal(syscall.SIGTERM))
		_, err := io.Copy(io.Discard, f.programs[i].out)
		require.NoError(t, err)
		require.NoError(t, f.programs[i].Wait())
		f.start(t, i)
		time.Sleep(time.Second) // as a roll-out waits for the balancer to see it
		between()
	}
}

// decide accepts all, and returns the Cookie header that says so.
func decide(t *testing.T, address string) string {
	return decideOn(t, address+charterPath)
}

// decideOn does so on a charter.
func decideOn(t *testing.T, charter string) string {
	response, err := client.PostForm(charter, url.Values{"choice": {"accept"}})
	require.NoError(t, err)
	defer response.Body.Close()
	require.NotEmpty(t, response.Cookies())
	return response.Cookies()[0].Name + "=" + response.Cookies()[0].Value
}
