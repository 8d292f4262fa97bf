package consent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/visitor"
)

// A Recorder keeps proof of what visitors have decided, which a site must be able
// to show (Regulation (EU) 2016/679, article 7(1)): see [Config.Recorder]. The
// module's ledger is one, in SQL. It must be safe for concurrent use.
type Recorder interface {
	// Record keeps a decision that consents to something. It returns nil once
	// the record would survive a crash; after an error the visitor has not
	// consented. It must heed ctx, which ends with the request and after ten
	// seconds at the latest.
	Record(ctx context.Context, record Record) error

	// RecordLater keeps a decision that allows nothing new, and that stands
	// whatever becomes of the record: one that only refuses or, after Record has
	// failed, what is left of the decision, with the earlier consents that it did
	// not withdraw. It must not wait for a network or a database; it may keep
	// the record on a disk of this machine first, if that has a limit in time.
	RecordLater(record Record)
}

// A Record is one decision of one visitor, as a [Recorder] keeps it. It holds
// nothing else about the visitor.
type Record struct {
	Reference Reference // of the visitor
	Time      time.Time // of the decision, in UTC and whole milliseconds
	Previous  time.Time // of the decision before this one under the same Reference; the zero Time if it is the first
	Revision  uint64    // of the site: see Config.Revision
	Answers   []Answer  // for everything that needs consent, by category and then by provider; fewer after Record has failed, and after Add
	Objection bool      // to anonymous statistics
	GPC       bool      // the browser sent "Sec-GPC: 1" with the request
	Regime    Regime    // under which the visitor was asked
	Evidence  Evidence  // of how the visitor came to decide
}

// An Answer says whether a visitor allows what one provider declares in a
// category.
type Answer struct {
	Category Category `json:"category"`
	Provider string   `json:"provider"`
	Allowed  bool     `json:"allowed"`
}

// Evidence says how a visitor came to decide: see [Choice.WithEvidence].
type Evidence struct {
	Action   Action       // what the visitor did; "" if the site does not say
	Language language.Tag // in which they were asked; the zero Tag if the site does not say
	Notice   *Notice      // what they were shown; nil means the declarations alone, in the order in which they were made
}

// An Action is what a visitor did to decide.
type Action string

const (
	ByBanner      Action = "banner"
	ByForm        Action = "form"
	ByPlaceholder Action = "placeholder" // the button of embedded content
	ByObjection   Action = "objection"   // to anonymous statistics, in the form
	ByGPC         Action = "gpc"         // a site has saved what the browser's Global Privacy Control asks for
	ByAccount     Action = "account"     // nothing here: it comes from the visitor's account, see Middleware.Restore
)

// A Reference stands for a visitor in a site's records. It is random, tells
// nothing about them, and travels in their preferences cookie. The zero Reference
// stands for nobody.
type Reference [16]byte

// String returns r as 32 hexadecimal digits, the form that a visitor reads and
// [ParseReference] takes; "" for the zero Reference.
func (r Reference) String() string {
	if r == (Reference{}) {
		return ""
	}
	return hex.EncodeToString(r[:])
}

// ParseReference reads what [Reference.String] writes, in either case. The error
// says that s is no reference, without repeating it.
func ParseReference(s string) (Reference, error) {
	var r Reference
	if len(s) != hex.EncodedLen(len(r)) {
		return Reference{}, errBadReference
	}
	if _, err := hex.Decode(r[:], []byte(s)); err != nil || r == (Reference{}) {
		return Reference{}, errBadReference
	}
	return r, nil
}

var errBadReference = errors.New("consent: a reference is 32 hexadecimal digits, not all zero")

// ErrNoRecord says that a store of decisions has none of that visitor or user.
var ErrNoRecord = errors.New("consent: there is no record of this visitor")

// ErrNotRecorded is what [Middleware.Save] returns, joined with the recorder's
// own error, if a consent could not be recorded and so does not count.
var ErrNotRecorded = errors.New("consent: the decision could not be recorded, and does not count as consent")

// decide makes a record the visitor's decision, from now on and in this response. given
// says how each yes of it was given.
func (v *visit) decide(record Record, given func(Answer) decision.Answer) error {
	d := record.decision(v.visitor().Policy(), given)
	sent, err := v.visitor().Decide(d)
	if err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	if sent {
		return ErrTooLate
	}
	return nil
}

// maxRecording is how long a visitor waits for a recorder.
const maxRecording = 10 * time.Second

// decideOnRecord is decide for a site with a recorder. What allows something is
// recorded before it counts, since the site must be able to show it (Regulation
// (EU) 2016/679, article 7(1)); what refuses counts first and is recorded then.
func (v *visit) decideOnRecord(ctx context.Context, recorder Recorder, record Record, given func(Answer) decision.Answer) error {
	before := v.visitor().Grants()
	if !record.allowsMore(before) {
		if err := v.decide(record, given); err != nil {
			return err
		}
		recorder.RecordLater(record)
		return nil
	}
	// A choice may accept one thing and refuse another. The refusal waits for no
	// recorder, and stands if the recorder fails.
	rest, refuses := record.withoutNewGrants(before, v.visitor().Policy(), v.middleware().regime != nil)
	if refuses {
		if err := v.decide(rest, given); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, maxRecording)
	defer cancel()
	if err := recorder.Record(ctx, record.clone()); err != nil {
		if refuses {
			recorder.RecordLater(rest)
		}
		return fmt.Errorf("%w: %w", ErrNotRecorded, err)
	}
	return v.decide(record, given)
}

