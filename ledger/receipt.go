package ledger

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cookiecharter/consent"
)

// Receipts give visitors what is recorded of their own decisions. They are made by
// [Ledger.Receipts], and are safe for concurrent use.
type Receipts struct {
	ledger *Ledger
	maker  recordMaker
}

// Receipts returns what gives visitors their own records, in the name of issuer. The error
// joins every mistake in it, each an [*IssuerError].
func (l *Ledger) Receipts(issuer Issuer) (*Receipts, error) {
	if err := issuer.check(); err != nil {
		return nil, err
	}
	return &Receipts{l, recordMaker{issuer}}, nil
}

// Records returns the decisions of a visitor that stand, the oldest first; none is no
// error. What was forgotten or purged is left out, and so is a consent that did not count.
// Each has the notice that the visitor was shown, if there was one. Previous is the time of
// the one before. The error is the database's, or says that a record is not as it was
// written: then none is returned.
func (r *Receipts) Records(ctx context.Context, visitor consent.Reference) ([]consent.Record, error) {
	h, err := r.ledger.standing(ctx, visitor)
	if errors.Is(err, ErrNoRecord) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	records := make([]consent.Record, len(h.Entries))
	for i := range h.Entries {
		e := &h.Entries[i]
		records[i] = e.record()
		if content := h.Notices[e.Notice]; content != nil {
			records[i].Evidence.Notice = consent.NewNotice(content)
		}
		if i > 0 {
			records[i].Previous = records[i-1].Time
		}
	}
	return records, nil
}

// standing returns the history of a visitor as far as it counts. It is an error if some of
// it is not as it was written.
func (l *Ledger) standing(ctx context.Context, visitor consent.Reference) (*History, error) {
	h, err := l.History(ctx, visitor)
	if err != nil {
		return nil, err
	}
	for i := range h.Entries {
		if err := h.Entries[i].wrong(); err != nil {
			return nil, err
		}
	}
	// One decision stands once: what counts of one that was not confirmed comes next.
	kept := h.Entries[:0]
	for i, e := range h.Entries {
		if i+1 == len(h.Entries) || !h.Entries[i+1].Remainder {
			kept = append(kept, e)
		}
	}
	h.Entries = kept
	return h, nil
}

// wrong returns an error if the record is not as it was written.
func (e *Entry) wrong() error {
	if e.Checked != Unchecked {
		return nil
	}
	return fmt.Errorf("ledger: the record %s of the visitor %s is not as it was written: it %s", e.ID, e.Reference, e.Faults[0])
}

// WriteReceipt writes the receipt of a visitor as JSON-LD: a dpv:ConsentReceipt that holds a
// record of each decision which [Receipts.Records] returns. See [Ledger.ExportReceipts] for
// what they hold. The error is [ErrNoRecord], w's, or one of [Receipts.Records]; nothing has
// been written then unless it is w's.
func (r *Receipts) WriteReceipt(ctx context.Context, w io.Writer, visitor consent.Reference) error {
	h, err := r.ledger.standing(ctx, visitor)
	if err != nil {
		return err
	}
	notices := make(map[string]shownBy)
	for fingerprint, content := range h.Notices {
		notices[fingerprint] = readShownBy(content)
	}
	receipt := ldReceipt{Context: receiptContext, ID: newKey(milliseconds(time.Now())).urn(), Type: "dpv:ConsentReceipt", ConformsTo: profile + "receipt"}
	receipt.Identifier = receipt.ID[len(urn):]
	receipt.HasIdentifier = receipt.Identifier
	receipt.Created = ldTime(time.Now())
	receipt.Publisher = r.maker.issuer.Controller.URL
	receipt.Recipient = subjectID(h.Reference)
	var visit visitorSoFar
	providers := make(map[string]bool)
	for i := range h.Entries {
		e := &h.Entries[i]
		receipt.Records = append(receipt.Records, r.maker.record(e, notices[e.Notice], &visit))
		for _, a := range e.Answers {
			providers[a.Provider] = true
		}
	}
	receipt.Entities = r.maker.entities(providers)
	var b bytes.Buffer
	if err := encodeLD(&b, receipt, "  "); err != nil {
		return fmt.Errorf("ledger: cannot write the receipt: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

//go:embed receipt.context.json
var receiptContextFile []byte

// receiptContext says which IRIs the names in a receipt stand for. It stands in each, so
// that nobody has to ask a server for it.
var receiptContext = json.RawMessage(receiptContextFile)

// encodeLD writes v without the escapes of HTML.
func encodeLD(w io.Writer, v any, indent string) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	return encoder.Encode(v)
}
