package charter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	maxShown   = 100             // decisions on the page; the receipt has all
	maxReceipt = 8 << 20         // bytes of a receipt: some thousand decisions
)

// A recordsPage is the data of the template "records".
type recordsPage struct {
	view
	Decisions []recorded // the newest first; none if there are none, or if they cannot be read
	More      string     // says that there are more; empty if all are shown
	Failed    bool       // they cannot be read
	File      string     // the path of the receipt
}

// A recorded is one record as the page shows it.
type recorded struct {
	Time      template.HTML
	How       string
	Law       string // empty if no decision on the page was taken under another law than opt-in
	Answers   []answered
	Objection bool
	GPC       bool
	Screen    *screen // nil if what was on the screen is not known
}

// An answered is the answers for one category. Each of Allowed and Refused is a sentence that
// names providers; empty for none.
type answered struct {
	Title            text
	Allowed, Refused string
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
	}
	c.showRecords(&page, l, records)
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

// showRecords adds the newest records to a page.
func (c *Charter) showRecords(page *recordsPage, l *localized, records []consent.Record) {
	if len(records) > maxShown {
		records = records[len(records)-maxShown:]
		page.More = strings.ReplaceAll(l.words.RecordsMore, "{count}", strconv.Itoa(maxShown))
	}
	isOther := func(record consent.Record) bool { return record.Regime != consent.OptIn }
	hasLaws := slices.ContainsFunc(records, isOther)
	left := maxScreens
	for _, record := range slices.Backward(records) {
		d := recorded{
			Time: l.words.moment(record.Time), How: l.words.how(record.Evidence.Action), Answers: c.answersOf(l, record),
			Objection: record.Objection, GPC: record.GPC,
		}
		if notice := record.Evidence.Notice; notice != nil {
			if left -= len(notice.Content()); left >= 0 {
				d.Screen = l.words.drawn(notice.Content())
			} else {
				d.Screen = &screen{Lang: page.Lang, Dir: page.Dir, Cut: true}
			}
		}
		if hasLaws {
			d.Law = l.words.law(record.Regime)
		}
		page.Decisions = append(page.Decisions, d)
	}
}

// answersOf returns the answers of a record by category. A category or a provider need not
// be declared any more.
func (c *Charter) answersOf(l *localized, record consent.Record) []answered {
	var all []answered
	for i := 0; i < len(record.Answers); {
		category := record.Answers[i].Category
		var allowed, refused []string
		for ; i < len(record.Answers) && record.Answers[i].Category == category; i++ {
			if a := record.Answers[i]; a.Allowed {
				allowed = append(allowed, a.Provider)
			} else {
				refused = append(refused, a.Provider)
			}
		}
		all = append(all, answered{c.titleOf(l, category), l.words.naming(l.words.RecordsAllowed, allowed), l.words.naming(l.words.RecordsRefused, refused)})
	}
	return all
}

// titleOf returns the title of a category, and its name if it has none in this site.
func (c *Charter) titleOf(l *localized, category consent.Category) text {
	title := c.textOf(c.categories[category].Title, l.words.Categories[category].Title, l.words)
	if title.Text == "" {
		title.Text = string(category)
	}
	return title
}

// naming fills the {providers} of a sentence; it is empty if there are none.
func (w *words) naming(sentence string, providers []string) string {
	if len(providers) == 0 {
		return ""
	}
	return strings.ReplaceAll(sentence, "{providers}", w.list(providers))
}

// moment returns a time in words. It is in UTC, since no server knows the visitor's zone.
func (w *words) moment(t time.Time) template.HTML {
	t = t.UTC()
	return w.dated("{date}, "+t.Format(time.TimeOnly)+" UTC", t)
}

// how says what a visitor did.
func (w *words) how(action consent.Action) string {
	switch action {
	case consent.ByBanner:
		return w.RecordsBanner
	case consent.ByForm:
		return w.RecordsForm
	case consent.ByPlaceholder:
		return w.RecordsPlaceholder
	case consent.ByObjection:
		return w.RecordsObjection
	case consent.ByGPC:
		return w.RecordsGPC
	case consent.ByAccount:
		return w.RecordsAccount
	default:
		return w.RecordsOther
	}
}

// law says what a regime presumes.
func (w *words) law(regime consent.Regime) string {
	switch regime {
	case consent.UK:
		return w.RecordsUK
	case consent.OptOut:
		return w.RecordsOptOut
	case consent.NoRegime:
		return w.RecordsNoRegime
	default:
		return w.RecordsOptIn
	}
}

// recordsTrials are pages by which replaceTemplates tries a template of the site.
func recordsTrials(undecided, decided view) []recordsPage {
	title := text{Text: "x", Lang: "x", Dir: "ltr"}
	shown := &screen{Lang: "x", Dir: "ltr", OwnAnswers: true, HasBraces: true, Cut: true, Blocks: []block{
		{As: consent.AsButton, Text: title, Pressed: title},
		{As: consent.AsSummary, Text: title, Folded: []block{{As: consent.AsBox, Text: title, Checked: true}, {Cells: []text{title, title}}}},
	}}
	full := recorded{Time: "x", How: "x", Law: "x", Answers: []answered{{title, "x", "x"}}, Objection: true, GPC: true, Screen: shown}
	return []recordsPage{
		{view: undecided}, {view: decided}, {view: decided, Failed: true},
		{view: decided, File: "/x", More: "x", Decisions: []recorded{full, {Time: "x", How: "x"}}},
	}
}
