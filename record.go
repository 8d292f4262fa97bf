package consent

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/text/language"
)

// A Recorder keeps proof of what visitors have decided, which a site must be able
// to show (Regulation (EU) 2016/679, article 7(1)): see [Config.Recorder]. The
// module's ledger is one, in SQL. It must be safe for concurrent use.
type Recorder interface {
	// Record keeps a decision that consents to something. It returns nil once
	// the record would survive a crash; after any other answer the visitor has not
	// consented. It must heed ctx, which ends with the request and after ten
	// seconds at the latest.
	Record(ctx context.Context, record Record) error

	// RecordLater keeps a decision that allows nothing new, and which stands
	// whatever becomes of the record: one that only refuses, or where Record has
	// failed what is left of it, with the consents of before that it did not
	// withdraw. It must not wait for anything.
	RecordLater(record Record)
}

// A Record is one decision of one visitor, as a [Recorder] keeps it. It holds
// nothing about the visitor beside.
type Record struct {
	Reference Reference // of the visitor
	Time      time.Time // of the decision, in UTC and whole milliseconds
	Previous  time.Time // of the decision before this one under the same Reference; the zero Time where it is the first
	Revision  uint64    // of the site: see Config.Revision
	Answers   []Answer  // for everything that needs consent, by category and then by provider; less where Record has failed
	Objects   bool      // to anonymous statistics
	Signal    bool      // the browser sent "Sec-GPC: 1" along
	Evidence
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
	Action   Action       // what the visitor did; "" where the site does not say
	Language language.Tag // in which they were asked; the zero Tag where the site does not say
	Notice   *Notice      // what they were told; nil means the declarations alone, in the order in which they were made
}

// An Action is what a visitor did to decide.
type Action string

const (
	ByBanner      Action = "banner"
	ByForm        Action = "form"
	ByPlaceholder Action = "placeholder" // the button of embedded content
	ByObjection   Action = "objection"   // to anonymous statistics, in the form
	BySignal      Action = "gpc"         // a site has saved what the browser's Global Privacy Control asks for
)

// WithEvidence returns c with what a record of it is to say about how it came
// about. It changes nothing else.
func (c Choice) WithEvidence(e Evidence) Choice {
	c.evidence = e
	return c
}

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

// A Notice is what visitors are told before they decide: sentences, and what is
// declared. One notice serves every visitor who is told the same; it never
// changes. Make it with [Registry.Notice].
type Notice struct {
	content     []byte
	fingerprint [sha256.Size]byte
}

// Notice makes the notice of these declarations in one language, beside the
// sentences that say more, each under a name of the site's choice. Texts are those
// that a visitor who reads lang is shown, site being the site's own language.
func (r *Registry) Notice(lang, site language.Tag, sentences map[string]string) *Notice {
	shown := noticeContent{Language: lang.String(), Sentences: sentences, Cookies: make([]noticeCookie, len(r.cookies))}
	for i, c := range r.cookies {
		service, _ := c.Service.In(site, lang)
		purpose, _ := c.Purpose.In(site, lang)
		shown.Cookies[i] = noticeCookie{
			Provider: c.Provider, Service: service, Name: c.Name, Purpose: purpose,
			Category: c.Category, Lifetime: int64(c.Lifetime / time.Second), NeedsConsent: c.NeedsConsent(),
		}
	}
	content, err := json.Marshal(shown)
	if err != nil {
		panic(err) // strings and numbers alone have no such error
	}
	return &Notice{content: content, fingerprint: sha256.Sum256(content)}
}

type noticeContent struct {
	Language  string            `json:"language"`
	Sentences map[string]string `json:"sentences,omitempty"`
	Cookies   []noticeCookie    `json:"cookies"`
}

type noticeCookie struct {
	Provider     string   `json:"provider"`
	Service      string   `json:"service,omitempty"`
	Name         string   `json:"name"`
	Purpose      string   `json:"purpose"`
	Category     Category `json:"category"`
	Lifetime     int64    `json:"lifetime"` // in seconds
	NeedsConsent bool     `json:"needsConsent"`
}

