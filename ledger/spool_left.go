package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// errNotKnown says that nobody knows yet of which ledger a file is.
var errNotKnown = errors.New("the database is not there yet")

// What is left is what processes have left that have ended.
type left struct {
	files []*spoolFile
	waiting
	purged int64 // what is older was purged since, see purgedBefore
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

// purgedBefore returns before which time all decisions were purged, and had been taken when
// they were. A file that somebody has put back from a copy may hold one of them. A purge that
// was made up without the key counts for nothing here either.
func purgedBefore(ctx context.Context, db querier, s sealer) (at int64, err error) {
	acts, err := readActs(ctx, db, actOpen, actPurge)
	c := &checker{sealer: s}
	c.learnVouches(acts)
	for i := range acts {
		r := &acts[i]
		if a, err := r.readAct(); err == nil && a.Kind == actPurge && len(c.faults(r)) == 0 {
			at = max(at, min(a.Until, r.decided))
		}
	}
	return at, err
}

// leaveOut takes what was purged out of what earlier processes have left. Nothing of it was
// tried to be written yet in this one.
func (q *queue) leaveOut(purged int64) {
	q.mu.Lock()
	before := len(q.entries)
	q.remove(func(e *entry) bool { return e.done == nil && e.tried && e.row.id.time() < purged })
	out := before - len(q.entries)
	q.mu.Unlock()
	if out += q.links.leaveOut(purged); out > 0 {
		slog.Warn("ledger: refusals that an earlier process has left are not written, since what is as old was purged meanwhile", "refusals and links of users", out)
	}
}

// leaveOut takes out the links to decisions that were purged.
func (q *linkQueue) leaveOut(purged int64) (out int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range slices.Collect(maps.Values(q.waiting)) {
		if w.inherited && !w.isCopy() && w.decided < purged {
			q.take(w)
			out++
		}
	}
	return out
}
