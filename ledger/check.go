package ledger

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/cookiecharter/consent"
)

// A checker checks records one by one.
type checker struct {
	sealer
	vouched map[key]int64 // how many records of a writer without a key the first one with a key stands for
}

// The faults of a record, in words that stand behind its name.
const (
	wasAltered    = "was altered"
	hasNoSeal     = "has no seal: it was written without the key"
	hasFalseSeal  = "has a seal that no key has made"
	isNoErasure   = "is marked as forgotten, and is not what an erasure leaves"
	isNobodys     = "is nobody's, and was not forgotten"
	doesNotFollow = "does not follow on the one before"
)

// faults returns what is wrong with a record on its own.
func (c *checker) faults(r *row) (faults []string) {
	if !bytes.Equal(r.hash, r.sum()) || r.forgotten == 0 && len(r.digest) > 0 {
		faults = append(faults, wasAltered)
	}
	switch {
	case !c.can():
	case len(r.seal) == 0 && !c.vouchesFor(r):
		faults = append(faults, hasNoSeal)
	case len(r.seal) > 0 && !c.holds(r.seal, r.sealed()):
		faults = append(faults, hasFalseSeal)
	}
	switch {
	case r.forgotten != 0 && !r.isErased():
		faults = append(faults, isNoErasure)
	case r.forgotten == 0 && r.act == "" && r.reference == (key{}), r.act != "" && r.n != 0:
		faults = append(faults, isNobodys)
	}
	return faults
}

// vouchesFor reports that the first writer with a key stands for a record without a seal.
func (c *checker) vouchesFor(r *row) bool { return r.place <= c.vouched[r.writer] }

// name is how a report calls a record: by a visitor whose history can be asked for.
func (r *row) name() string {
	if r.reference != (key{}) {
		return fmt.Sprintf("the record %v of the visitor %v", r.id, consent.Reference(r.reference))
	}
	return fmt.Sprintf("the record %v", r.id)
}

// learnVouches learns of acts what the first writer with a key stands for.
func (c *checker) learnVouches(acts []row) (first int64) {
	c.vouched = make(map[key]int64)
	for i := range acts {
		r := &acts[i]
		a, err := r.readAct()
		if err != nil || !a.Vouches || len(c.faults(r)) > 0 {
			continue
		}
		if first == 0 || r.decided < first {
			first = r.decided
		}
		for _, claim := range a.Claims {
			c.vouched[claim.Writer] = max(c.vouched[claim.Writer], claim.Place)
		}
	}
	return first
}

// learned returns what the acts say, if something bears on the records of a visitor: one
// without a seal may have been vouched for, and what came before the first purged.
func (l *Ledger) learned(ctx context.Context, found []row, first bool) (*verification, error) {
	v := newVerification(new(Report), l.sealer)
	isUnsealed := func(r row) bool { return l.sealer.can() && len(r.seal) == 0 }
	if !slices.ContainsFunc(found, isUnsealed) && (!first || found[0].previous == (key{})) {
		return v, nil
	}
	acts, err := readActs(ctx, l.db, actOpen, actPurge)
	v.learn(acts)
	return v, err
}