// newRecord makes the record of a choice, of nobody yet.
func newRecord(c Choice, p *policy.Policy, before *policy.Grants, revision uint64, at time.Time) Record {
	record := Record{
		Time:      at.UTC().Truncate(time.Millisecond),
		Revision:  revision,
		Objection: c.objection || c.adds && before.Objection,
		Evidence:  c.evidence,
		Answers:   make([]Answer, 0, len(p.Parties())),
	}
	for i, party := range p.Parties() {
		accepted := c.accepts(party)
		if c.adds && !accepted {
			was := before.Answers()[i]
			if !isAnswer(was) {
				continue
			}
			accepted = was.Allows()
		}
		record.Answers = append(record.Answers, Answer{Category: Category(party.Category), Provider: party.Provider, Allowed: accepted})
	}
	return record
}

// isAnswer reports whether it is the visitor who has said so. A refusal that they are
// asked about again is one: to forget it would let a law presume the contrary.
func isAnswer(a policy.Answer) bool {
	switch a {
	case policy.Yes, policy.Ticked, policy.Alone, policy.No, policy.Reopened:
		return true
	default:
		return false
	}
}

// clone returns a record whose answers a recorder may keep and change.
func (r Record) clone() Record {
	r.Answers = slices.Clone(r.Answers)
	return r
}

// decision makes what travels of a record: the answers alone, and of these the
// ones for what is declared now.
func (r *Record) decision(p *policy.Policy, given func(Answer) decision.Answer) *decision.Decision {
	answers := make(map[decision.Mark]decision.Answer, len(r.Answers))
	for _, a := range r.Answers {
		mark, needsConsent := p.Mark(party(a.Category, a.Provider))
		switch {
		case !needsConsent: // any more: the record may be an old one
		case a.Allowed:
			answers[mark] = given(a)
		default:
			answers[mark] = decision.No
			answers[decision.MarkOf(string(a.Category), "")] = decision.No // for who comes into the category when this provider is gone
		}
	}
	return &decision.Decision{
		Revision:  r.Revision,
		Time:      r.Time,
		Objection: r.Objection,
		Reference: r.Reference,
		Answers:   decision.MakeAnswers(answers),
	}
}

// given returns how this visitor gives a yes by a choice. It may be a box that was
// ticked already: the regime presumes it, and they had not answered, or had left it so
// before. What the form has shown as refused they have allowed by themselves.
func (v *visit) given(c Choice, before *policy.Grants) func(Answer) decision.Answer {
	law := v.lawOf(c)
	return func(a Answer) decision.Answer {
		of := party(a.Category, a.Provider)
		i, _ := v.visitor().Policy().Index(of)
		was, question := before.Answers()[i], law
		// Global Privacy Control unticks no box that they had left ticked before. Open may be
		// such a yes, which does not count here, or one that the browser has held back.
		question.GPC = law.GPC && (was == policy.NoByGPC || was == policy.Presumed)
		switch {
		case c.adds && (was == policy.Alone || c.accepts(of)):
			return decision.Alone
		case c.adds && was == policy.Ticked: // it stays as it was
			return decision.Ticked
		case c.adds, was == policy.Yes, was == policy.Alone, presumption(question, string(a.Category)) != policy.Presumed:
			return decision.Yes
		case c.asked == nil && (was == policy.No || was == policy.Reopened): // else it may be a refusal of since then
			return decision.Yes
		default:
			return decision.Ticked
		}
	}
}

// lawOf returns the law under which the question was put that a choice answers.
func (v *visit) lawOf(c Choice) visitor.Law {
	law := v.visitor().Law()
	if c.asked != nil {
		law.Regime, law.GPC = uint8(c.asked.regime), c.asked.gpc
	}
	return law
}

// allowsMore reports whether the record is one of a consent, even if it only
// renews an old one, or takes back an objection.
func (r *Record) allowsMore(before *policy.Grants) bool {
	return before.Objection && !r.Objection || slices.ContainsFunc(r.Answers, func(a Answer) bool { return a.Allowed })
}

// withoutNewGrants returns what counts of a decision that could not be recorded:
// of what it allows, only what the visitor had allowed before. refuses is false if
// that takes nothing back. If there are regimes, a refusal of what was not allowed here
// counts too, since another one may presume it.
func (r Record) withoutNewGrants(before *policy.Grants, p *policy.Policy, regimes bool) (rest Record, refuses bool) {
	refusesIn := make(map[Category]bool)
	for _, a := range r.Answers {
		refusesIn[a.Category] = refusesIn[a.Category] || !a.Allowed
	}
	rest = r
	rest.Objection = r.Objection || before.Objection
	rest.Answers = make([]Answer, 0, len(r.Answers))
	refuses = r.Objection && !before.Objection
	for _, a := range r.Answers {
		i, _ := p.Index(party(a.Category, a.Provider))
		was := before.Answers()[i]
		refuses = refuses || !a.Allowed && (was.Allows() || regimes && was != policy.No)
		if a.Allowed && (was == policy.Open || was == policy.Presumed || was == policy.Reopened) && !refusesIn[a.Category] {
			continue // a category in which they refuse nothing stays open: they are asked again
		}
		a.Allowed = a.Allowed && was != policy.Presumed && was.Allows()
		rest.Answers = append(rest.Answers, a)
	}
	return rest, refuses
}

// newReference returns one that nobody has.
func newReference() (r Reference) {
	rand.Read(r[:]) // never fails
	return r
}
