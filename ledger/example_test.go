package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

var ctx = context.Background()

// march is a decision for the examples.
func march(day int, allowed bool) consent.Record {
	return consent.Record{
		Reference: consent.Reference{15: byte(day)},
		Time:      time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC),
		Answers:   []consent.Answer{{Category: consent.Statistics, Provider: "Matomo", Allowed: allowed}},
		Evidence:  consent.Evidence{Action: consent.ByBanner},
	}
}

// exampleBooks opens a ledger with three decisions, and returns what closes it.
func exampleBooks() (*ledger.Ledger, func()) {
	directory, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	books, err := ledger.Open(ctx, filepath.Join(directory, "consent.db"), ledger.Config{Keys: [][]byte{secret}})
	if err != nil {
		panic(err)
	}
	for day := range 3 {
		if err := books.Record(ctx, march(day+1, day < 2)); err != nil {
			panic(err)
		}
	}
	return books, func() {
		if err := books.Close(ctx); err != nil {
			panic(err)
		}
		os.RemoveAll(directory)
	}
}

// secret is 32 bytes or more, random in production.
var secret = []byte("in production this comes from your secrets")

func Example() {
	directory, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)

	books, err := ledger.Open(ctx, filepath.Join(directory, "consent.db"), ledger.Config{Keys: [][]byte{secret}})
	if err != nil {
		panic(err)
	}
	defer books.Close(ctx)
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{secret}, Recorder: books})
	if err != nil {
		panic(err)
	}

	app := mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := mw.Save(w, r, consent.AcceptAll()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		history, err := books.History(r.Context(), consent.FromContext(r.Context()).Reference())
		fmt.Println(len(history.Entries), "record,", len(history.Notices), "notice,", err)
	}))
	app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil))
	// Output: 1 record, 1 notice, <nil>
}

func ExampleLedger() {
	books, done := exampleBooks()
	defer done()
	erased, err := books.Forget(ctx, consent.Reference{15: 1})
	fmt.Println(erased, "erased,", err)
	purged, err := books.Purge(ctx, time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), nil)
	fmt.Println(purged, "purged,", err)
	// Output:
	// 1 erased, <nil>
	// 2 purged, <nil>
}

func ExampleReport() {
	books, done := exampleBooks()
	defer done()
	report, err := books.Verify(ctx, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(report.Records, "records, all as they were written:", report.OK())
	// Output: 3 records, all as they were written: true
}

func ExampleHistory() {
	books, done := exampleBooks()
	defer done()
	history, err := books.History(ctx, consent.Reference{15: 1})
	if err != nil {
		panic(err)
	}
	var page bytes.Buffer
	if err := history.WritePage(&page); err != nil {
		panic(err)
	}
	fmt.Println(bytes.Contains(page.Bytes(), []byte("1 March 2026, 12:00:00")))
	// Output: true
}

func ExampleEntry() {
	books, done := exampleBooks()
	defer done()
	history, err := books.History(ctx, consent.Reference{15: 3})
	if err != nil {
		panic(err)
	}
	for _, e := range history.Entries {
		fmt.Println(e.Number, e.Time, e.Action, e.Answers)
	}
	// Output: 1 2026-03-03 12:00:00 +0000 UTC banner [{statistics Matomo false}]
}

func ExampleFormat() {
	books, done := exampleBooks()
	defer done()
	var lines bytes.Buffer
	if err := books.Export(ctx, &lines, ledger.JSONLines, ledger.Period{}, nil); err != nil {
		panic(err)
	}
	fmt.Println(bytes.Count(lines.Bytes(), []byte("\n")), "lines")
	// Output: 7 lines
}

func ExamplePeriod() {
	books, done := exampleBooks()
	defer done()
	march2 := ledger.Period{From: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)}
	stats, err := books.Stats(ctx, march2, ledger.Grouping{}, nil)
	fmt.Println(len(stats), "day,", err)
	// Output: 1 day, <nil>
}

