package ledger_test

import (
	"context"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// linked waits until so many references are a user's.
func linked(t *testing.T, users *ledger.Users, user string, count int) (references []consent.Reference) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		references, err = users.References(context.Background(), user)
		return err == nil && len(references) == count
	}, time.Minute, 10*time.Millisecond)
	return references
}

// noLinks has the database take no links of users, until there is no such table any more.
func noLinks(t *testing.T, url string) (end func()) {
	execute(t, url, "ALTER TABLE consent_link RENAME TO consent_link_away")
	return func() { execute(t, url, "ALTER TABLE consent_link_away RENAME TO consent_link") }
}

func TestARefusalReachesTheAccountThoughTheUserSignsOutWhileTheDatabaseIsAway(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		p := portalOf(t, l)
		home := p.save("42", "", consent.AcceptAll())
		back, again := away(t, l, url), noLinks(t, url)
		var told []error
		refuse := p.users.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, p.mw.Save(w, r, consent.RefuseAll()))
		}), func(*http.Request) string { return "42" }, func(_ *http.Request, err error) { told = append(told, err) })
		time.Sleep(2 * time.Millisecond)
		home = serve(p.mw, home, refuse.ServeHTTP)
		assert.False(t, p.sees(home).allows)
		require.Len(t, told, 1)
		assert.ErrorContains(t, told[0], "tries again")

		p.sees(home) // signed out: no later page links it
		again()
		back()
		settled(t, l)
		require.Eventually(t, func() bool { return !p.sees(p.signIn("42", "")).allows }, time.Minute, 10*time.Millisecond)
		finish(t, l)
		other := begin(t, url)
		assert.False(t, portalOf(t, other).sees(portalOf(t, other).signIn("42", "")).allows, "it is in the database")
		verified(t, other)
	})
}

func TestALinkThatWaitsOutlivesTheProcess(t *testing.T) {
	for name, of := range map[string]func(closed, killed string) string{
		"that ends":      func(closed, _ string) string { return closed },
		"that is killed": func(_, killed string) string { return killed },
	} {
		t.Run(name, func(t *testing.T) {
			path, config := lite(t), spooling(t)
			l := beginWith(t, path, config)
			users, err := l.Users(secret)
			require.NoError(t, err)
			record := yes(alice)
			keep(t, l, record)
			end := noLinks(t, path)
			assert.ErrorContains(t, users.Link(context.Background(), alice, record.Time, "42"), "tries again")
			killed := filepath.Join(t.TempDir(), "killed")
			require.NoError(t, os.CopyFS(killed, os.DirFS(config.Spool)))
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			assert.ErrorContains(t, l.Close(ended), "1 links of users wait in "+config.Spool)
			end()

			config.Spool = of(config.Spool, killed)
			l = beginWith(t, path, config)
			users, err = l.Users(secret)
			require.NoError(t, err)
			assert.Equal(t, []consent.Reference{alice}, linked(t, users, "42", 1))
			finish(t, l)
			assert.Empty(t, spoolFiles(t, config.Spool), "nothing waits")
			l = beginWith(t, path, config)
			users, err = l.Users(secret)
			require.NoError(t, err)
			latest, err := users.Latest(context.Background(), "42")
			require.NoError(t, err)
			assert.Equal(t, record.Time, latest.Time)
			assert.Zero(t, verified(t, l).UnsealedLinks)
		})
	}
}

func TestOfLinksThatWaitTheNewestCounts(t *testing.T) {
	path, config := lite(t), spooling(t)
	l := beginWith(t, path, config)
	users, err := l.Users(secret)
	require.NoError(t, err)
	ctx := context.Background()
	first, second := at(yes(alice), 1), at(no(alice), 2)
	keep(t, l, first)
	keep(t, l, second)
	require.NoError(t, users.Link(ctx, alice, first.Time, "42"))
	execute(t, path, "CREATE TRIGGER no_links BEFORE INSERT ON consent_link BEGIN SELECT RAISE(ABORT, 'not now'); END")
	require.Error(t, users.Link(ctx, alice, second.Time, "42"))
	require.Error(t, users.Link(ctx, alice, first.Time, "42"), "and the older one is of no use")
	latest, err := users.Latest(ctx, "42")
	require.NoError(t, err)
	assert.Equal(t, second.Time, latest.Time, "what waits in this process is known to it")
	execute(t, path, "DROP TRIGGER no_links")
	finish(t, l)
	l = beginWith(t, path, config)
	users, err = l.Users(secret)
	require.NoError(t, err)
	latest, err = users.Latest(ctx, "42")
	require.NoError(t, err)
	assert.Equal(t, second.Time, latest.Time)
}

func TestNothingIsLeftOfALinkThatWaitsOfAVisitorWhoIsForgotten(t *testing.T) {
	path, config := lite(t), spooling(t)
	l := beginWith(t, path, config)
	users, err := l.Users(secret)
	require.NoError(t, err)
	a, b := yes(visitor()), yes(visitor())
	keep(t, l, a)
	keep(t, l, b)
	execute(t, path, "CREATE TRIGGER no_links BEFORE INSERT ON consent_link BEGIN SELECT RAISE(ABORT, 'not now'); END")
	for user, record := range map[string]consent.Record{"42": a, "7": b} {
		require.Error(t, users.Link(context.Background(), record.Reference, record.Time, user))
	}
	begins := func(r consent.Reference) string { return hex.EncodeToString(r[:4]) + "-" + hex.EncodeToString(r[4:6]) }
	require.True(t, onDisk(t, config.Spool, begins(a.Reference)))
	records, err := users.Forget(context.Background(), "42")
	require.NoError(t, err)
	assert.EqualValues(t, 1, records)
	assert.False(t, onDisk(t, config.Spool, begins(a.Reference)))
	assert.True(t, onDisk(t, config.Spool, begins(b.Reference)))
	execute(t, path, "DROP TRIGGER no_links")
	linked(t, users, "7", 1)
	linked(t, users, "42", 0)
	finish(t, l)
	assert.Len(t, links(t, path), 1)
}

func TestALinkThatCannotWaitIsTold(t *testing.T) {
	path := lite(t)
	l := beginWith(t, path, ledger.Config{Keys: config.Keys, NoSpool: true})
	users, err := l.Users(secret)
	require.NoError(t, err)
	back := away(t, l, path)
	for range 10_000 {
		assert.ErrorContains(t, users.Link(context.Background(), visitor(), time.Now(), "42"), "tries again")
	}
	assert.ErrorContains(t, users.Link(context.Background(), visitor(), time.Now(), "42"), "too many links are waiting")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorContains(t, l.Close(ended), "10000 links of users were not written")
	back()
}