// Content returns the notice as a JSON object: "language", "sentences" by name,
// and "cookies", each with "provider", "service", "name", "purpose", "category",
// "lifetime" in seconds and "needsConsent". It is the same bytes for the same
// notice, and must not be changed.
func (n *Notice) Content() []byte { return n.content }

// Fingerprint returns the SHA-256 sum of the content, by which a site keeps each
// notice once.
func (n *Notice) Fingerprint() [sha256.Size]byte { return n.fingerprint }

// ErrNotRecorded is what [Middleware.Save] returns, joined with the recorder's
// own error, where a consent could not be recorded and so does not count.
var ErrNotRecorded = errors.New("consent: the decision could not be recorded, and does not count as consent")

// maxRecording is how long a visitor waits for a recorder.
const maxRecording = 10 * time.Second

// takeOnRecord is [Middleware.take] where decisions are recorded: what allows
// anything is recorded before it counts, and what refuses thereafter.
func (m *Middleware) takeOnRecord(f *filter, r *http.Request, record Record) error {
	before := f.standing()
	record.Signal, record.Reference = signals(r), before.reference
	if record.Reference == (Reference{}) {
		record.Reference = newReference()
	} else {
		record.Previous = before.at.UTC()
	}
	d := m.decision(record) // before a recorder has the answers, who might change them
	if !record.allowsMore(before) {
		if err := m.take(f, d); err != nil {
			return err
		}
		m.recorder.RecordLater(record)
		return nil
	}
	rest, refuses := record.withoutNews(before)
	if refuses { // which waits for no recorder, and stands whatever one does
		if err := m.take(f, m.decision(rest)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxRecording)
	defer cancel()
	if err := m.recorder.Record(ctx, record); err != nil {
		if refuses {
			m.recorder.RecordLater(rest)
		}
		return fmt.Errorf("%w: %w", ErrNotRecorded, err)
	}
	return m.take(f, d)
}

// record makes the record of a choice, of nobody yet.
func (m *Middleware) record(c Choice, at time.Time) Record {
	record := Record{
		Time:     at.UTC().Truncate(time.Millisecond),
		Revision: m.revision,
		Objects:  c.objects,
		Evidence: c.evidence,
		Answers:  make([]Answer, len(m.registry.consents)),
	}
	for i, key := range m.registry.consents {
		record.Answers[i] = Answer{Category: key.category, Provider: key.provider, Allowed: c.accepts(key)}
	}
	if record.Notice == nil {
		record.Notice = m.notice
	}
	return record
}

// allowsMore reports whether the record is one of a consent, be it given for
// another six months, or takes back an objection.
func (r *Record) allowsMore(before *standing) bool {
	return before.objects && !r.Objects || slices.ContainsFunc(r.Answers, func(a Answer) bool { return a.Allowed })
}

// withoutNews returns what counts of a decision that could not be recorded: of what
// it allows, only what the visitor had allowed before. A category that they had not
// answered for, and in which they refuse nothing, stays open: they are asked again. It
// reports false where that refuses nothing that is allowed now.
func (r Record) withoutNews(before *standing) (rest Record, refuses bool) {
	refusesIn := make(map[Category]bool)
	for _, a := range r.Answers {
		refusesIn[a.Category] = refusesIn[a.Category] || !a.Allowed
	}
	rest = r
	rest.Objects = r.Objects || before.objects
	rest.Answers = make([]Answer, 0, len(r.Answers))
	refuses = r.Objects && !before.objects
	for i, a := range r.Answers {
		was := before.answers[i]
		refuses = refuses || !a.Allowed && was.allows()
		if a.Allowed && (was == open || was == presumed) && !refusesIn[a.Category] {
			continue
		}
		a.Allowed = a.Allowed && was == accepted
		rest.Answers = append(rest.Answers, a)
	}
	return rest, refuses
}

// newReference returns one that nobody has.
func newReference() (r Reference) {
	rand.Read(r[:]) // never fails
	return r
}
