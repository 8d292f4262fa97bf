package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxSpooling = 500 * time.Millisecond // how long a refusal waits for the disk
	spoolPause  = 5 * time.Second        // after the disk has failed
	spoolIdle   = time.Second            // after which a file of which nothing waits is emptied
	tidySpool   = 4 << 20                // from this size on, a file of which little waits is begun anew
)

// A spool keeps the refusals that wait on the disk of this machine, and the links of users
// that do, so that a process that is killed leaves them for the next one. What comes together
// shares a write.
type spool struct {
	place   spoolPlace
	queue   *queue
	wake    chan struct{} // of room one: a refusal is to be kept
	stop    chan struct{}
	stopped chan struct{} // closed when run has returned
	stalled atomic.Bool   // a refusal has waited for the disk in vain

	disk   sync.Mutex   // held while files are written
	file   *spoolFile   // nil if there is none that can be written to
	old    []*spoolFile // what they hold waits still, or is in file too
	paused time.Time    // until when nothing is tried after a failure
}

// A spoolPlace is where the files of a ledger lie.
type spoolPlace struct {
	folder string
	prefix string // of their names
	shared bool   // by ledgers: the ID of the ledger comes next in the name
	ledger key    // the ID of a writer that the ledger has, or its address
	sealer sealer

	addresses []key // by which the ledger was known, or is, before its ID
}

// errSpoolFull says that a file has no room for a refusal.
var errSpoolFull = fmt.Errorf("its file would have more than %d MB", maxSpoolFile>>20)

// errNotKnown says that nobody knows yet of which ledger a file is.
var errNotKnown = errors.New("the database is not there yet")

// placeOf returns where the spool of a ledger is to be; nil if there is to be none. Its
// files bear the ID of the ledger. Before the database is there, they bear the ledger's
// address in its place, by which the next process knows them too.
func placeOf(config Config, db *database, s sealer) (*spoolPlace, error) {
	if config.NoSpool {
		return nil, nil
	}
	place := &spoolPlace{sealer: s}
	var err error
	switch {
	case config.Spool != "":
		place.folder, err = filepath.Abs(config.Spool)
	case db.file != "":
		place.folder, err = filepath.Abs(filepath.Dir(db.file))
		place.prefix = filepath.Base(db.file) + "-refusals-"
	case db.embedded:
		return nil, nil // in memory: the ledger is gone first
	default:
		place.folder, err = os.UserCacheDir()
		place.folder = filepath.Join(place.folder, "consent-ledger")
	}
	if err != nil {
		return nil, lasting{fmt.Errorf("Config.Spool is empty, and there is no folder to take in its place: %w", err)}
	}
	if place.prefix == "" {
		place.prefix, place.shared = "consent-refusals-", true
	}
	place.addresses = addresses(db, place.shared, s)
	place.ledger = place.addresses[0]
	return place, nil
}

// addresses returns by what a ledger is known before its ID is, the first for its own files.
func addresses(db *database, shared bool, s sealer) (list []key) {
	add := func(f fields) {
		var address key
		copy(address[:], f.sum())
		list = append(list, address)
	}
	kind := fields(nil).text("spool")
	switch {
	case !shared: // the name of the file says it
		add(kind.text("file"))
	case db.file != "":
		add(kind.text("path").text(db.file))
	case db.address != "":
		add(kind.text("server").text(db.address))
	case s.can(): // a pool of the site tells no address; each ledger has keys of its own
		for _, k := range s.keys {
			add(authenticate(k, kind))
		}
	default:
		program, _ := os.Executable()
		add(kind.text("program").text(program))
	}
	return list
}

// newName returns a name for a file of this process.
func (p *spoolPlace) newName() string {
	var run [runBytes]byte
	rand.Read(run[:]) // never fails
	name := p.prefix
	if p.shared {
		name += p.ledger.String() + "-"
	}
	return name + hex.EncodeToString(run[:])
}

// isOurs reports whether a name is that of a file of the ledger.
func (p *spoolPlace) isOurs(name string, knows func(key) (bool, error)) (bool, error) {
	run, found := strings.CutPrefix(name, p.prefix)
	if found && p.shared {
		cut := max(0, strings.LastIndexByte(run, '-'))
		var ledger key
		if ledger.UnmarshalText([]byte(run[:cut])) != nil {
			return false, nil
		}
		if known, err := p.knows(ledger, knows); err != nil || !known {
			return false, err
		}
		run = run[cut+1:]
	}
	return found && len(run) == hex.EncodedLen(runBytes), nil
}

