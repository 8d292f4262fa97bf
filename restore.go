package consent

import (
	"net/http"
	"slices"
	"time"

	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/visitor"
)

// Restore is for the sign-in. It sets aside what had been decided in this browser, until
// [Middleware.Unlink], and brings in the decision that the user has taken on another device
// while signed in; the zero Record if there is none. One rule settles what the decision of
// the account and that of this browser become together, while they are signed in:
//
//   - What either of them refuses is refused, an objection too. The account never allows
//     what this browser refuses, until the visitor allows it here with a Save.
//   - What the newer one allows is allowed, if the other does not refuse it.
//   - What the older one alone allows is open: the visitor is asked. If the account has
//     decided nothing, that of this browser holds as it is.
//
// So a consent is never renewed: what results has the time of the newer decision, or
// a millisecond more if that is the browser's. It takes effect as a [Middleware.Save] does, and
// it is recorded as one, by the [Action] ByAccount, under a reference of its own: neither the
// browser's is used, whose decision may be somebody else's, nor is that of another device.
//
// What is set aside travels in a signed cookie, named as the preferences cookie with
// "_account" at its end, which no script can read. A Restore while one holds brings in a newer
// decision of the same account; for that of another account call Unlink before. Nothing comes of a decision that no longer stands, and nothing
// happens if the browser may have one that it has held back (a form
// that another site posts, see [Preferences.ShouldAsk]). The error is [ErrOutside],
// [ErrTooLate] or [ErrNotRecorded], and then what is refused is refused.
//
// With Config.Account, package charter calls this and Unlink by itself.
func (m *Middleware) Restore(_ http.ResponseWriter, r *http.Request, record Record) error {
	v := m.visitOf(r.Context())
	switch {
	case v == nil:
		return ErrOutside
	case v.visitor().HeadSent():
		return ErrTooLate
	case v.MayMissCookies():
		return nil
	}
	if !v.Account().SignedIn {
		if err := v.SetAside(account.Tag{}); err != nil {
			return err
		}
	}
	_, err := v.Apply(r.Context(), record, false)
	return err
}

// Unlink is for the sign-out, after which the browser may be somebody else's. It has exactly
// the decision again that it had before [Middleware.Restore], or none, and what the account
// alone had allowed is expired.
//
// Without a Restore before it, the decision may be of any user: what was
// allowed is open again, so that who comes next is asked; what was refused stays
// refused; and what is decided from then on has a new reference. Nothing happens if the browser has
// no decision, or has held it back. It takes effect as a [Middleware.Save]
// does, and is recorded nowhere, since nobody has decided. The error is [ErrOutside] or [ErrTooLate].
func (m *Middleware) Unlink(_ http.ResponseWriter, r *http.Request) error {
	v := m.visitOf(r.Context())
	if v == nil {
		return ErrOutside
	}
	if v.Account().SignedIn {
		return v.BringBack()
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
	v.visitor().HandOver()
	return v.decide(left, nil)
}

// merge makes one record of the account's and of what this browser has decided, as
// [Middleware.Restore] says. foreign are the marks of the answers that are this browser's
// alone. changes is false if what this browser has decided remains.
func (v *visit) merge(record Record, own *policy.Grants) (merged Record, foreign []uint32, changes bool) {
	newer := record.Time.After(own.DecidedAt)
	merged = Record{
		Time:      record.Time,
		Revision:  record.Revision,
		Objection: record.Objection || own.Objection,
		Regime:    record.Regime,
		Evidence:  Evidence{Action: ByAccount, Language: record.Evidence.Language, Notice: record.Evidence.Notice},
	}
	if !newer {
		merged.Time = own.DecidedAt.UTC().Add(time.Millisecond)
		merged.Revision = v.middleware().revision
		merged.Regime = Regime(v.visitor().Law().Regime)
	}
	changes = newer || record.Objection && !own.Objection
	if own.Objection && !record.Objection {
		foreign = append(foreign, account.Objection)
	}
	allowsNothing := !slices.ContainsFunc(record.Answers, func(a Answer) bool { return a.Allowed })
	for i, party := range v.visitor().Policy().Parties() {
		category := Category(party.Category)
		said, has := record.answerOf(party)
		was := own.Answers()[i]
		answer := Answer{Category: category, Provider: party.Provider}
		// What the refusal of a part says of the rest of its category under a law that presumes.
		refusedBeside := v.middleware().regime != nil && (v.visitor().Policy().RefusesBeside(own, i) || slices.ContainsFunc(record.Answers, func(a Answer) bool {
			return !a.Allowed && (allowsNothing || a.Category == category)
		}))
		switch {
		case refuses(was):
		case has && !said:
			changes = true
		case newer && has, !newer && isAnswer(was):
			answer.Allowed = true
		case refusedBeside:
			changes = changes || was == policy.Presumed
		default:
			continue
		}
		merged.Answers = append(merged.Answers, answer)
		if !has || said != answer.Allowed {
			mark, _ := v.visitor().Policy().Mark(party)
			foreign = append(foreign, uint32(mark))
		}
	}
	return merged, foreign, changes
}

// answerOf returns what a record says of one party, and whether it says anything.
func (r *Record) answerOf(p policy.Party) (allowed, has bool) {
	i := slices.IndexFunc(r.Answers, func(a Answer) bool { return party(a.Category, a.Provider) == p })
	return i >= 0 && r.Answers[i].Allowed, i >= 0
}

// differ reports whether an account and this browser have both answered for something, and
// not the same.
func (v *visit) differ(record Record, own *policy.Grants) bool {
	for i, party := range v.visitor().Policy().Parties() {
		was := own.Answers()[i]
		if said, has := record.answerOf(party); has && isAnswer(was) && said != was.Allows() {
			return true
		}
	}
	return !own.DecidedAt.IsZero() && record.Objection != own.Objection
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
