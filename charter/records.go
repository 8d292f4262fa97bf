package charter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cookiecharter/consent"
)

// A History is what is recorded of visitors, for themselves to read: see [Config.History].
// The Receipts of the module's ledger are one. It must be safe for concurrent use, and heed
// ctx, which ends with the request and after five seconds at the latest.
type History interface {
	// Records returns the decisions of a visitor, the oldest first. None is no error.
	Records(ctx context.Context, visitor consent.Reference) ([]consent.Record, error)

	// WriteReceipt writes all of them as JSON-LD, a consent receipt by ISO/IEC TS 27560. It
	// is asked only for a visitor who has records.
	WriteReceipt(ctx context.Context, w io.Writer, visitor consent.Reference) error
}

// The names are below the charter's path.
const (
	recordsName = "records"
	receiptName = "records.json"
)

const (
	maxReading = 5 * time.Second // how long a visitor waits for their records
	maxReceipt = 8 << 20         // bytes of a receipt
)

// A recordsPage is the data of the template "records".
type recordsPage struct {
	view
	Decisions []recorded // the newest first; none if there are none, or if they cannot be read
	More      string     // says that there are more; empty if all are shown
	Failed    bool       // they cannot be read
	File      string     // the path of the receipt
}

// records serves the page with the decisions that are recorded under the visitor's own
// reference. No parameter can name another: who could guess one would read another's.
func (c *Charter) records(w http.ResponseWriter, r *http.Request) {
	prefs := consent.FromContext(r.Context())
	if prefs == (consent.Preferences{}) {
		c.failed(r, consent.ErrOutside)
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxReading)
	defer cancel()
	v, l := c.view(r)
	page, status := recordsPage{view: v, File: c.public + receiptName}, http.StatusOK
	records, err := c.recordsOf(ctx, prefs)
	if err != nil {
		page.Failed, status = true, http.StatusServiceUnavailable
		c.recordsFailed(w, r, err)
	} else {
		c.showRecords(&page, l, records)
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	sendDocument(w, status, v.Lang, c.render("records", page))
}

// receipt serves the receipt of the same decisions, for the visitor to keep.
func (c *Charter) receipt(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	w.Header().Set("X-Robots-Tag", "noindex")
	say := func(status int, sentence string) {
		send(w, status, "text/plain; charset=utf-8", []byte(sentence+"\n"))
	}
	if !fromOwnPage(r) {
		say(http.StatusForbidden, "the receipt is for pages of this site")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxReading)
	defer cancel()
	l, prefs := c.localizedFor(r), consent.FromContext(r.Context())
	var content limited
	records, err := c.recordsOf(ctx, prefs)
	if err == nil && len(records) > 0 {
		err = c.history.WriteReceipt(ctx, &content, prefs.Reference())
	}
	switch {
	case err != nil:
		c.recordsFailed(w, r, err)
		say(http.StatusServiceUnavailable, l.words.RecordsFailed)
	case prefs.Reference() == consent.Reference{}:
		say(http.StatusNotFound, l.words.RecordsNone)
	case len(records) == 0:
		say(http.StatusNotFound, l.words.RecordsMissing)
	default:
		w.Header().Set("Content-Disposition", `attachment; filename="consent-receipt.json"`)
		send(w, http.StatusOK, "application/ld+json", content.written.Bytes())
	}
}

// recordsOf returns what is recorded of a visitor. Who has no reference has no records.
func (c *Charter) recordsOf(ctx context.Context, prefs consent.Preferences) ([]consent.Record, error) {
	if prefs.Reference() == (consent.Reference{}) {
		return nil, nil
	}
	return c.history.Records(ctx, prefs.Reference())
}

// recordsFailed tells the site why a visitor cannot read their records, unless the reason is
// that they have left.
func (c *Charter) recordsFailed(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Retry-After", "10")
	if r.Context().Err() == nil {
		c.failed(r, fmt.Errorf("charter: the records of a visitor cannot be read: %w", err))
	}
}

// A limited keeps what is written, up to maxReceipt. A receipt that is cut would be a file
// that no program reads, so that the one that is too long is an error.
type limited struct{ written bytes.Buffer }

var errTooLong = errors.New("charter: a receipt has more than 8 MiB")

func (l *limited) Write(p []byte) (int, error) {
	if l.written.Len()+len(p) > maxReceipt {
		return 0, errTooLong
	}
	return l.written.Write(p)
}
