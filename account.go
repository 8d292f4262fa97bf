package consent

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
)

// Package charter finds a visit by [account.Key], and calls its exported methods: what a
// browser keeps of an account is changed here, and when is said there.

// remembered is what the browser of a visit remembers of an account.
type remembered struct {
	mu    sync.Mutex
	known bool
	met   bool
	state account.State
}

// remembered returns it, with nothing read yet if nobody has asked before.
func (v *visit) remembered() *remembered {
	if v.account.Load() == nil {
		v.account.CompareAndSwap(nil, new(remembered))
	}
	return v.account.Load()
}

// Meet reports whether nobody has called it for this visit before.
func (v *visit) Meet() bool {
	a := v.remembered()
	a.mu.Lock()
	defer a.mu.Unlock()
	first := !a.met
	a.met = true
	return first
}

// Tags returns what stands for the account of a user, by each key.
func (v *visit) Tags(user string) []account.Tag { return v.middleware().account.Tags(user) }

// Marks does so for something that the user has been told.
func (v *visit) Marks(user, told string) []account.Mark {
	return v.middleware().account.Marks(user, told)
}

// Account returns what the browser remembers, and will after this response.
func (v *visit) Account() account.State {
	a := v.remembered()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.known {
		a.known, a.state = true, v.readAccount()
	}
	return a.state
}

// readAccount reads what the browser remembers, if it is about the decision that it has.
func (v *visit) readAccount() account.State {
	s := v.middleware().account.Read(v.visitor().Cookies())
	if !s.SignedIn {
		return s
	}
	switch has := v.visitor().Grants().DecidedAt; {
	case has.Equal(s.Holds):
		return s
	case has.IsZero(): // it was lost, or has expired: the account is asked anew
		s.Looked, s.Decided, s.Holds = time.Time{}, time.Time{}, time.Time{}
		return s
	default: // the response to somebody who had signed out has come later: what it says is the browser's own
		return account.State{Told: s.Told}
	}
}

// MayMissCookies reports whether the browser may remember something and not have sent it.
func (v *visit) MayMissCookies() bool {
	return !v.Account().SignedIn && v.visitor().Grants().DecidedAt.IsZero() && v.middleware().holdsBack(v.filter.Came())
}

// KeepAccount has the browser remember s.
func (v *visit) KeepAccount(s account.State) error {
	err := v.SendAccount(s)
	if err == nil {
		a := v.remembered()
		a.mu.Lock()
		a.known, a.state = true, s
		a.mu.Unlock()
	}
	return err
}

// SendAccount has the browser remember s from the next request on; in this one nothing
// changes.
func (v *visit) SendAccount(s account.State) error {
	line, err := v.middleware().account.Line(&s)
	if err != nil {
		return err
	}
	if v.visitor().Remember(line) {
		return ErrTooLate
	}
	return nil
}

// SetAside notes that somebody has signed in to the account of that tag. What had been
// decided in this browser is remembered, and holds on, under no reference: what is recorded
// from now on is of another person, for all that is known.
func (v *visit) SetAside(who account.Tag) error {
	s := v.Account()
	d, found := v.visitor().Decision()
	next := account.State{SignedIn: true, Who: who, Told: s.Told}
	if found {
		next.Before, next.Holds = d.Append(nil), d.Time
	}
	most := next // once an account's decision holds, there has to be room for what is not its own
	most.Foreign = make([]uint32, 1+len(v.visitor().Policy().Parties()))
	if _, err := v.middleware().account.Line(&most); err != nil {
		return fmt.Errorf("consent: what this browser has decided is too long to be set aside: %w", err)
	}
	if err := v.KeepAccount(next); err != nil {
		return err
	}
	if found && d.Reference != (Reference{}) {
		d.Reference = Reference{}
		return v.take(&d)
	}
	return nil
}

// BringBack notes that nobody is signed in any more. What had been decided in this browser
// before the sign-in holds again, as it was; what the account alone had allowed is expired.
func (v *visit) BringBack() error {
	s := v.Account()
	next := account.State{Told: s.Told}
	if s.Tell { // they have seen nothing of what was noted last
		next.Told = next.Told[:max(0, len(next.Told)-1)]
	}
	if s.Tell && s.Conflict {
		next.Told = next.Told[:max(0, len(next.Told)-1)]
	}
	if err := v.KeepAccount(next); err != nil {
		return err
	}
	v.visitor().HandOver()
	if d, stands := v.before(s); stands {
		return v.take(&d)
	}
	if v.visitor().Forget() {
		return ErrTooLate
	}
	v.hideAgain()
	return nil
}

