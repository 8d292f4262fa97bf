package ledger_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// A browser holds what the site has answered to one visitor.
type browser struct {
	cookies  string
	consents []confirmed
	refusals []confirmed
	denials  int  // refusals that failed
	doubtful bool // the answer to the last decision, if there was one, did not confirm it
	allowed  bool // by the cookie
	last     consent.Reference
}

// confirmed is a decision that an answer of the site confirmed.
type confirmed struct {
	reference consent.Reference
	at        int64
}

// A crowd is the visitors of one trial.
type crowd struct {
	heard    atomic.Int64 // consents that were confirmed to them
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
				if turn%6 == 5 { // the last is a refusal
					c.add(b)
					b = new(browser)
				}
			}
		})
	}
	together.Wait()
}

// await waits until so many consents more were confirmed. It gives up after a minute,
// which a check finds out.
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

// check compares what was confirmed with the records that are there, and for each visitor
// the cookie with the last record.
func (c *crowd) check(t *testing.T, url string) {
	t.Helper()
	l := begin(t, url) // and what waits on disk is written
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	there, last := recorded(t, url)
	consents, refusals, lost, lostRefusals, denied := 0, 0, 0, 0, 0
	visitors, doubtful, disagree, disagreeInDoubt := 0, 0, 0, 0
	for _, b := range c.browsers {
		denied += b.denials
		for _, consent := range b.consents {
			consents++
			if allowed, found := there[consent]; !found || !allowed {
				lost++
			}
		}
		for _, refusal := range b.refusals {
			refusals++
			if allowed, found := there[refusal]; !found || allowed {
				lostRefusals++
			}
		}
		if b.last == (consent.Reference{}) {
			continue
		}
		visitors++
		differs := last[b.last] != b.allowed
		switch {
		case b.doubtful:
			doubtful++
			if differs {
				disagreeInDoubt++
			}
		case differs:
			disagree++
		}
	}
	assert.Zero(t, lost, "consents that were confirmed to a browser and the ledger does not have")
	assert.Zero(t, lostRefusals, "refusals that were confirmed to a browser and the ledger does not have")
	assert.Zero(t, disagree, "visitors whose cookie and last record disagree")
	assert.Zero(t, denied, "refusals that did not take effect")
	assert.NotZero(t, consents)
	report := verified(t, l)
	t.Logf("%d consents and %d refusals were confirmed, of which %d and %d are not among the %d records; of %d visitors %d have a cookie that says other than the last record; "+
		"of these visitors %d did not hear what became of their last decision, and %d of them have a record that their cookie does not know",
		consents, refusals, lost, lostRefusals, report.Records, visitors, disagree, doubtful, disagreeInDoubt)
	finish(t, l)
}

// recorded returns whether each decision that is recorded allows something, and whether
// each visitor's last does.
func recorded(t *testing.T, url string) (there map[confirmed]bool, last map[consent.Reference]bool) {
	rows, err := open(t, url).Query("SELECT reference, decided, answers FROM consent_record WHERE reference IS NOT NULL ORDER BY decided, n")
	require.NoError(t, err)
	defer rows.Close()
	there, last = make(map[confirmed]bool), make(map[consent.Reference]bool)
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
		there[confirmed{r, at}] = list[0].Allowed
		last[r] = list[0].Allowed
	}
	require.NoError(t, rows.Err())
	return there, last
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
	b.doubtful = !answered
	return answered
}

// learn takes note of the cookie of an answer.
func (b *browser) learn(reader *consent.Middleware, set string, allow bool) {
	if set != "" {
		b.cookies = set
	}
	serve(reader, b.cookies, func(_ http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		b.allowed, b.last = prefs.Allows(consent.Statistics), prefs.Reference()
		switch allowed := prefs.Allows(consent.Statistics); {
		case allowed && allow && set != "":
			b.consents = append(b.consents, confirmed{prefs.Reference(), prefs.DecidedAt().UnixMilli()})
		case allowed && !allow:
			b.denials++
		case !allowed && !allow && set != "":
			b.refusals = append(b.refusals, confirmed{prefs.Reference(), prefs.DecidedAt().UnixMilli()})
		}
	})
}