// knows reports whether a file is the ledger's, by what its name or first line says.
func (p *spoolPlace) knows(ledger key, knows func(key) (bool, error)) (bool, error) {
	if slices.Contains(p.addresses, ledger) {
		return true, nil
	}
	return knows(ledger)
}

// identify returns the ID of the ledger's first writer, by which a spool knows the ledger
// again. If there is none yet, it is this one.
func (w *writer) identify(ctx context.Context, db *database) (first key, err error) {
	err = db.QueryRowContext(ctx, `SELECT id FROM consent_writer ORDER BY id LIMIT 1`).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		err = w.prepare(ctx, db)
		first = w.id
	}
	return first, err
}

// newSpool begins a spool without a file.
func newSpool(place spoolPlace, q *queue) *spool {
	s := &spool{place: place, queue: q, wake: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{})}
	q.setSpool(s)
	go s.run()
	return s
}

// begin takes over what others have left, into the queue, and begins a file. A disk that
// fails is told of, as later.
func (s *spool) begin(place spoolPlace, from left) {
	s.disk.Lock()
	defer s.disk.Unlock()
	s.place = place
	s.old = append(s.old, from.files...)
	s.queue.adopt(from.waiting)
	s.report(s.renew())
}

// What is left is what processes have left that have ended.
type left struct {
	files []*spoolFile
	waiting
}

// close leaves it to others.
func (l *left) close() {
	for _, f := range l.files {
		f.Close()
	}
}

// collect reads the files that no process has open. Only a file that it must not touch
// is an error. What nobody knows yet of which ledger it is, it leaves for later.
func (p *spoolPlace) collect(knows func(key) (bool, error)) (found left, err error) {
	listed, err := os.ReadDir(p.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		slog.Warn("ledger: cannot look for refusals that an earlier process has left", "folder", p.folder, "error", err)
	}
	seen := make(map[key]bool)
	for _, listed := range listed {
		var unanswered error
		f, kept, err := p.open(listed, func(writer key) (known bool, err error) {
			known, unanswered = knows(writer)
			return known, unanswered
		})
		if errors.Is(unanswered, errNotKnown) || err == nil && f == nil {
			continue
		}
		if err != nil {
			err = fmt.Errorf("cannot take over the refusals that wait: %w", err)
			if unanswered == nil { // and it is the file that is wrong
				err = lasting{err}
			}
			return found, err
		}
		found.files = append(found.files, f)
		for _, e := range kept.refusals {
			if !seen[e.row.id] {
				seen[e.row.id] = true
				found.refusals = append(found.refusals, e)
			}
		}
		found.links = append(found.links, kept.links...)
	}
	if found.count() > 0 {
		slog.Info("ledger: refusals are written that an earlier process has left", "refusals", len(found.refusals), "links of users", len(found.links))
	}
	return found, nil
}

// open reads a file of the ledger that no process has open; nil if it is none.
func (p *spoolPlace) open(listed fs.DirEntry, knows func(key) (bool, error)) (f *spoolFile, kept waiting, err error) {
	ours, err := p.isOurs(listed.Name(), knows)
	if err != nil || !ours || !listed.Type().IsRegular() {
		return nil, kept, err
	}
	f, err = openSpoolFile(filepath.Join(p.folder, listed.Name()), *p)
	if errors.Is(err, errLocked) || errors.Is(err, fs.ErrNotExist) {
		return nil, kept, nil // its process runs, or another one was first
	}
	if err != nil {
		return nil, kept, err
	}
	if kept, err = f.read(knows); err != nil {
		f.Close()
		return nil, waiting{}, err
	}
	return f, kept, nil
}

// run keeps what comes, until stop is closed.
func (s *spool) run() {
	defer close(s.stopped)
	for {
		var later <-chan time.Time
		if s.isUneasy() {
			later = time.After(spoolIdle)
		}
		select {
		case <-s.wake:
			s.keep()
		case <-later:
			s.tidy()
		case <-s.stop:
			return
		}
	}
}

// isUneasy reports that there is something to do even if no refusal comes.
func (s *spool) isUneasy() bool {
	s.disk.Lock()
	defer s.disk.Unlock()
	return !s.paused.IsZero() || s.file == nil || s.file.records > 0 || len(s.old) > 0
}

