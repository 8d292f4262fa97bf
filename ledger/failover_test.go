package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

// standby makes a hot standby of a server, which confirms nothing that it has not been asked
// to confirm.
func (c *cluster) standby(t *testing.T) *cluster {
	t.Helper()
	directory, err := os.MkdirTemp("", "standby")
	require.NoError(t, err)
	require.NoError(t, giveToServer(directory))
	s := &cluster{binaries: c.binaries, directory: directory}
	t.Cleanup(s.remove)
	copied, err := s.command("pg_basebackup", "-D", s.data(), "-h", c.directory, "-U", "postgres", "-R", "-c", "fast", "-X", "stream").CombinedOutput()
	require.NoError(t, err, string(copied))
	require.NoError(t, s.start())
	return s
}

// catchUp waits until a standby has everything.
func catchUp(t *testing.T, from, to *cluster) {
	var at string
	require.NoError(t, open(t, from.url("postgres")).QueryRow("SELECT pg_current_wal_flush_lsn()").Scan(&at))
	standby := open(t, to.url("postgres"))
	require.Eventually(t, func() bool {
		var there bool
		return standby.QueryRow("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", at).Scan(&there) == nil && there
	}, time.Minute, 10*time.Millisecond)
}

func TestAFailoverThatLosesWhatWasConfirmedShows(t *testing.T) {
	primary, err := newCluster("")
	needPostgres(t, err)
	t.Cleanup(primary.remove)
	secondary := primary.standby(t)
	require.Eventually(t, func() bool {
		var standbys int
		return open(t, primary.url("postgres")).QueryRow("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'").Scan(&standbys) == nil && standbys == 1
	}, time.Minute, 10*time.Millisecond)
	both := "postgres://postgres@/postgres?target_session_attrs=read-write&host=" + url.QueryEscape(primary.directory+","+secondary.directory)

	said := listen(t)
	opened := begin(t, both)
	db, err := sql.Open("pgx", both)
	require.NoError(t, err)
	defer db.Close()
	of, err := ledger.Use(context.Background(), db, config)
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(said(), "a failover may lose consents"), "one line for each")
	ledgers := []*ledger.Ledger{opened, of}
	for _, l := range ledgers {
		keep(t, l, yes(alice))
	}
	catchUp(t, primary, secondary)
	secondary.kill()
	for _, l := range ledgers {
		for range 11 {
			keep(t, l, yes(visitor())) // the standby will never have them
		}
	}
	primary.kill()
	require.NoError(t, secondary.start())
	execute(t, secondary.url("postgres"), "SELECT pg_promote()")

	for i, l := range ledgers {
		require.Eventually(t, func() bool { return l.Ready(context.Background()) == nil }, time.Minute, 100*time.Millisecond)
		if i == 0 { // one goes on, and the other only says how many records it has written
			keep(t, l, yes(visitor()))
		}
		finish(t, l)
	}
	l := begin(t, secondary.url("postgres"))
	report, err := l.Verify(context.Background(), nil)
	require.NoError(t, err)
	missing := 0
	for _, fault := range report.Faults {
		if strings.Contains(fault, "11 are missing") {
			missing++
		}
	}
	assert.Equal(t, 2, missing, report.Faults)
	for _, fault := range report.Faults {
		assert.NotContains(t, fault, "notice", "it was written again")
	}
}

func TestNothingIsSaidOfStandbysThatConfirm(t *testing.T) {
	c, err := newCluster("")
	needPostgres(t, err)
	t.Cleanup(c.remove)
	c.standby(t)
	execute(t, c.url("postgres"), "ALTER SYSTEM SET synchronous_standby_names = '*'")
	execute(t, c.url("postgres"), "SELECT pg_reload_conf()")
	require.Eventually(t, func() bool {
		var standbys int
		return open(t, c.url("postgres")).QueryRow("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&standbys) == nil && standbys == 1
	}, time.Minute, 10*time.Millisecond)
	said := listen(t)
	finish(t, begin(t, c.url("postgres")))
	assert.NotContains(t, said(), "failover")
	finish(t, begin(t, c.url("postgres")+"&synchronous_commit=local"))
	assert.Contains(t, said(), "a failover may lose consents")
}

// turn has the sessions of a ledger take no writes any more, as a server does that has become
// a standby, without a connection that breaks. New ones take writes.
func turn(t *testing.T, l *ledger.Ledger) {
	l.EachSession(t, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
}

func TestASessionThatTurnedReadOnlyIsLeft(t *testing.T) {
	for _, how := range []string{"opened", "of the site"} {
		t.Run(how, func(t *testing.T) {
			url := postgres(t)
			name := fmt.Sprintf("turns%d", server(t).count.Add(1))
			execute(t, url, "CREATE ROLE "+name+" LOGIN SUPERUSER")
			as := strings.Replace(url, "postgres@", name+"@", 1)
			var l *ledger.Ledger
			if how == "opened" {
				l = begin(t, as)
			} else {
				db, err := sql.Open("pgx", as)
				require.NoError(t, err)
				defer db.Close()
				l, err = ledger.Use(context.Background(), db, config)
				require.NoError(t, err)
			}
			ctx, old := context.Background(), at(yes(carol), 0)
			keep(t, l, yes(alice))
			keep(t, l, old)
			users, err := l.Users(secret)
			require.NoError(t, err)
			require.NoError(t, users.Link(ctx, carol, old.Time, "7"))
			for what, write := range map[string]func() error{
				"a record":       func() error { return l.Record(ctx, yes(alice)) },
				"a link":         func() error { return users.Link(ctx, alice, time.Now(), "42") },
				"a forgetting":   func() error { _, err := l.Forget(ctx, alice); return err },
				"what is nobody": func() error { _, err := l.Forget(ctx, bob); return err },
				"a purge":        func() error { _, err := l.Purge(ctx, old.Time.Add(time.Second), nil); return err },
				"the links that a purge takes": func() error {
					_, err := l.Purge(ctx, old.Time.Add(time.Second), func(int64) { turn(t, l) })
					return err
				},
			} {
				turn(t, l)
				assert.NoError(t, write(), what)
			}
			finish(t, l)
			verified(t, begin(t, url))
		})
	}
}
