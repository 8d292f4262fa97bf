package ledger

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"
)

// A verification compares what the writers say with the records that there are,
// wherever these are read from.
type verification struct {
	checker
	report    *Report
	partial   bool            // records may be somewhere else
	notices   map[string]bool // by fingerprint
	writers   map[key]*chain
	at        *chain // of the record that was read last
	sealed    int64  // when the first writer with a key opened
	purged    int64  // decisions before this time may be missing
	forgotten int64  // how many records were ever erased
}

func newVerification(report *Report, s sealer) *verification {
	return &verification{checker: checker{sealer: s}, report: report, notices: make(map[string]bool), writers: make(map[key]*chain)}
}

// A chain is the records of a writer: what others say of them, and what was found.
type chain struct {
	writerRow
	isKnown   bool // the writer has a row
	claims    map[int64][]hexadecimal
	most      int64 // the highest place of a claim
	claimed   int64 // the same, of the claims of the ledger itself
	purged    []taken
	forgotten []taken

	found   int64
	missing int64
	next    int64  // the place that comes next
	last    []byte // the hash of the record before
	unknown bool   // that hash is not known
	ended   bool
}

// What was taken at some time.
type taken struct {
	places
	at int64
}

// find returns what was taken at a place.
func find(list []taken, place int64) (taken, bool) {
	i := sort.Search(len(list), func(i int) bool { return list[i].From > place }) - 1
	if i < 0 || list[i].To < place {
		return taken{}, false
	}
	return list[i], true
}

func (v *verification) chain(writer key) *chain {
	c := v.writers[writer]
	if c == nil {
		c = &chain{writerRow: writerRow{id: writer}, next: 1, claims: make(map[int64][]hexadecimal)}
		v.writers[writer] = c
	}
	return c
}

// addWriter takes note of a writer's row.
func (v *verification) addWriter(r writerRow) {
	c := v.chain(r.id)
	c.writerRow, c.isKnown = r, true
}

// addNotice checks a notice.
func (v *verification) addNotice(fingerprint, content []byte) {
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], fingerprint) {
		v.report.fault("the notice %x was altered", fingerprint)
	}
	v.notices[string(fingerprint)] = true
	v.report.Notices++
}

// learn takes note of what the acts say, before the records are read. An act with a fault
// says nothing; it is reported when its turn comes.
func (v *verification) learn(acts []row) {
	v.sealed = v.learnVouches(acts)
	if v.sealed != 0 {
		v.report.VouchedAt = time.UnixMilli(v.sealed).UTC()
	}
	for i := range acts {
		a, err := acts[i].readAct()
		if err != nil || len(v.faults(&acts[i])) > 0 {
			continue
		}
		for _, c := range a.Claims {
			v.claim(c)
			of := v.chain(c.Writer)
			of.claimed = max(of.claimed, c.Place)
		}
		for _, p := range a.Places {
			c := v.chain(p.Writer)
			switch a.Kind {
			case actForget:
				c.forgotten = append(c.forgotten, taken{p, acts[i].decided})
			case actPurge:
				c.purged = append(c.purged, taken{p, acts[i].decided})
			}
		}
		switch a.Kind {
		case actForget:
			v.forgotten += count(a.Places)
		case actPurge:
			v.purged = max(v.purged, a.Until)
			v.report.Purged += count(a.Places)
		}
	}
	for _, c := range v.writers {
		for _, list := range [][]taken{c.purged, c.forgotten} {
			slices.SortFunc(list, func(a, b taken) int { return cmp.Compare(a.From, b.From) })
		}
	}
}

// claim takes note of how far a writer had come.
func (v *verification) claim(c claim) {
	of := v.chain(c.Writer)
	of.claims[c.Place] = append(of.claims[c.Place], c.Hash)
	of.most = max(of.most, c.Place)
}

// add checks the next record. They come by writer and place.
func (v *verification) add(r *row) {
	c := v.chain(r.writer)
	if c != v.at {
		v.leave()
		v.at = c
	}
	switch {
	case r.forgotten != 0:
		v.report.Forgotten++
	case r.act == "":
		v.report.Records++
	}
	switch {
	case len(r.seal) > 0:
		v.report.Sealed++
	case v.can() && v.vouchesFor(r):
		v.report.Vouched++
	}
	c.found++
	name := r.name()
	if r.place < c.next {
		v.report.fault("%s stands at the place of another", name)
		return
	}
	v.skip(c, r.place)
	for _, fault := range v.faults(r) {
		v.report.fault("%s %s", name, fault)
	}
	if !c.unknown && !bytes.Equal(r.beforeHash, c.last) {
		v.report.fault("%s is not what its writer wrote next", name)
	}
	if c.ended {
		v.report.fault("%s comes after the end of its writer", name)
	}
	v.checkTaken(c, r)
	if len(r.notice) > 0 && !v.notices[string(r.notice)] {
		v.report.fault("the notice of %s is missing", name)
	}
	v.compare(c, r.place, r.hash)
	if r.act != "" {
		a, err := r.readAct()
		if err != nil || !slices.Contains(allActs, a.Kind) {
			v.report.fault("%s is of an act that nobody knows", name)
		}
		c.ended = c.ended || a.Kind == actEnd
	}
	c.next, c.last, c.unknown = r.place+1, r.hash, false
}

