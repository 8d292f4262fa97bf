// Package ledger keeps proof of consent in SQL.
//
// A controller must be able to show that a visitor consented: to what, when, and
// on what information (Regulation (EU) 2016/679, article 7(1)). The visitor's own
// cookie shows that to nobody but them; a record in the site's database does.
//
//	books, err := ledger.Open(ctx, "consent.db", ledger.Config{Keys: keys}) // or a postgres:// URL, or Use with the site's own *sql.DB
//	mw, err := consent.NewMiddleware(consent.Config{Recorder: books, …})
//	…
//	err = server.Shutdown(patience)
//	err = books.Close(patience) // writes what still waits
//
// From then on a consent counts once its record would survive a crash, and a
// refusal counts at once and is recorded as soon as the database can. A record
// holds a random reference that travels in the visitor's preferences cookie, what
// they answered, when, how they were asked, and the fingerprint of the notice that
// they were shown; each notice is kept once. A record holds no address, user agent
// or name, and has no room for one: what else a site knows belongs in a table of its
// own, under the same reference.
//
// [Ledger.History] says what one visitor decided and what they were shown,
// [Ledger.Export] and [Ledger.Stats] what all did, [Ledger.Forget] erases one
// visitor's records, [Ledger.Purge] old ones, and [Ledger.Verify] finds what was
// altered or removed in any other way: with [Config.Keys] by anybody who has the
// database alone, with an [Anchor] that was kept elsewhere by anybody. [Users] carries a decision to the other
// devices of a visitor who has signed in. The command in cmd/ledger does all of
// this from a terminal.
package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cookiecharter/consent"
)

var _ consent.Recorder = (*Ledger)(nil)

// A Config is how a ledger is kept. The zero value has no key, and a spool.
type Config struct {
	// Keys seal the records, so that who can write to the database, and no more, can
	// neither make one nor change one unseen. They are kept out of the database. The
	// first seals, all verify: to change it, put a new one in front, and keep the old
	// ones for as long as what they sealed. Each is secret, random and at least 32 bytes
	// long. Every process that writes has the same. A start with none of the keys of before
	// is an error. The first start with a key vouches for the records that are there; stop
	// every process without a key before it.
	//
	// Without keys, somebody who computes all hashes anew can write what they like.
	Keys [][]byte

	// Spool is the folder in which a refusal is kept until the database has it, so that a
	// process that is killed leaves it for the next one. It must be on a disk of this
	// machine that outlives the process: in a container, on a volume. It may be shared by
	// processes and by ledgers. It is made if there is none, for this user alone.
	//
	// Empty means the folder of SQLite's own file, and for a server "consent-ledger" in the
	// folder that [os.UserCacheDir] names. See the README for what the files hold.
	Spool string

	// NoSpool keeps the refusals that wait in memory alone: they are lost if the process is
	// killed, and then the last record of a visitor may allow what their cookie refuses.
	NoSpool bool

	// Wait is how long [Open] and [Use] wait for a database that does not answer, before
	// the site starts without it; and how long [OpenExisting] and [OpenReadOnly] wait before
	// they fail. Zero means 5 seconds; less is a mistake.
	Wait time.Duration

	// Retention is how long a record is kept, from its decision on. Zero keeps all for
	// ever. Otherwise the process deletes what is older as [Ledger.Purge] does, within
	// seconds of the start and then once a day, and logs how many records that was. It is
	// 210 days at least: consents have to be proven for as long as they stand, which is
	// 180 days unless [consent.Config.Lifetime] says otherwise. With a longer Lifetime,
	// Retention has to be longer than that. How much longer depends on until when somebody
	// may dispute a consent that has ended: ask whoever answers for the site's data.
	Retention time.Duration
}

// defaultWait is Config.Wait unless a site says otherwise.
const defaultWait = 5 * time.Second

// check returns every mistake of a configuration.
func (c *Config) check() (sealer, error) {
	sealer, err := newSealer(c.Keys)
	if c.NoSpool && c.Spool != "" {
		err = errors.Join(err, errors.New("ledger: Config.Spool names a folder, and Config.NoSpool says that there is to be none"))
	}
	if c.Wait < 0 {
		err = errors.Join(err, fmt.Errorf("ledger: Config.Wait is %v, and no time is less than none", c.Wait))
	}
	return sealer, errors.Join(err, checkRetention(c.Retention))
}

// A Ledger keeps records of consent in a database. Make it with [Open] or [Use].
// It is safe for concurrent use, by any number of processes on one database.
type Ledger struct {
	db       *database // of which nothing is known before ready is closed, if the site opened it
	sealer   sealer
	readOnly bool
	queue    queue
	meter    meter
	writer   writer
	spool    *spool // nil if there is none
	failing  complaint

	start  *start
	ready  chan struct{} // closed when the database was found, and found in order
	keeper keeper

	// writing is held while records are written, and by whoever must not meet
	// records that are half written.
	writing sync.Mutex
	running context.Context    // of what is being written: ends with the ledger, not with a request
	stop    context.CancelFunc // ends it
	stopped chan struct{}      // closed when run has returned
}

// Open opens the ledger at url, and makes or updates its tables:
//   - a path, or "sqlite:" and a path, is a file of the embedded SQLite, which is
//     made where there is none, for this user alone;
//   - "postgres://" or "postgresql://" is a server that speaks PostgreSQL's
//     protocol, with the parameters that pgx knows; and so is the same in the form
//     "host=db user=site dbname=site".
//
// The error names what was tried, without its password, and every mistake of the
// configuration. It is an error too if the database lets nobody in by that URL, if the
// tables are of a newer version of this package, if the database would call a record
// written before it is, and if what is there was sealed by keys and the configuration
// has none of them.
//
// A database that does not answer is no error: it is waited for, see [Config.Wait], and
// then the site starts without it. Until it is there, no consent can be recorded and
// none counts, while refusals count and wait as they do whenever a database fails. It is
// tried again every few seconds. If it turns out then to be one that is an error above,
// nothing is written until the site is mended and starts again; the log and
// [Ledger.Figures] say so. A site that would rather not start asks [Ledger.Ready].
func Open(ctx context.Context, url string, config Config) (*Ledger, error) {
	return open(ctx, url, config, toWrite)
}