// hideAgain hides from the handler what is no longer allowed.
func (v *visit) hideAgain() {
	if v.middleware().hideRefused {
		v.hideRefused()
	}
}

// before returns what had been decided in this browser before the sign-in, if that stands.
func (v *visit) before(s account.State) (d decision.Decision, stands bool) {
	d, err := decision.Parse(s.Before)
	return d, err == nil && v.middleware().cookie.Stands(d.Time, time.Now())
}

// Before returns when the decision of this browser before the sign-in was taken; the zero
// Time if there is none that stands.
func (v *visit) Before() time.Time {
	if d, stands := v.before(v.Account()); stands {
		return d.Time
	}
	return time.Time{}
}

func (v *visit) take(d *decision.Decision) error {
	sent, err := v.visitor().Decide(d)
	if err == nil && sent {
		err = ErrTooLate
	}
	v.hideAgain()
	return err
}

// Apply joins the account's decision with that of this browser, as [Middleware.Restore]
// says; if alone is set, the account's counts alone. differ is true if both have answered
// for something, and not the same.
func (v *visit) Apply(ctx context.Context, record Record, alone bool) (differ bool, err error) {
	m, s := v.middleware(), v.Account()
	record.Time = record.Time.UTC().Truncate(time.Millisecond)
	if !m.cookie.Stands(record.Time, time.Now()) || !record.Time.After(s.Decided) { // or this browser has a newer one
		return false, nil
	}
	if v.visitor().HeadSent() { // before a recorder keeps what cannot take effect any more
		return false, ErrTooLate
	}
	own := v.visitor().Undecided()
	if d, stands := v.before(s); stands && !alone {
		own = v.visitor().Resolve(&d)
	}
	merged, foreign, changes := v.merge(record, own)
	now := v.visitor().Grants()
	if changes || !s.Decided.IsZero() {
		err = v.restore(ctx, merged, record, own, s)
		v.hideAgain()
	}
	if err == nil {
		s.Decided, s.Foreign = record.Time, foreign
	}
	if at := v.visitor().Grants().DecidedAt; err == nil || !at.Equal(now.DecidedAt) {
		s.Holds = at
		if keep := v.KeepAccount(s); err == nil {
			err = keep
		}
	}
	return v.differ(record, own), err
}

// restore makes the visitor's decision what has become of the account's and the browser's
// own.
func (v *visit) restore(ctx context.Context, merged, record Record, own *policy.Grants, s account.State) error {
	m, now := v.middleware(), v.visitor().Grants()
	given := record.restored
	if !record.Time.After(own.DecidedAt) {
		given = v.asBefore(own)
	}
	if !s.Decided.IsZero() { // a decision of the account holds here, and this one follows it
		merged.Reference, merged.Previous = now.Reference, now.DecidedAt.UTC()
		if !merged.Time.After(now.DecidedAt) {
			merged.Time = now.DecidedAt.UTC().Add(time.Millisecond)
		}
	}
	v.visitor().HandOver()
	if m.recorder == nil {
		return v.decide(merged, given)
	}
	merged.GPC = sendsGPC(v.filter.Came())
	if merged.Reference == (Reference{}) {
		merged.Reference, merged.Previous = newReference(), time.Time{}
	}
	return v.decideOnRecord(ctx, m.recorder, merged, given)
}

// noteSaved notes that who is signed in has decided here.
func (v *visit) noteSaved(s account.State) {
	s.Decided = v.visitor().Grants().DecidedAt
	s.Holds, s.Foreign, s.Tell, s.Unlinked = s.Decided, nil, false, true
	_ = v.KeepAccount(s) // it is no longer than before, and the decision has just gone into the head
}

// accountsOwn returns what the account alone has answered of what holds here: what a
// [Choice] of some providers leaves as it is must not become another person's answer.
func (v *visit) accountsOwn(s account.State, holds *policy.Grants) *policy.Grants {
	switch {
	case !s.SignedIn:
		return holds
	case s.Decided.IsZero():
		nothing := *v.visitor().Undecided()
		nothing.DecidedAt = holds.DecidedAt
		return &nothing
	}
	own := *v.visitor().Policy().Without(holds, s.Foreign)
	for _, mark := range s.Foreign {
		own.Objection = own.Objection && mark != account.Objection
	}
	return &own
}
