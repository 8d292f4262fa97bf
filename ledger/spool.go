package ledger

import (
	"errors"
	"fmt"
	"log/slog"
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

// errSpoolFull says that a file has no room for a refusal.
var errSpoolFull = fmt.Errorf("its file would have more than %d MB", maxSpoolFile>>20)

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
	s.queue.leaveOut(from.purged)
	s.report(s.renew())
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
