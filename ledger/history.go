package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// An Entry is a record that has been read from the ledger. Its JSON is what
// [Ledger.Export] writes.
type Entry struct {
	ID           string           `json:"id"`        // a UUID that begins with the time
	Time         time.Time        `json:"time"`      // of the decision; of a forgotten one, the only thing that is known
	Reference    string           `json:"reference"` // of the visitor, as consent.Reference writes it
	Number       int64            `json:"number"`    // among the visitor's records, from 1
	Previous     string           `json:"previous"`  // the ID of the visitor's record before; "" for none
	PreviousHash string           `json:"previousHash"`
	Remainder    bool             `json:"remainder"` // the same decision as the record before, whose consent was not confirmed and did not count: what counts of it
	Answers      []consent.Answer `json:"answers"`
	Objection    bool             `json:"objection"`
	GPC          bool             `json:"gpc"`
	Regime       consent.Regime   `json:"regime"` // under which the visitor was asked
	Revision     uint64           `json:"revision"`
	Action       consent.Action   `json:"action"`
	Language     string           `json:"language"`            // a BCP 47 tag
	Notice       string           `json:"notice"`              // the SHA-256 sum of the notice that the visitor was shown, in hexadecimal
	Act          json.RawMessage  `json:"act,omitempty"`       // of what is no decision: what was done to the records
	Forgotten    *time.Time       `json:"forgotten,omitempty"` // when it was erased; nil for a record that stands
	Digest       string           `json:"digest,omitempty"`    // of what was erased
	Writer       string           `json:"writer"`              // the UUID of the run of a process that wrote it
	Place        int64            `json:"place"`               // among the writer's records, from 1
	BeforeHash   string           `json:"beforeHash"`          // of the writer's record before
	Hash         string           `json:"hash"`                // of this record, in hexadecimal
	Seal         string           `json:"seal,omitempty"`
	Checked      Check            `json:"checked"`          // what says that it is as it was written
	Faults       []string         `json:"faults,omitempty"` // why it is not
}

// A Check is what was found to hold of a record.
type Check string

const (
	Unchecked   Check = ""     // nothing: there are faults
	HashChecked Check = "hash" // its hash, which anybody can compute
	SealChecked Check = "seal" // its hash, and its seal by a key of the site
)

// entry makes the entry of a row.
func (r *row) entry() Entry {
	e := Entry{
		ID: r.id.String(), Time: time.UnixMilli(r.decided).UTC(), Reference: consent.Reference(r.reference).String(), Number: r.n,
		PreviousHash: hex.EncodeToString(r.previousHash), Remainder: r.remainder,
		Answers: []consent.Answer{}, Objection: r.objection, GPC: r.gpc, Revision: uint64(r.revision),
		Action: consent.Action(r.action), Language: r.language, Notice: hex.EncodeToString(r.notice),
		Writer: r.writer.String(), Place: r.place, BeforeHash: hex.EncodeToString(r.beforeHash), Hash: hex.EncodeToString(r.hash), Seal: hex.EncodeToString(r.seal),
	}
	if r.previous != (key{}) {
		e.Previous = r.previous.String()
	}
	switch {
	case r.forgotten != 0:
		at := time.UnixMilli(r.forgotten).UTC()
		e.Time, e.Forgotten, e.Digest = time.UnixMilli(r.id.time()).UTC(), &at, hex.EncodeToString(r.digest)
	case r.act != "":
		if json.Valid([]byte(r.act)) { // or a fault says so
			e.Act = json.RawMessage(r.act)
		}
	default:
		if err := e.Regime.UnmarshalText([]byte(r.regime)); err != nil {
			e.Faults = append(e.Faults, "has a regime that cannot be read")
		}
		if err := json.Unmarshal([]byte(r.answers), &e.Answers); err != nil {
			e.Answers = []consent.Answer{}
			e.Faults = append(e.Faults, "has answers that cannot be read")
		}
	}
	return e
}

// check says of the entry of a row what holds.
func (e *Entry) check(c *checker, r *row) {
	e.Faults = append(e.Faults, c.faults(r)...)
	switch {
	case len(e.Faults) > 0:
		e.Checked = Unchecked
	case c.can() && len(r.seal) > 0:
		e.Checked = SealChecked
	default:
		e.Checked = HashChecked
	}
}

// record makes the record that an entry was, but for its notice, of which the entry
// has the fingerprint alone.
func (e *Entry) record() consent.Record {
	reference, _ := consent.ParseReference(e.Reference)
	tag, _ := language.Parse(e.Language)
	return consent.Record{
		Reference: reference, Time: e.Time, Revision: e.Revision, Answers: e.Answers, Objection: e.Objection, GPC: e.GPC, Regime: e.Regime,
		Evidence: consent.Evidence{Action: e.Action, Language: tag},
	}
}

// A History is what one visitor decided, and the notices they were shown. It is made by
// [Ledger.History], and is JSON as it stands.
type History struct {
	Reference string                     `json:"reference"`
	Entries   []Entry                    `json:"entries"` // the oldest first, in the order in which they were recorded
	Notices   map[string]json.RawMessage `json:"notices"` // what consent.Notice calls its content, by Entry.Notice
}