// checkTaken compares a record with what was erased and purged.
func (v *verification) checkTaken(c *chain, r *row) {
	if _, was := find(c.purged, r.place); was {
		v.report.fault("%s was purged, and stands", r.name())
	}
	switch erased, was := find(c.forgotten, r.place); {
	case r.forgotten != 0 && (!was || erased.at != r.forgotten):
		v.report.fault("%s was erased, and no record of a forgetting says so", r.name())
	case r.forgotten == 0 && was:
		v.report.fault("%s was forgotten, and stands", r.name())
	}
}

// compare compares the hash at a place with those that others have noted.
func (v *verification) compare(c *chain, place int64, hash []byte) {
	for _, noted := range c.claims[place] {
		if !bytes.Equal(noted, hash) {
			v.report.fault("the record at place %d of the writer %v is not the one that was there", place, c.id)
			return
		}
	}
}

// skip goes on to a place, over what was purged and what is missing.
func (v *verification) skip(c *chain, place int64) {
	for c.next < place {
		if p, was := find(c.purged, c.next); was {
			if p.To >= place { // and yet something stands there
				c.next, c.unknown = place, true
				return
			}
			if !c.unknown && c.next == p.From && !bytes.Equal(p.Before, c.last) {
				v.report.fault("what the writer %v wrote before place %d is not what was there when the next records were purged", c.id, p.From)
			}
			v.compare(c, p.To, p.Hash)
			c.next, c.last, c.unknown = p.To+1, p.Hash, false
			continue
		}
		// What is missing ends at the place, or where something was purged.
		until := place
		if i := sort.Search(len(c.purged), func(i int) bool { return c.purged[i].From > c.next }); i < len(c.purged) {
			until = min(until, c.purged[i].From)
		}
		if !v.partial {
			c.missing += until - c.next
		}
		c.next, c.unknown = until, true
	}
}

// leave ends the chain of the record that was read last.
func (v *verification) leave() {
	if v.at != nil {
		v.end(v.at)
	}
	v.at = nil
}

// end checks a chain as a whole.
func (v *verification) end(c *chain) {
	if !c.isKnown {
		v.report.fault("the writer %v of %d records is missing", c.id, max(c.found, c.most))
	}
	wrote := c.next - 1
	for _, p := range c.purged {
		wrote = max(wrote, p.To)
	}
	if !v.partial {
		wrote = max(wrote, c.most)
		if c.written.Valid {
			wrote = max(wrote, c.written.Int64)
		}
	}
	v.skip(c, wrote+1)
	if c.missing > 0 {
		v.report.fault("of the %d records that the writer %v wrote, %d are missing", wrote, c.id, c.missing)
	}
	if c.written.Valid && !v.partial {
		switch {
		case wrote > c.written.Int64:
			v.report.fault("there are %d records of the writer %v, which wrote %d", wrote, c.id, c.written.Int64)
		case c.missing == 0 && !c.ended, !c.unknown && !bytes.Equal(c.head, c.last):
			v.report.fault("the last record of the writer %v is not its end", c.id)
		}
	}
	if v.can() && c.isKnown {
		switch {
		case len(c.seal) == 0 && c.found > 0 && v.vouched[c.id] == 0:
			v.report.fault("the writer %v %s", c.id, hasNoSeal)
		case len(c.seal) > 0 && !v.holds(c.seal, c.sealed()):
			v.report.fault("the row of the writer %v %s", c.id, wasAltered)
		}
	}
	if wrote > c.claimed && !c.unknown {
		v.report.Anchor.Heads = append(v.report.Anchor.Heads, Head{Writer: c.id.String(), Records: wrote, Hash: fmt.Sprintf("%x", c.last)})
	}
}

// finish ends the verification, when all records have been read.
func (v *verification) finish() {
	v.leave()
	for _, id := range slices.SortedFunc(maps.Keys(v.writers), func(a, b key) int { return bytes.Compare(a[:], b[:]) }) {
		if c := v.writers[id]; c.found == 0 {
			v.end(c)
		}
	}
	slices.SortFunc(v.report.Anchor.Heads, func(a, b Head) int { return cmp.Compare(a.Writer, b.Writer) })
}