// keep writes what came since the last time.
func (s *spool) keep() {
	s.disk.Lock()
	defer s.disk.Unlock()
	fresh := s.queue.takeFresh()
	switch {
	case time.Now().Before(s.paused): // they wait in memory
	case s.file == nil || !s.paused.IsZero() || s.file.at > tidySpool && 4*s.queue.kept() < s.file.records || !s.file.isThere():
		s.report(s.renew())
	case fresh.count() > 0:
		err := s.file.append(fresh)
		if err == nil {
			s.queue.markSpooled(fresh)
		} else {
			s.old, s.file = append(s.old, s.file), nil
		}
		s.report(err)
	}
	s.queue.release(fresh)
	s.stalled.Store(false)
}

// tidy empties the file if nothing of it waits, and tries again what has failed.
func (s *spool) tidy() {
	s.disk.Lock()
	defer s.disk.Unlock()
	switch {
	case time.Now().Before(s.paused):
	case !s.paused.IsZero() || s.file == nil || len(s.old) > 0 && s.queue.kept() == 0 || !s.file.isThere():
		s.report(s.renew())
	case s.queue.kept() == 0 && s.file.records > 0:
		s.report(s.file.empty())
	}
}

// clean has the files hold nothing but what waits: what is forgotten or purged must not
// come back.
func (s *spool) clean() error {
	if s == nil {
		return nil
	}
	s.disk.Lock()
	defer s.disk.Unlock()
	switch {
	case len(s.old) == 0 && (s.file == nil || s.file.records == 0):
		return nil
	case len(s.old) == 0 && s.queue.kept() == 0:
		return s.file.empty()
	}
	err := s.renew()
	s.report(err)
	return err
}

// renew begins a file with all that waits, and deletes those before.
func (s *spool) renew() error {
	waiting := s.queue.waits()
	f, err := makeSpoolFile(s.place)
	if err != nil {
		return err
	}
	if err := f.append(waiting); err != nil {
		return errors.Join(err, f.remove())
	}
	s.queue.markSpooled(waiting)
	if s.file != nil {
		s.old = append(s.old, s.file)
	}
	s.file = f
	for len(s.old) > 0 {
		if err := s.old[0].remove(); err != nil {
			return err
		}
		s.old = s.old[1:]
	}
	return nil
}

// report tells once that the disk fails, and once that it does no more.
func (s *spool) report(err error) {
	switch was := s.queue.spoolFails(err); {
	case err != nil:
		s.paused = time.Now().Add(spoolPause)
		if was == nil {
			slog.Error("ledger: refusals that wait are in memory alone, and lost if the process is killed", "folder", s.place.folder, "error", err)
		}
	case was != nil:
		slog.Info("ledger: refusals that wait are kept on disk again", "folder", s.place.folder)
		fallthrough
	default:
		s.paused = time.Time{}
	}
}

// await waits until a refusal is on disk, or cannot be. A disk that does not answer is
// waited for once, and then no more until it does.
func (s *spool) await(kept <-chan struct{}) {
	if s.stalled.Load() {
		return
	}
	timer := time.NewTimer(maxSpooling)
	defer timer.Stop()
	select {
	case <-kept:
	case <-timer.C:
		if !s.stalled.Swap(true) {
			slog.Error("ledger: the disk does not answer, and refusals do not wait for it", "folder", s.place.folder)
		}
	}
}

// end ends the spool, after everything that waits is on disk if that can be, for the next
// process; and without its files if nothing waits. It does not wait for a disk that does
// not answer.
func (s *spool) end() {
	if s == nil {
		return
	}
	close(s.stop)
	waiting := s.queue.waits().count()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-s.stopped
		s.leave(waiting)
	}()
	select {
	case <-ended:
	case <-time.After(4 * maxSpooling):
		slog.Error("ledger: the disk does not answer", "folder", s.place.folder)
	}
}

func (s *spool) leave(waiting int) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if waiting > s.queue.kept() {
		s.report(s.renew())
	}
	if waiting == 0 {
		s.queue.spoolFails(nil) // nothing is in memory alone
	}
	files := s.old
	if s.file != nil {
		files = append(files, s.file)
	}
	for _, f := range files {
		end := f.remove
		if waiting > 0 {
			end = f.Close
		}
		if err := end(); err != nil { // what is in it is not written twice
			slog.Warn("ledger: a file of refusals stays, of which none waits", "error", err)
		}
	}
}

// rouse has the spool look at the queue.
func (s *spool) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
