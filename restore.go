package consent

import (
	"net/http"
	"slices"
	"time"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/visitor"
)

// Restore brings a decision to this browser that the visitor has taken on another
// device, while signed in to the account that they have just signed in to here. One
// rule settles what the decision of the account and that of this browser become
// together:
//
//   - What either of them refuses is refused, an objection too. The account never allows
//     what this browser refuses, until the visitor allows it here with a Save.
//   - What the newer one allows is allowed, if the other does not refuse it.
//   - What the older one alone allows is open: the visitor is asked.
//
// So a consent is never renewed: what results has the time of the newer decision, or
// a millisecond more if that is the browser's. It takes effect as a [Middleware.Save] does, and
// it is recorded as one, by the [Action] ByAccount, under the reference that this browser has or
// under a new one: a reference is never handed on, and two devices of one account have two.
//
// Nothing happens if the recorded decision no longer stands, if it is not newer and refuses
// nothing more, or if the browser may have a decision that it has held back (a form
// that another site posts, see [Preferences.ShouldAsk]). The error is [ErrOutside],
// [ErrTooLate] or [ErrNotRecorded], and then what is refused is refused.
func (m *Middleware) Restore(_ http.ResponseWriter, r *http.Request, record Record) error {
	v := m.visitOf(r.Context())
	if v == nil {
		return ErrOutside
	}
	record.Time = record.Time.UTC().Truncate(time.Millisecond)
	own := v.visitor().Grants()
	if !m.cookie.Stands(record.Time, time.Now()) || own.DecidedAt.IsZero() && m.holdsBack(v.filter.Came()) {
		return nil
	}
	merged, changes := v.merge(record, own)
	if !changes {
		return nil
	}
	given := record.restored
	if !record.Time.After(own.DecidedAt) {
		given = v.asBefore(own)
	}
	if m.recorder == nil {
		return v.decide(merged, given)
	}
	if v.visitor().HeadSent() { // before a recorder keeps what cannot take effect any more
		return ErrTooLate
	}
	merged.GPC = sendsGPC(v.filter.Came())
	if merged.Reference == (Reference{}) {
		merged.Reference = newReference()
	} else {
		merged.Previous = own.DecidedAt.UTC()
	}
	return v.decideOnRecord(r.Context(), m.recorder, merged, given)
}

// Unlink is for the sign-out, after which the browser may be somebody else's. What was
// allowed in it is open again, so that who comes next is asked; what was refused stays
// refused; and what is decided from then on has a new reference. It takes effect as a [Middleware.Save]
// does, and is recorded nowhere, since nobody has decided. Nothing happens if the browser has
// no decision, or has held it back. The error is [ErrOutside] or [ErrTooLate].
func (m *Middleware) Unlink(_ http.ResponseWriter, r *http.Request) error {
	v := m.visitOf(r.Context())
	if v == nil {
		return ErrOutside
	}
	own := v.visitor().Grants()
	if own.DecidedAt.IsZero() {
		return nil
	}
	// Earlier than the decision itself, which a Restore brings back to who signs in again.
	left := Record{Time: own.DecidedAt.Add(-time.Millisecond), Revision: m.revision, Objection: own.Objection}
	for i, party := range m.policy().Parties() {
		if refuses(own.Answers()[i]) || m.regime != nil && m.policy().RefusesBeside(own, i) && !own.Answers()[i].Allows() {
			left.Answers = append(left.Answers, Answer{Category: Category(party.Category), Provider: party.Provider})
		}
	}
	return v.decide(left, nil)
}

// merge makes one record of the account's and of what this browser has decided, as
// [Middleware.Restore] says; changes is false if nothing comes of it.
func (v *visit) merge(account Record, own *policy.Grants) (merged Record, changes bool) {
	newer := account.Time.After(own.DecidedAt)
	merged = Record{
		Reference: own.Reference,
		Time:      account.Time,
		Revision:  account.Revision,
		Objection: account.Objection || own.Objection,
		Regime:    account.Regime,
		Evidence:  Evidence{Action: ByAccount, Language: account.Evidence.Language, Notice: account.Evidence.Notice},
	}
	if !newer {
		merged.Time = own.DecidedAt.UTC().Add(time.Millisecond)
		merged.Revision = v.middleware().revision
		merged.Regime = Regime(v.visitor().Law().Regime)
	}
	changes = newer || account.Objection && !own.Objection
	allowsNothing := !slices.ContainsFunc(account.Answers, func(a Answer) bool { return a.Allowed })
	for i, party := range v.visitor().Policy().Parties() {
		category := Category(party.Category)
		at := slices.IndexFunc(account.Answers, func(a Answer) bool { return a.Category == category && a.Provider == party.Provider })
		was := own.Answers()[i]
		answer := Answer{Category: category, Provider: party.Provider}
		// What the refusal of a part says of the rest of its category under a law that presumes.
		refusedBeside := v.middleware().regime != nil && (v.visitor().Policy().RefusesBeside(own, i) || slices.ContainsFunc(account.Answers, func(a Answer) bool {
			return !a.Allowed && (allowsNothing || a.Category == category)
		}))
		switch {
		case refuses(was):
		case at >= 0 && !account.Answers[at].Allowed:
			changes = true
		case newer && at >= 0, !newer && isAnswer(was):
			answer.Allowed = true
		case refusedBeside:
			changes = changes || was == policy.Presumed
		default:
			continue
		}
		merged.Answers = append(merged.Answers, answer)
	}
	return merged, changes
}

// refuses reports whether it is the visitor who has refused.
func refuses(a policy.Answer) bool { return a == policy.No || a == policy.Reopened }

// restored returns how a yes of a record was given: what its regime had presumed may
// have been ticked already.
func (r *Record) restored(a Answer) decision.Answer {
	regime := min(uint8(r.Regime), visitor.Regimes-1) // an unknown one is trusted least
	if presumption(visitor.Law{Regime: regime}, string(a.Category)) == policy.Presumed {
		return decision.Ticked
	}
	return decision.Yes
}

// asBefore returns how this visitor had given a yes that stays.
func (v *visit) asBefore(own *policy.Grants) func(Answer) decision.Answer {
	return func(a Answer) decision.Answer {
		i, _ := v.visitor().Policy().Index(party(a.Category, a.Provider))
		switch own.Answers()[i] {
		case policy.Ticked:
			return decision.Ticked
		case policy.Alone:
			return decision.Alone
		default:
			return decision.Yes
		}
	}
}