// OpenExisting opens a ledger as [Open] does, but makes and updates no tables: if there
// is no ledger at url, or one of another version, that is an error, and nothing has been
// changed. It is for tools, to which an address that was mistyped is no empty ledger. A
// database that does not answer is an error.
func OpenExisting(ctx context.Context, url string, config Config) (*Ledger, error) {
	return open(ctx, url, config, toTend)
}

// OpenReadOnly opens a ledger to be read, and changes nothing, neither in the database
// nor in the folder of its file, which may be on a medium that cannot be written to. What
// would write fails. The keys verify, and there may be none. See [OpenExisting] for the
// errors. A file that nobody has open is read without locks; if a process has begun to
// write to it meanwhile, [Ledger.Close] says so. Of a file with a log that a process has
// left which was killed, a copy in the folder for temporary files may be read.
func OpenReadOnly(ctx context.Context, url string, config Config) (*Ledger, error) {
	return open(ctx, url, config, toRead)
}

func open(ctx context.Context, url string, config Config, purpose purpose) (*Ledger, error) {
	sealer, err := config.check()
	if err != nil {
		return nil, err
	}
	db, err := connect(url, purpose)
	if err != nil {
		return nil, err
	}
	return begin(ctx, &start{db: db, owned: true, sealer: sealer, config: config, purpose: purpose})
}

// Use opens the ledger in a database that the site has open already, SQLite or one
// that speaks PostgreSQL's protocol, by whatever driver. [Ledger.Close] leaves it
// open. Its pool should allow two connections or more: records wait while the only
// one reads an export. See [Open] for the errors, and for a database that does not answer.
func Use(ctx context.Context, db *sql.DB, config Config) (*Ledger, error) {
	sealer, err := config.check()
	if db == nil {
		err = errors.Join(err, errors.New("ledger: the database is nil"))
	}
	if err != nil {
		return nil, err
	}
	return begin(ctx, &start{site: db, sealer: sealer, config: config, purpose: toWrite})
}

// errReadOnly is the error of what would write to a ledger that was opened to be read.
var errReadOnly = errors.New("ledger: it was opened to be read")

// ErrClosed is what [Ledger.Record] answers after [Ledger.Close]. What reads or
// erases then fails as the database does, or goes on with one that was given to
// [Use].
var ErrClosed = errors.New("ledger: closed")

// Close writes what waits to be written, for as long as ctx allows, and ends the
// ledger. Give it a context of its own: with one that has ended, such as that of the
// signal that stops the server, nothing more is written. The error says how many
// refusals and links of users were not recorded, and why, and how many wait for the next start. A later call
// does nothing.
func (l *Ledger) Close(ctx context.Context) error {
	if !l.queue.close() {
		<-l.stopped
		return nil
	}
	l.keeper.end()
	before := l.queue.figures().Dropped
	select {
	case <-l.stopped:
	case <-ctx.Done():
		l.stop()
		<-l.stopped
	}
	l.endLinks(ctx)
	l.stop()
	l.writing.Lock() // somebody may be erasing
	defer l.writing.Unlock()
	l.spool.end()
	var err error
	spooled, lost := l.queue.abandon(ErrClosed)
	if spooled+lost == 0 && l.isReady() {
		err = l.writer.finish(ctx, l.db)
	}
	if spooled > 0 {
		err = errors.Join(fmt.Errorf("ledger: %d refusals wait in %s, to be recorded at the next start: %w", spooled, l.spool.place.folder, cmp.Or(errors.Join(ctx.Err(), l.queue.figures().Failing), ErrClosed)), err)
	}
	if now := l.queue.figures(); now.Dropped > before {
		err = errors.Join(fmt.Errorf("ledger: %d refusals were not recorded: %w", now.Dropped-before, cmp.Or(errors.Join(ctx.Err(), now.Failing), ErrClosed)), err)
	}
	l.failing.end()
	l.queue.dropping.end()
	return errors.Join(err, l.leftLinks(), l.writer.close(), l.start.close(ctx))
}

// Figures say how a ledger fares: see [Ledger.Figures].
type Figures struct {
	Waiting int    // records that wait to be written
	Dropped uint64 // refusals that were not recorded, since Open: the queue was full, the ledger closed, or the database refused that one record for good
	Failing error  // why the last attempt to write failed; nil if it did not

	Spooled      int   // of those that wait, the refusals that are on disk: see Config.Spool
	SpoolFailing error // why refusals that wait are in memory alone; nil if they are not

	Written     uint64    // records that were written since Open: consents, and refusals
	Failed      uint64    // consents that were not, since Open: Record has returned an error
	LastWritten time.Time // when a record was written last; the zero time if none was since Open
	Latency     Latency   // of the consents that were written, from the call of Record to its return
}

// Figures returns how the ledger fares now, for a site to watch: a database that
// cannot be written to shows in Failing, and in a growing Waiting.
func (l *Ledger) Figures() Figures {
	f := l.queue.figures()
	l.meter.into(&f)
	return f
}

// milliseconds is the time as the tables hold it.
func milliseconds(t time.Time) int64 { return t.UnixMilli() }
