package ledger

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// An Entry is a record that has been read from the ledger. Its JSON is what
// [Ledger.Export] writes.
type Entry struct {
	ID        string           `json:"id"`        // a UUID that begins with the time
	Time      time.Time        `json:"time"`      // of the decision; of a forgotten one, the only thing that is known
	Reference string           `json:"reference"` // of the visitor, as consent.Reference writes it
	Number    int64            `json:"number"`    // among the visitor's records, from 1
	Previous  string           `json:"previous"`  // the ID of the visitor's record before; "" for none
	Answers   []consent.Answer `json:"answers"`
	Objection bool             `json:"objection"`
	GPC       bool             `json:"gpc"`
	Regime    consent.Regime   `json:"regime"` // under which the visitor was asked
	Revision  uint64           `json:"revision"`
	Action    consent.Action   `json:"action"`
	Language  string           `json:"language"`            // a BCP 47 tag
	Notice    string           `json:"notice"`              // the SHA-256 sum of the notice that the visitor was shown, in hexadecimal
	Hash      string           `json:"hash"`                // of this record, in hexadecimal
	Forgotten *time.Time       `json:"forgotten,omitempty"` // when it was erased; nil for a record that stands
}

// entry makes the entry of a row.
func (r *row) entry() (Entry, error) {
	e := Entry{
		ID: r.id.String(), Time: time.UnixMilli(r.decided).UTC(), Reference: consent.Reference(r.reference).String(), Number: r.n,
		Answers: []consent.Answer{}, Objection: r.objection, GPC: r.gpc, Revision: uint64(r.revision),
		Action: consent.Action(r.action), Language: r.language, Notice: hex.EncodeToString(r.notice), Hash: hex.EncodeToString(r.hash),
	}
	if r.previous != (key{}) {
		e.Previous = r.previous.String()
	}
	if r.forgotten != 0 {
		at := time.UnixMilli(r.forgotten).UTC()
		e.Time, e.Forgotten = time.UnixMilli(r.id.time()).UTC(), &at
		return e, nil
	}
	if err := e.Regime.UnmarshalText([]byte(r.regime)); err != nil {
		return e, fmt.Errorf("the regime of the record %v cannot be read: %w", r.id, err)
	}
	if err := json.Unmarshal([]byte(r.answers), &e.Answers); err != nil {
		return e, fmt.Errorf("the answers of the record %v cannot be read: %w", r.id, err)
	}
	return e, nil
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

// ErrNoRecord says that the ledger has no record of a visitor: they never decided,
// or their records were forgotten, purged or lost.
var ErrNoRecord = errors.New("ledger: there is no record of this visitor")

// History returns what a visitor has decided, and exactly the notices they were shown. The
// error is [ErrNoRecord] or the database's.
func (l *Ledger) History(ctx context.Context, reference consent.Reference) (*History, error) {
	h := &History{Reference: reference.String(), Notices: make(map[string]json.RawMessage)}
	rows, err := l.db.QueryContext(ctx, l.db.sql(whole+`WHERE reference = $1 ORDER BY n`), l.db.key(key(reference)))
	err = each(rows, err, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			return err
		}
		e, err := r.entry()
		h.Entries = append(h.Entries, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot read the history: %w", err)
	}
	if len(h.Entries) == 0 {
		return nil, ErrNoRecord
	}
	for _, e := range h.Entries {
		if _, read := h.Notices[e.Notice]; read || e.Notice == "" {
			continue
		}
		fingerprint, _ := hex.DecodeString(e.Notice)
		var content []byte
		err := l.db.QueryRowContext(ctx, l.db.sql(`SELECT content FROM consent_notice WHERE fingerprint = $1`), fingerprint).Scan(&content)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("ledger: cannot read a notice: %w", err)
		}
		if json.Valid(content) { // Verify says where it is missing or was altered
			h.Notices[e.Notice] = content
		}
	}
	return h, nil
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
// visitor who asks, or for whoever the site has to answer to.
func (h *History) WritePage(w io.Writer) error {
	t, err := page()
	if err != nil {
		return err
	}
	type notice struct {
		Language  string
		Sentences map[string]string
		Cookies   []struct {
			Provider, Service, Name, Purpose, Category string
			Lifetime                                   int64
			NeedsConsent                               bool
		}
	}
	view := struct {
		*History
		Shown     map[string]notice
		Backwards map[int64]bool
	}{h, make(map[string]notice), make(map[int64]bool)}
	for fingerprint, content := range h.Notices {
		var n notice
		if err := json.Unmarshal(content, &n); err != nil {
			return fmt.Errorf("ledger: the notice %s cannot be read: %w", fingerprint, err)
		}
		view.Shown[fingerprint] = n
	}
	for i, e := range h.Entries {
		view.Backwards[e.Number] = i > 0 && e.Time.Before(h.Entries[i-1].Time)
	}
	return t.Execute(w, view)
}