// OK reports that every record is as it was written. What was taken from the end does not
// show in one visitor's history: see [Ledger.Verify].
func (h *History) OK() bool {
	return !slices.ContainsFunc(h.Entries, func(e Entry) bool { return e.Checked == Unchecked })
}

// ErrNoRecord is [consent.ErrNoRecord]: the ledger has no record of a visitor. They never
// decided, or their records were forgotten, purged or lost.
var ErrNoRecord = consent.ErrNoRecord

// History returns what a visitor has decided, and exactly the notices they were shown. It
// checks each record, its notice, and that each follows on the one before; see
// [Entry]. The error is [ErrNoRecord] or the database's.
func (l *Ledger) History(ctx context.Context, reference consent.Reference) (*History, error) {
	if err := l.readable(); err != nil {
		return nil, err
	}
	h := &History{Reference: reference.String(), Notices: make(map[string]json.RawMessage)}
	var found []row
	rows, err := l.db.QueryContext(ctx, l.db.sql(whole+`WHERE reference = $1 ORDER BY n`), l.db.key(key(reference)))
	err = each(rows, err, func(rows *sql.Rows) error {
		var r row
		err := rows.Scan(r.into()...)
		found = append(found, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot read the history: %w", err)
	}
	if len(found) == 0 {
		return nil, ErrNoRecord
	}
	known, err := l.learned(ctx, found, true)
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot check the history: %w", err)
	}
	var last row
	for i := range found {
		r := &found[i]
		e := r.entry()
		if e.Notice != "" {
			fault, err := l.readNotice(ctx, r.notice, h.Notices)
			if err != nil {
				return nil, fmt.Errorf("ledger: cannot read a notice: %w", err)
			}
			e.Faults = append(e.Faults, fault...)
		}
		// What came before the first may have been purged.
		if !r.follows(&last) && (i > 0 || r.previous == (key{}) || r.previous.time() >= known.purged) {
			e.Faults = append(e.Faults, doesNotFollow)
		}
		e.check(&known.checker, r)
		h.Entries = append(h.Entries, e)
		last = *r
	}
	return h, nil
}

// readNotice adds a notice to those that were read, and returns what is wrong with it.
func (l *Ledger) readNotice(ctx context.Context, fingerprint []byte, read map[string]json.RawMessage) (faults []string, err error) {
	name := hex.EncodeToString(fingerprint)
	if read[name] != nil {
		return nil, nil
	}
	var content []byte
	err = l.db.QueryRowContext(ctx, l.db.sql(`SELECT content FROM consent_notice WHERE fingerprint = $1`), fingerprint).Scan(&content)
	if errors.Is(err, sql.ErrNoRows) {
		return []string{"names a notice that is missing"}, nil
	}
	if sum := sha256.Sum256(content); err == nil && (!bytes.Equal(sum[:], fingerprint) || !json.Valid(content)) {
		return []string{"names a notice that was altered"}, nil // and is not shown: nobody read it
	}
	read[name] = content
	return nil, err
}

//go:embed history.html
var historyPage string

// page is the template of a history, which a program parses when it writes the
// first.
func page() (*template.Template, error) {
	return template.New("history").Funcs(template.FuncMap{
		"moment":  func(t time.Time) string { return t.Format("2 January 2006, 15:04:05.000 MST") },
		"machine": func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") },
		"lifetime": func(seconds int64) string {
			if days := seconds / (24 * 60 * 60); days >= 2 {
				return fmt.Sprint(days, " days")
			}
			return (time.Duration(seconds) * time.Second).String()
		},
	}).Parse(historyPage)
}

// WritePage writes the history as a page of HTML that needs nothing else: for the
// visitor who asks, or for whoever the site has to answer to. It draws what was on the
// visitor's screen again, from the notices alone: as text, with buttons and boxes that do
// nothing, the one that was pressed marked, and without the site's style.
func (h *History) WritePage(w io.Writer) error {
	t, err := page()
	if err != nil {
		return err
	}
	view := struct {
		*History
		Shown         map[string]shownNotice
		SetBack, Late map[int64]bool
	}{h, make(map[string]shownNotice), make(map[int64]bool), make(map[int64]bool)}
	var last row
	for _, e := range h.Entries {
		r := row{n: e.Number, decided: milliseconds(e.Time)}
		if err := r.writer.UnmarshalText([]byte(e.Writer)); err != nil {
			return fmt.Errorf("ledger: the writer of the record %s cannot be read: %w", e.ID, err)
		}
		found := order(&last, &r)
		view.SetBack[r.n], view.Late[r.n] = found == setBack, found == late
		last = r
	}
	for fingerprint, content := range h.Notices {
		n, err := readShown(content)
		if err != nil {
			return fmt.Errorf("ledger: the notice %s cannot be read: %w", fingerprint, err)
		}
		view.Shown[fingerprint] = n
	}
	return t.Execute(w, view)
}
