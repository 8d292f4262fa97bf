package ledger_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// Those whose records are tampered with.
var alice, bob, carol, dora, eve = consent.Reference{15: 1}, consent.Reference{15: 2}, consent.Reference{15: 3}, consent.Reference{15: 4}, consent.Reference{15: 5}

// attacks are what somebody with SQL may do, by their names in the README's table.
var attacks = map[string]struct {
	ended bool // the newest process has ended in order; otherwise it was killed
	do    func(*intruder)
}{
	"A record is changed": {do: func(x *intruder) {
		x.execute(`UPDATE consent_record SET answers = replace(answers, 'false', 'true') WHERE reference = $1 AND n = 3`, x.key(alice[:]))
	}},
	"The time of a record is changed": {do: func(x *intruder) {
		x.execute(`UPDATE consent_record SET decided = decided + 1 WHERE reference = $1 AND n = 3`, x.key(alice[:]))
	}},
	"A record is given to another visitor": {do: func(x *intruder) {
		x.execute(`UPDATE consent_record SET reference = $1 WHERE reference = $2 AND n = 3`, x.key(bytes.Repeat([]byte{7}, 16)), x.key(alice[:]))
	}},
	"Two records are swapped": {do: func(x *intruder) {
		rows := x.rows()
		one, other := x.find(rows, alice, 2), x.find(rows, alice, 3)
		one.answers, other.answers, one.objection, other.objection = other.answers, one.answers, other.objection, one.objection
		x.store(rows)
	}},
	"A record is deleted": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE reference = $1 AND n = 2`, x.key(alice[:]))
	}},
	"The last record of a visitor is deleted": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE reference = $1 AND n = 3`, x.key(alice[:]))
	}},
	"All records of a visitor are deleted": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE reference = $1`, x.key(alice[:]))
	}},
	"A record is inserted": {do: func(x *intruder) {
		rows := x.rows()
		made := *x.last(rows)
		made.id, made.hash, made.reference = x.random(), make([]byte, 32), x.random()
		made.place++
		x.store(append(rows, &made))
	}},
	"A record is inserted behind the last one, its hash computed": {do: func(x *intruder) {
		rows := x.rows()
		x.compute(append(rows, x.follow(rows, x.find(rows, alice, 1))))
	}},
	"A record is inserted behind the end of a process, its hash computed, and `written` is raised": {ended: true, do: func(x *intruder) {
		x.execute(`UPDATE consent_writer SET written = written + 1 WHERE id = $1`, x.key(x.newest()))
		rows := x.rows()
		x.compute(append(rows, x.follow(rows, x.find(rows, alice, 1))))
	}},
	"A record is hidden as an act, and every hash is computed anew": {do: func(x *intruder) { x.hideAs(`{"act":"purge","until":1}`) }},
	"The same, as an act that there is not":                         {do: func(x *intruder) { x.hideAs(`{}`) }},
	"A record is hidden from exports by an act that is empty": {do: func(x *intruder) {
		x.execute(`UPDATE consent_record SET act = '' WHERE reference = $1 AND n = 2`, x.key(bob[:]))
	}},
	"A visitor's records are hidden from their history by another type of value": {do: func(x *intruder) {
		if !x.lite {
			x.execute(`ALTER TABLE consent_record ALTER reference TYPE text USING upper(reference::text)`)
			return
		}
		x.execute(`UPDATE consent_record SET reference = lower(hex(reference)) WHERE reference = $1`, x.key(bob[:]))
	}},
	"An earlier process is deleted, and what names it is hidden by another type of value": {do: func(x *intruder) {
		of := x.find(x.rows(), carol, 1).writer
		if x.lite {
			x.execute(`UPDATE consent_record SET act = CAST(act AS blob) WHERE act LIKE '%"open"%'`)
		} else {
			x.execute(`ALTER TABLE consent_record ALTER act TYPE char(9000)`) // which LIKE compares with its spaces
		}
		x.execute(`DELETE FROM consent_record WHERE writer = $1`, x.key(of))
		x.execute(`DELETE FROM consent_writer WHERE id = $1`, x.key(of))
	}},
	"A table is replaced by a view": {do: func(x *intruder) {
		x.execute(`ALTER TABLE consent_record RENAME TO all_record`)
		x.execute(`CREATE VIEW CONSENT_RECORD AS SELECT * FROM all_record`) // SQLite keeps the letters
	}},
	"A table is replaced by one that a module makes up": {do: func(x *intruder) {
		if !x.lite {
			x.execute(`ALTER TABLE consent_notice RENAME TO all_notice`)
			x.execute(`CREATE MATERIALIZED VIEW consent_notice AS SELECT * FROM all_notice`)
			return
		}
		x.execute(`ALTER TABLE consent_notice RENAME TO all_notice`)
		x.execute(`CREATE VIRTUAL TABLE consent_notice USING fts5 (fingerprint, content)`)
		x.execute(`INSERT INTO consent_notice SELECT * FROM all_notice`)
	}},
	"A trigger or a rule takes away what is recorded next": {do: func(x *intruder) {
		if x.lite {
			x.execute(`CREATE TRIGGER eat AFTER INSERT ON CONSENT_RECORD BEGIN DELETE FROM consent_record WHERE id = NEW.id; END`)
			return
		}
		x.execute(`CREATE RULE eat AS ON INSERT TO consent_record DO INSTEAD NOTHING`)
	}},
	"A withdrawal is taken out of the index by which a history is read": {do: func(x *intruder) {
		if !x.lite { // while the index does not grow
			ready := `UPDATE pg_index SET indisready = $1 WHERE indexrelid = 'consent_record_reference_n_key'::regclass`
			x.execute(`CREATE TABLE kept AS SELECT * FROM consent_record WHERE reference = $1 AND n = 2`, x.key(bob[:]))
			x.execute(`DELETE FROM consent_record WHERE reference = $1 AND n = 2`, x.key(bob[:]))
			x.execute(ready, false)
			x.execute(`INSERT INTO consent_record SELECT * FROM kept`)
			x.execute(ready, true)
			return
		}
		db := open(x.t, x.url)
		db.SetMaxOpenConns(1) // whose schema can be written to
		for _, statement := range []string{
			`CREATE TABLE twin (id PRIMARY KEY, reference, n, UNIQUE (reference, n))`,
			`INSERT INTO twin (rowid, id, reference, n) SELECT rowid, id, reference, n FROM consent_record`,
			`DELETE FROM twin WHERE n = 2 AND reference = x'` + hex.EncodeToString(bob[:]) + `'`,
			`PRAGMA writable_schema = ON`,
			`UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_twin_2') WHERE name = 'sqlite_autoindex_consent_record_2'`,
			`DELETE FROM sqlite_master WHERE tbl_name = 'twin'`,
			`PRAGMA writable_schema = RESET`,
		} {
			_, err := db.Exec(statement)
			require.NoError(x.t, err)
		}
		require.NoError(x.t, db.Close())
	}},
	"The last record of a process that runs or was killed is changed, and its hash is computed anew": {do: func(x *intruder) {
		rows := x.rows()
		changed := x.last(rows)
		changed.answers = strings.ReplaceAll(changed.answers, "true", "false")
		x.computeOf(rows, func(r *forged) bool { return r == changed })
	}},
	"The same in the newest process": {do: func(x *intruder) {
		rows := x.rows()
		newest := x.newest()
		i := slices.IndexFunc(rows, func(r *forged) bool { return bytes.Equal(r.writer, newest) && r.place == 2 })
		rows[i].answers = strings.ReplaceAll(rows[i].answers, "true", "false")
		x.computeOf(rows, func(r *forged) bool { return bytes.Equal(r.writer, newest) })
	}},
	"A record is changed, and its own hash is computed anew": {do: func(x *intruder) {
		rows := x.rows()
		changed := x.find(rows, carol, 1)
		changed.answers = strings.ReplaceAll(changed.answers, "false", "true")
		x.computeOf(rows, func(r *forged) bool { return r == changed })
	}},
	"A record of an earlier process is changed, and every hash of that process is computed anew": {do: func(x *intruder) {
		rows := x.rows()
		changed := x.find(rows, alice, 2)
		changed.answers = strings.ReplaceAll(changed.answers, "false", "true")
		x.computeOf(rows, func(r *forged) bool { return bytes.Equal(r.writer, changed.writer) })
	}},
	"A record is changed, and every hash up to a purge is computed anew": {do: func(x *intruder) {
		rows := x.rows()
		changed := x.find(rows, carol, 1)
		changed.answers = strings.ReplaceAll(changed.answers, "false", "true")
		x.computeOf(rows, func(r *forged) bool { return bytes.Equal(r.writer, changed.writer) && r.place < 4 })
	}},
	"A visitor's first record is made an erased one, and a record of the forgetting is forged": {do: func(x *intruder) {
		rows := x.rows()
		x.compute(append(rows, x.act(rows, "forget", []*forged{x.find(rows, bob, 1)})))
	}},
	"A process is made up, with records whose hashes are computed": {do: func(x *intruder) {
		rows := x.rows()
		made := *x.find(rows, alice, 1)
		made.id, made.writer, made.place, made.n, made.reference = x.random(), x.newWriter(), 1, 1, bytes.Repeat([]byte{7}, 16)
		made.previous, made.before, made.seal = nil, nil, nil
		x.compute(append(rows, &made))
	}},
	"The last records before a failure of the database are deleted": {do: func(x *intruder) {
		rows := x.rows()
		of := x.find(rows, bob, 1).writer
		x.execute(`DELETE FROM consent_record WHERE writer = $1 AND place >= $2`, x.key(of), x.find(rows, bob, 1).place)
		x.execute(`UPDATE consent_writer SET written = NULL, head = NULL WHERE id = $1`, x.key(of))
	}},
	"The newest records are deleted, the process having ended": {ended: true, do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE writer = $1 AND place > 2`, x.key(x.newest()))
	}},
	"The same, and `written` is lowered": {ended: true, do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE writer = $1 AND place > 2`, x.key(x.newest()))
		x.execute(`UPDATE consent_writer SET written = 2, head = (SELECT hash FROM consent_record WHERE writer = $1 AND place = 2) WHERE id = $1`, x.key(x.newest()))
	}},
	"The same, and the process is made one that was killed": {ended: true, do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE writer = $1 AND place > 2`, x.key(x.newest()))
		x.execute(`UPDATE consent_writer SET written = NULL, head = NULL WHERE id = $1`, x.key(x.newest()))
	}},
	"The same, and its row is put back from a copy of when it ran": {ended: true, do: func(x *intruder) {
		newest := x.key(x.newest())
		x.execute(`DELETE FROM consent_record WHERE writer = $1 AND place > 2`, newest)
		x.execute(`DELETE FROM consent_writer WHERE id = $1`, newest)
		x.execute(`INSERT INTO consent_writer SELECT * FROM running_writer WHERE id = $1`, newest)
	}},
	"The newest records of a process that runs or was killed are deleted": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE writer = $1 AND place > 2`, x.key(x.newest()))
	}},
	"The newest process is deleted, with all its records": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE writer = $1`, x.key(x.newest()))
		x.execute(`DELETE FROM consent_writer WHERE id = $1`, x.key(x.newest()))
	}},
	"An earlier process is deleted, with all its records": {do: func(x *intruder) {
		of := x.find(x.rows(), carol, 1).writer
		x.execute(`DELETE FROM consent_record WHERE writer = $1`, x.key(of))
		x.execute(`DELETE FROM consent_writer WHERE id = $1`, x.key(of))
	}},
	"The row of a process is changed": {do: func(x *intruder) {
		x.execute(`UPDATE consent_writer SET opened = opened - 1 WHERE id = $1`, x.key(x.newest()))
	}},
	"A withdrawal is made an erased record": {do: func(x *intruder) {
		rows := x.rows()
		x.find(rows, bob, 2).erase(time.Now())
		x.store(rows)
	}},
	"The same, and a record of the forgetting is forged": {do: func(x *intruder) {
		rows := x.rows()
		erased := x.find(rows, bob, 2)
		x.compute(append(rows, x.act(rows, "forget", []*forged{erased})))
	}},
	"All records of a visitor are erased, and a record of the forgetting is forged": {do: func(x *intruder) {
		rows := x.rows()
		x.compute(append(rows, x.act(rows, "forget", []*forged{x.find(rows, bob, 1), x.find(rows, bob, 2)})))
	}},
	"An erased record is changed": {do: func(x *intruder) {
		x.execute(`UPDATE consent_record SET forgotten = forgotten - 1 WHERE forgotten IS NOT NULL`)
	}},
	"An erased record is filled": {do: func(x *intruder) {
		x.execute(`UPDATE consent_record SET language = 'fr' WHERE forgotten IS NOT NULL`)
	}},
	"An erased record is put back from a copy": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE forgotten IS NOT NULL`)
		x.execute(`INSERT INTO consent_record SELECT * FROM saved_record WHERE reference = $1`, x.key(dora[:]))
	}},
	"The record of a forgetting is deleted": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_record WHERE act LIKE '%"forget"%'`)
	}},
	"Records are deleted, and a record of a purge is forged": {do: func(x *intruder) {
		rows := x.rows()
		x.compute(append(rows, x.act(rows, "purge", []*forged{x.find(rows, bob, 2)})))
	}},
	"The record of a purge is changed": {do: func(x *intruder) {
		x.execute(`UPDATE consent_record SET act = replace(act, '"until":', '"until":9') WHERE act LIKE '%"purge"%'`)
	}},
	"A purged record is put back from a copy": {do: func(x *intruder) {
		x.execute(`INSERT INTO consent_record SELECT * FROM saved_record WHERE reference = $1`, x.key(eve[:]))
	}},
	"A notice is changed": {do: func(x *intruder) {
		x.execute(`UPDATE consent_notice SET content = '{}'`)
	}},
	"The same, with its fingerprint and the records that name it": {do: func(x *intruder) {
		sum := sha256.Sum256([]byte("{}"))
		x.execute(`UPDATE consent_notice SET content = '{}', fingerprint = $1`, sum[:])
		x.execute(`UPDATE consent_record SET notice = $1 WHERE notice IS NOT NULL`, sum[:])
	}},
	"A notice is deleted": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_notice`)
	}},
	"A record is changed, and every hash is computed anew": {do: func(x *intruder) {
		rows := x.rows()
		changed := x.find(rows, alice, 2)
		changed.answers = strings.ReplaceAll(changed.answers, "false", "true")
		x.compute(rows)
	}},
	"A record is taken out, the others move up, and every hash is computed anew": {do: func(x *intruder) {
		rows := x.rows()
		out := x.find(rows, alice, 2)
		rows = slices.DeleteFunc(rows, func(r *forged) bool { return r == out })
		for _, r := range rows {
			if bytes.Equal(r.writer, out.writer) && r.place > out.place {
				r.place--
			}
		}
		x.execute(`UPDATE consent_writer SET written = written - 1 WHERE id = $1`, x.key(out.writer))
		x.compute(rows)
	}},
	"Every seal is removed": {do: (*intruder).unseal},
	"Every seal is removed, and the site starts again": {ended: true, do: func(x *intruder) {
		x.unseal()
		x.startAgain()
	}},
	"The same, a record is changed, and every hash is computed anew as if there had been no key": {ended: true, do: func(x *intruder) {
		rows := x.rows()
		changed := x.find(rows, alice, 2)
		changed.answers = strings.ReplaceAll(changed.answers, "false", "true")
		for _, r := range rows {
			r.seal, r.act.String = nil, strings.ReplaceAll(r.act.String, `,"vouches":true`, "")
		}
		x.compute(rows)
		x.execute(`UPDATE consent_writer SET seal = NULL`)
		x.startAgain()
	}},
	"A user is linked to another visitor": {do: func(x *intruder) {
		x.execute(`UPDATE consent_link SET reference = $1`, x.key(bob[:]))
	}},
	"Another visitor is said to have a copy of a user's decision": {do: func(x *intruder) {
		x.execute(`INSERT INTO consent_link (user_hash, reference, decided) SELECT user_hash, $1, -decided FROM consent_link`, x.key(bob[:]))
	}},
	"A user's link is deleted": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_link`)
	}},
	"A user's link is put back from a copy of before their last decision": {do: func(x *intruder) {
		x.execute(`DELETE FROM consent_link`)
		x.execute(`INSERT INTO consent_link SELECT * FROM saved_link`)
	}},
	"A user is linked to another decision of the same visitor": {do: func(x *intruder) {
		x.execute(`UPDATE consent_link SET decided = (SELECT decided FROM saved_link)`)
	}},
	"A process of another ledger with the same key is added": {do: func(x *intruder) {
		l := beginWith(x.t, x.other, x.config)
		keep(x.t, l, yes(visitor()))
		finish(x.t, l)
		from := &intruder{t: x.t, db: open(x.t, x.other), lite: x.lite}
		rows := append(x.rows(), from.rows()...)
		var opened, written int64
		var head, seal []byte
		require.NoError(x.t, from.db.QueryRow(`SELECT opened, written, head, seal FROM consent_writer`).Scan(&opened, &written, &head, &seal))
		x.execute(`INSERT INTO consent_writer (id, opened, written, head, seal) VALUES ($1, $2, $3, $4, $5)`, x.key(from.newest()), opened, written, head, orNull(seal))
		x.store(rows)
	}},
	"An earlier state of the whole database is put back": {do: func(x *intruder) {
		for _, table := range []string{"record", "writer", "link"} {
			x.execute(`DELETE FROM consent_` + table)
			x.execute(`INSERT INTO consent_` + table + ` SELECT * FROM saved_` + table)
		}
	}},
	"Everything is deleted": {do: func(x *intruder) {
		for _, table := range []string{"record", "writer", "link", "notice"} {
			x.execute(`DELETE FROM consent_` + table)
		}
	}},
}

// claims reads the README's table: what it says of each attack.
func claims(t *testing.T) map[string][]string {
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(content), "| what somebody does with SQL | without a key | with keys | with an anchor |\n|---|---|---|---|\n")
	require.True(t, found, "the table is not there")
	says := make(map[string][]string)
	for _, line := range strings.Split(rest, "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 4 {
			break
		}
		says[cells[0]] = cells[1:]
	}
	return says
}

func TestNothingIsTamperedWithUnseenButWhatTheTableSays(t *testing.T) {
	says := claims(t)
	for name := range says {
		assert.Contains(t, attacks, name, "a row of the table that nothing tries")
	}
	for name, attack := range attacks {
		if !assert.Contains(t, says, name, "an attack that the table does not tell") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			databases(t, func(t *testing.T, url string) {
				x := attacked(t, url, ledger.Config{}, attack.ended)
				attack.do(x)
				assert.Equal(t, says[name][0], x.shows(), "without a key")
				assert.Equal(t, says[name][2], x.shows(x.anchor), "with an anchor")
				other := lite(t)
				if !isSQLite(url) {
					other = postgres(t)
				}
				x = attacked(t, other, config, attack.ended)
				attack.do(x)
				assert.Equal(t, says[name][1], x.shows(), "with keys")
			})
		})
	}
}

// An intruder has the database, and no key.
type intruder struct {
	t      testing.TB
	db     *sql.DB
	lite   bool
	url    string
	other  string // an empty database
	config ledger.Config
	anchor ledger.Anchor // from before the attack
}

// shows verifies, and returns what the table says of it.
func (x *intruder) shows(anchors ...ledger.Anchor) string {
	l, err := ledger.OpenReadOnly(context.Background(), x.url, x.config)
	require.NoError(x.t, err)
	defer l.Close(context.Background())
	report, err := l.Verify(context.Background(), nil, anchors...)
	require.NoError(x.t, err)
	switch {
	case !report.OK():
		return "yes"
	case len(report.Triggers) > 0:
		return "told"
	case len(anchors) > 0 && report.ForgottenSince+report.PurgedSince > 0, report.Vouched > 0:
		return "counted"
	}
	return "no"
}

// hideAs makes an act of a record.
func (x *intruder) hideAs(act string) {
	rows := x.rows()
	hidden := x.find(rows, carol, 1)
	hidden.act, hidden.reference, hidden.n = sql.NullString{String: act, Valid: true}, nil, 0
	x.compute(rows)
}

// unseal removes every seal.
func (x *intruder) unseal() {
	for _, table := range []string{"record", "writer", "link"} {
		x.execute(`UPDATE consent_` + table + ` SET seal = NULL`)
	}
}

// startAgain has another process of the site write a record.
func (x *intruder) startAgain() {
	l := beginWith(x.t, x.url, x.config)
	keep(x.t, l, yes(visitor()))
	finish(x.t, l)
}

// attacked makes a ledger with all that is to be attacked: three processes, one of which
// met a failure of the database, a forgetting, a purge, and a copy of earlier tables.
func attacked(t testing.TB, url string, config ledger.Config, ended bool) *intruder {
	x := &intruder{t: t, url: url, lite: isSQLite(url), config: config, other: lite(t)}
	if !x.lite {
		x.other = postgres(t)
	}
	ctx := context.Background()
	// The first process. A record that the database does not take makes it begin anew.
	l := beginWith(t, url, config)
	x.db = open(t, url)
	keep(t, l, yes(bob))
	keep(t, l, no(bob))
	repair := x.breakFor("odd")
	odd := yes(visitor())
	odd.Evidence.Action = "odd"
	require.Error(t, l.Record(ctx, odd))
	repair()
	first := yes(alice)
	keep(t, l, first)
	keep(t, l, no(alice))
	time.Sleep(2 * time.Millisecond)
	linked := yes(alice)
	keep(t, l, linked)
	finish(t, l)
	time.Sleep(2 * time.Millisecond) // so that the IDs of processes are in order

	// The second process.
	l = beginWith(t, url, config)
	keep(t, l, yes(carol))
	keep(t, l, yes(dora))
	old := yes(eve)
	old.Time = time.UnixMilli(1)
	keep(t, l, old)
	users, err := l.Users(secret)
	require.NoError(t, err)
	require.NoError(t, users.Link(ctx, alice, first.Time, "42"))
	for _, table := range []string{"record", "writer", "link"} {
		x.execute("CREATE TABLE saved_" + table + " AS SELECT * FROM consent_" + table)
	}
	require.NoError(t, users.Link(ctx, alice, linked.Time, "42"))
	_, err = l.Forget(ctx, dora)
	require.NoError(t, err)
	_, err = l.Purge(ctx, time.UnixMilli(1000), nil)
	require.NoError(t, err)
	finish(t, l)
	time.Sleep(2 * time.Millisecond)

	// The newest process.
	l = beginWith(t, url, config)
	for range 3 {
		keep(t, l, yes(visitor()))
	}
	x.execute("CREATE TABLE running_writer AS SELECT * FROM consent_writer")
	if ended {
		finish(t, l)
	} else {
		killed, kill := context.WithCancel(ctx)
		kill()
		require.Error(t, l.Close(killed))
	}
	report := verifiedWith(t, x)
	x.anchor = report.Anchor
	return x
}

// verifiedWith checks that nothing is wrong before the attack, and that the anchor can
// be read back.
func verifiedWith(t testing.TB, x *intruder) ledger.Report {
	l, err := ledger.OpenReadOnly(context.Background(), x.url, x.config)
	require.NoError(t, err)
	defer l.Close(context.Background())
	report := verified(t, l)
	read, err := ledger.ParseAnchor(report.Anchor.String())
	require.NoError(t, err)
	require.Equal(t, report.Anchor, read)
	return report
}

// breakFor has the database refuse the records of an action, until it is repaired.
func (x *intruder) breakFor(action string) (repair func()) {
	if x.lite {
		x.execute("CREATE TRIGGER picky BEFORE INSERT ON consent_record WHEN NEW.action = '" + action + "' BEGIN SELECT RAISE(ABORT, 'no'); END")
		return func() { x.execute("DROP TRIGGER picky") }
	}
	x.execute("ALTER TABLE consent_record ADD CONSTRAINT picky CHECK (action <> '" + action + "')")
	return func() { x.execute("ALTER TABLE consent_record DROP CONSTRAINT picky") }
}

func (x *intruder) execute(statement string, args ...any) {
	x.t.Helper()
	_, err := x.db.Exec(statement, args...)
	require.NoError(x.t, err)
}

// key is a parameter of the type that the database has for keys.
func (x *intruder) key(k []byte) any {
	if len(k) == 0 {
		return nil
	}
	if x.lite {
		return k
	}
	return hex.EncodeToString(k)
}

func (x *intruder) random() []byte {
	k := make([]byte, 16)
	rand.Read(k)
	return k
}

// newest returns the writer that began last.
func (x *intruder) newest() (writer []byte) {
	var raw any
	require.NoError(x.t, x.db.QueryRow(`SELECT id FROM consent_writer ORDER BY id DESC LIMIT 1`).Scan(&raw))
	return key16(x.t, raw)
}

// newWriter makes up a writer.
func (x *intruder) newWriter() []byte {
	id := x.random()
	id[0] = 0xff // after all others
	x.execute(`INSERT INTO consent_writer (id, opened) VALUES ($1, 1)`, x.key(id))
	return id
}

// key16 reads a key as either driver returns it.
func key16(t testing.TB, raw any) []byte {
	switch v := raw.(type) {
	case []byte:
		if len(v) == 16 {
			return slices.Clone(v)
		}
		raw = string(v)
	case nil:
		return nil
	}
	k, err := hex.DecodeString(strings.ReplaceAll(raw.(string), "-", ""))
	require.NoError(t, err)
	return k
}

// forged is a row as the README describes it, with no help from the package.
type forged struct {
	id, writer, previous, reference                  []byte
	place, n, decided, revision                      int64
	forgotten                                        sql.NullInt64
	before, hash, seal, digest, previousHash, notice []byte
	answers, regime, action, language                string
	objection, gpc, remainder                        bool
	act                                              sql.NullString
}

const forgedColumns = `id, writer, place, before_hash, hash, seal, forgotten, digest, n, previous, previous_hash, reference, decided, revision, answers, objection, gpc, regime, action, language, notice, remainder, act`

// rows returns all rows, by writer and place.
func (x *intruder) rows() (all []*forged) {
	rows, err := x.db.Query(`SELECT ` + forgedColumns + ` FROM consent_record ORDER BY writer, place`)
	require.NoError(x.t, err)
	defer rows.Close()
	for rows.Next() {
		r := new(forged)
		var id, writer, previous, reference any
		require.NoError(x.t, rows.Scan(&id, &writer, &r.place, &r.before, &r.hash, &r.seal, &r.forgotten, &r.digest, &r.n, &previous, &r.previousHash, &reference,
			&r.decided, &r.revision, &r.answers, &r.objection, &r.gpc, &r.regime, &r.action, &r.language, &r.notice, &r.remainder, &r.act))
		r.id, r.writer, r.previous, r.reference = key16(x.t, id), key16(x.t, writer), key16(x.t, previous), key16(x.t, reference)
		all = append(all, r)
	}
	require.NoError(x.t, rows.Err())
	return all
}

func (x *intruder) find(rows []*forged, of consent.Reference, n int64) *forged {
	i := slices.IndexFunc(rows, func(r *forged) bool { return bytes.Equal(r.reference, of[:]) && r.n == n })
	require.GreaterOrEqual(x.t, i, 0)
	return rows[i]
}

// last returns the last row of the newest writer.
func (x *intruder) last(rows []*forged) *forged { return rows[len(rows)-1] }

// follow makes a row behind the last one, of a new visitor, like another.
func (x *intruder) follow(rows []*forged, like *forged) *forged {
	made := *like
	made.id, made.writer, made.place, made.n, made.reference = x.random(), x.last(rows).writer, x.last(rows).place+1, 1, bytes.Repeat([]byte{7}, 16)
	made.previous, made.previousHash, made.seal = nil, nil, nil
	return &made
}

// act makes an act behind the last row, which has taken some rows.
func (x *intruder) act(rows []*forged, kind string, taken []*forged) *forged {
	at := time.Now()
	var places []string
	for _, r := range taken {
		places = append(places, fmt.Sprintf(`{"writer":"%x","from":%d,"to":%d,"before":"%x","hash":"%x"}`, r.writer, r.place, r.place, r.before, r.hash))
		if kind == "forget" {
			r.erase(at)
		} else {
			r.place = 0 // see compute
		}
	}
	made := x.follow(rows, x.last(rows))
	*made = forged{id: made.id, writer: made.writer, place: made.place, decided: at.UnixMilli()}
	until := ""
	if kind == "purge" {
		until = fmt.Sprintf(`"until":%d,`, at.UnixMilli())
	}
	made.act = sql.NullString{String: `{"act":"` + kind + `",` + until + `"places":[` + strings.Join(places, ",") + `]}`, Valid: true}
	return made
}

// erase leaves of a row what a forgetting leaves.
func (r *forged) erase(at time.Time) {
	*r = forged{
		id: r.id, writer: r.writer, place: r.place, before: r.before, hash: r.hash, seal: r.seal, n: r.n, previous: r.previous, previousHash: r.previousHash,
		digest: r.content(), forgotten: sql.NullInt64{Int64: at.UnixMilli(), Valid: true},
	}
}

// hashed writes fields as the README says.
func hashed(fields ...any) []byte {
	var b bytes.Buffer
	for _, f := range fields {
		text := fmt.Sprint(f)
		if k, is := f.([]byte); is {
			text = string(k)
		}
		fmt.Fprintf(&b, "%d:%s", len(text), text)
	}
	sum := sha256.Sum256(b.Bytes())
	return sum[:]
}

func (r *forged) content() []byte {
	return hashed(r.reference, r.decided, r.revision, r.answers, r.objection, r.gpc, r.regime, r.action, r.language, r.notice, r.remainder, r.act.String)
}

func (r *forged) sum() []byte {
	digest := r.digest
	if !r.forgotten.Valid {
		digest = r.content()
	}
	return hashed(r.id, r.writer, r.place, r.before, r.n, r.previous, r.previousHash, digest)
}

var claimPattern = regexp.MustCompile(`\{"writer":"([0-9a-f-]+)","place":([0-9]+),"hash":"[0-9a-f]+"\}`)

var edgePattern = regexp.MustCompile(`"writer":"([0-9a-f-]+)","from":([0-9]+),"to":([0-9]+),"before":"[0-9a-f]*"`)

// compute gives all rows the hashes that they would have, and stores them. Those at place
// 0 are left out once others have been counted with them.
func (x *intruder) compute(rows []*forged) {
	x.computeOf(rows, func(*forged) bool { return true })
}

// computeOf does so with some rows.
func (x *intruder) computeOf(rows []*forged, which func(*forged) bool) {
	slices.SortStableFunc(rows, func(a, b *forged) int { return bytes.Compare(a.writer, b.writer) })
	rows = slices.DeleteFunc(rows, func(r *forged) bool { return r.place == 0 })
	at := make(map[string]*forged) // by writer and place
	visitors := make(map[string]*forged)
	ids := make(map[string]*forged)
	for _, r := range rows {
		if !which(r) {
			at[fmt.Sprintf("%x %d", r.writer, r.place)], ids[string(r.id)], visitors[string(r.reference)] = r, r, r
			continue
		}
		if before := at[fmt.Sprintf("%x %d", r.writer, r.place-1)]; before != nil {
			r.before = before.hash
		} else if r.place == 1 {
			r.before = nil
		}
		if last := visitors[string(r.reference)]; last != nil && r.reference != nil {
			r.n, r.previous, r.previousHash = last.n+1, last.id, last.hash
		} else if before := ids[string(r.previous)]; before != nil {
			r.previousHash = before.hash
		}
		r.act.String = claimPattern.ReplaceAllStringFunc(r.act.String, func(claim string) string {
			of := claimPattern.FindStringSubmatch(claim)
			place, err := strconv.ParseInt(of[2], 10, 64)
			require.NoError(x.t, err)
			for ; place > 0; place-- { // one may have been taken out
				if named := at[strings.ReplaceAll(of[1], "-", "")+" "+strconv.FormatInt(place, 10)]; named != nil {
					return fmt.Sprintf(`{"writer":"%s","place":%d,"hash":"%x"}`, of[1], place, named.hash)
				}
			}
			return claim
		})
		r.act.String = edgePattern.ReplaceAllStringFunc(r.act.String, func(taken string) string {
			of := edgePattern.FindStringSubmatch(taken)
			from, err := strconv.ParseInt(of[2], 10, 64)
			require.NoError(x.t, err)
			if before := at[fmt.Sprint(strings.ReplaceAll(of[1], "-", ""), " ", from-1)]; before != nil {
				return fmt.Sprintf(`"writer":"%s","from":%s,"to":%s,"before":"%x"`, of[1], of[2], of[3], before.hash)
			}
			return taken
		})
		r.hash = r.sum()
		at[fmt.Sprintf("%x %d", r.writer, r.place)], ids[string(r.id)] = r, r
		visitors[string(r.reference)] = r
	}
	for i, r := range rows {
		if i+1 == len(rows) || !bytes.Equal(rows[i+1].writer, r.writer) {
			x.execute(`UPDATE consent_writer SET head = $1 WHERE id = $2 AND written IS NOT NULL`, r.hash, x.key(r.writer))
		}
	}
	x.store(rows)
}

// store writes the rows in place of those that are there.
func (x *intruder) store(rows []*forged) {
	x.execute(`DELETE FROM consent_record`)
	var places []string
	for i := range strings.Count(forgedColumns, ",") + 1 {
		places = append(places, fmt.Sprint("$", i+1))
	}
	for _, r := range rows {
		x.execute(`INSERT INTO consent_record (`+forgedColumns+`) VALUES (`+strings.Join(places, ",")+`)`,
			x.key(r.id), x.key(r.writer), r.place, orNull(r.before), r.hash, orNull(r.seal), r.forgotten, orNull(r.digest), r.n, x.key(r.previous), orNull(r.previousHash), x.key(r.reference),
			r.decided, r.revision, r.answers, r.objection, r.gpc, r.regime, r.action, r.language, orNull(r.notice), r.remainder, r.act)
	}
}

func orNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