func ExampleStat() {
	books, done := exampleBooks()
	defer done()
	stats, err := books.Stats(ctx, ledger.Period{}, ledger.Grouping{}, nil)
	if err != nil {
		panic(err)
	}
	for _, s := range stats {
		fmt.Printf("%s %s: %.0f %% of %d\n", s.Start.Format(time.DateOnly), s.Category, 100*s.Rate(), s.Decided)
	}
	// Output:
	// 2026-03-01 statistics: 100 % of 1
	// 2026-03-02 statistics: 100 % of 1
	// 2026-03-03 statistics: 0 % of 1
}

func ExampleUsers() {
	books, done := exampleBooks()
	defer done()
	users, err := books.Users([]byte("32 bytes from the site's secrets"))
	if err != nil {
		panic(err)
	}
	// After each Save of who is signed in, with the visitor's preferences; Users.Wrap does it.
	if err := users.Link(ctx, consent.Reference{15: 2}, march(2, true).Time, "account 42"); err != nil {
		panic(err)
	}
	// On another device, for mw.Restore.
	record, err := users.Latest(ctx, "account 42")
	fmt.Println(record.Time.Format(time.DateOnly), record.Answers, err)
	// Output: 2026-03-02 [{statistics Matomo true}] <nil>
}

func ExampleFigures() {
	books, done := exampleBooks()
	defer done()
	figures := books.Figures()
	fmt.Println(figures.Waiting, "wait,", figures.Dropped, "were dropped; failing:", figures.Failing)
	// Output: 0 wait, 0 were dropped; failing: <nil>
}

func ExampleAnchor() {
	books, done := exampleBooks()
	defer done()
	report, err := books.Verify(ctx, nil)
	if err != nil {
		panic(err)
	}
	printed := report.Anchor.String() // keep it where who may write to the database may not

	anchor, err := ledger.ParseAnchor(printed)
	if err != nil {
		panic(err)
	}
	report, err = books.Verify(ctx, nil, anchor)
	fmt.Println("what was there then is there now:", report.OK(), err)
	// Output: what was there then is there now: true <nil>
}

func ExampleVerifyExport() {
	books, done := exampleBooks()
	defer done()
	var lines bytes.Buffer
	if err := books.Export(ctx, &lines, ledger.JSONLines, ledger.Period{}, nil); err != nil {
		panic(err)
	}
	report, err := ledger.VerifyExport(&lines, ledger.Config{Keys: [][]byte{secret}}, nil)
	fmt.Println(report.Records, "records, as they were written:", report.OK(), err)
	// Output: 3 records, as they were written: true <nil>
}

func ExampleImport() {
	books, done := exampleBooks()
	defer done()
	directory, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	file := filepath.Join(directory, "2026-03-31.db")
	if _, err := books.Backup(ctx, file, nil); err != nil {
		panic(err)
	}
	// To postgres://…, for instance.
	report, err := ledger.Import(ctx, file, filepath.Join(directory, "new.db"), ledger.Config{Keys: [][]byte{secret}}, nil, nil)
	fmt.Println(report.Records, "records, as they were written:", report.OK(), err)
	// Output: 3 records, as they were written: true <nil>
}

func ExampleLedger_Backup() {
	books, done := exampleBooks()
	defer done()
	directory, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	report, err := books.Backup(ctx, filepath.Join(directory, "2026-03-31.db"), nil)
	fmt.Println(report.Records, "records, as they were written:", report.OK(), err)
	// Output: 3 records, as they were written: true <nil>
}

func ExamplePurgePlan() {
	books, done := exampleBooks()
	defer done()
	before := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	plan, err := books.PlanPurge(ctx, before, 100*365*24*time.Hour) // here a decision stands for a hundred years
	fmt.Println(plan.Records, "records, the proof of", plan.Standing, "consents that still stand,", err)
	// Output: 2 records, the proof of 2 consents that still stand, <nil>
}

func ExampleLedger_Ready() {
	books, done := exampleBooks()
	defer done()
	readyz := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := books.Ready(r.Context()); err != nil {
			http.Error(w, "no consent can be recorded", http.StatusServiceUnavailable)
		}
	})
	w := httptest.NewRecorder()
	readyz.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	fmt.Println(w.Code)
	// Output: 200
}
