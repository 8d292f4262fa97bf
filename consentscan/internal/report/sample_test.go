package report_test

import (
	"bytes"
	"encoding/base64"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

var update = flag.Bool("update", false, "write the files of testdata anew")

// outputs are all forms of a report.
var outputs = []struct {
	file  string
	write func(w io.Writer, r report.Report) error
}{
	{"report.txt", func(w io.Writer, r report.Report) error { return report.Text(w, r, false) }},
	{"report.color.txt", func(w io.Writer, r report.Report) error { return report.Text(w, r, true) }},
	{"report.json", func(w io.Writer, r report.Report) error { return report.JSON(w, r, false) }},
	{"report.events.json", func(w io.Writer, r report.Report) error { return report.JSON(w, r, true) }},
	{"report.sarif", func(w io.Writer, r report.Report) error { return report.SARIF(w, r, nil) }},
	{"report.declarations.sarif", func(w io.Writer, r report.Report) error {
		return report.SARIF(w, r, &report.File{Path: `config\cookies.json`, Text: []byte("{\n  \"cookies\": [\n    {\"name\": \"_ga\"}\n  ]\n}\n")})
	}},
	{"report.html", report.HTML},
	{"declarations.json", func(w io.Writer, r report.Report) error { return report.Declarations(w, r, "json", "") }},
	{"declarations.go.txt", func(w io.Writer, r report.Report) error { return report.Declarations(w, r, "go", "shop") }},
	{"baseline.json", func(w io.Writer, r report.Report) error { return report.WriteBaseline(w, r.Findings) }},
}

// written returns what a form of a report is.
func written(t testing.TB, write func(io.Writer, report.Report) error, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, r))
	return b.String()
}

// The files are drawn each time, and written if they are asked for: go test -update
func TestEachFormOfTheReportIsAsInTestdata(t *testing.T) {
	for _, output := range outputs {
		t.Run(output.file, func(t *testing.T) {
			got := written(t, output.write, sample())
			file := filepath.Join("testdata", output.file)
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

func TestTheSameReportIsTheSameBytes(t *testing.T) {
	for _, output := range outputs {
		first := written(t, output.write, sample())
		for range 5 {
			again := sample()
			for i, j := 0, len(again.Findings)-1; i < j; i, j = i+1, j-1 { // in another order
				again.Findings[i], again.Findings[j] = again.Findings[j], again.Findings[i]
			}
			assert.Equal(t, first, written(t, output.write, again), output.file)
		}
	}
}

func TestAReportOfNothingCanBeWritten(t *testing.T) {
	for _, output := range outputs {
		empty := report.Report{Scan: &seen.Scan{Site: "https://example.org"}}
		assert.NotEmpty(t, written(t, output.write, empty), output.file)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAnErrorOfTheWriterIsReturned(t *testing.T) {
	for _, output := range outputs {
		assert.ErrorIs(t, output.write(failing{}, sample()), io.ErrClosedPipe, output.file)
	}
}

// One pixel.
var png, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")

const day = 24 * time.Hour

func registry() *consent.Registry {
	text := consent.Text{language.English: "x"}
	return consent.MustRegistry(
		consent.Cookie{Provider: "Google", Name: "_ga*", Purpose: text, Category: consent.AudienceMeasurement, Lifetime: 390 * day},
		consent.Cookie{Provider: "Example", Name: "session", Purpose: text, Category: consent.Necessary},
		consent.Cookie{Provider: "Example", Name: "wishlist", Purpose: text, Category: consent.Appearance, Kind: consent.LocalStorage},
	)
}

// sample is a report in which each thing that a report can say stands once.
func sample() report.Report {
	no := false
	const tag = "https://www.googletagmanager.com/gtag/js"
	scan := &seen.Scan{
		Site: "https://staging.example.org", Hosts: []string{"staging.example.org", "example.org"}, Browser: "Chromium 156.0.1",
		Started: time.Date(2026, 11, 5, 14, 3, 0, 0, time.UTC), Took: 133*time.Second + 400*time.Millisecond,
		Stages: []seen.Stage{
			{Name: "new", Pages: []string{"/", "/contact", "/shop"}, Pictures: []seen.Picture{{Page: "/", PNG: png}}},
			{Name: "refused", Answered: true, Pages: []string{"/", "/contact", "/shop"}, Kept: &no, Pictures: []seen.Picture{{Page: "/", PNG: png}}},
			{Name: "accepted", Choice: consent.AcceptAll(), Answered: true, Pages: []string{"/", "/contact", "/shop"}},
			{Name: "withdrawing", Answered: true, Earlier: "accepted", Living: true, Pages: []string{"/"}},
			{Name: "withdrawn", Answered: true, Earlier: "accepted", Pages: []string{"/", "/contact"}},
			{Name: "objected", Answered: true, Skipped: "nothing that one can object to is declared"},
			{Name: "opt-out with Sec-GPC", Regime: consent.OptOut, GPC: true, Pages: []string{"/", "/contact", "/shop"}},
		},
		Problems: []seen.Problem{
			{Stage: "accepted", Page: "/shop", Text: "did not come to rest within 10s"},
			{Text: "robots.txt could not be read"},
		},
	}
	ga := &seen.Attributes{Domain: "example.org", Path: "/", Lifetime: 400 * day, SameSite: "Lax"}
	for _, stage := range []string{"new", "refused", "accepted", "withdrawn"} {
		scan.Events = append(scan.Events,
			seen.Event{Act: seen.Stored, Stage: stage, Kind: seen.Cookie, Name: "_ga", Host: "example.org", Page: "/contact", By: seen.Cause{Script: tag, Line: 12, Column: 3}, Attributes: ga},
			seen.Event{Act: seen.Contacted, Stage: stage, Host: "www.googletagmanager.com", Third: true, Transport: seen.Script, Page: "/contact"},
		)
	}
	scan.Events = append(scan.Events,
		seen.Event{Act: seen.Stored, Stage: "new", Kind: seen.Cookie, Name: "session", Host: "staging.example.org", Page: "/", By: seen.Cause{Header: "https://staging.example.org/"},
			Attributes: &seen.Attributes{Domain: "staging.example.org", HostOnly: true, Path: "/", HTTPOnly: true, Secure: true, Partitioned: true, SameSite: "Lax"}, Line: "session=…; Path=/; HttpOnly; Secure; SameSite=Lax", Hash: "0123456789abcdef"},
		seen.Event{Act: seen.Blocked, Stage: "new", Kind: seen.Cookie, Name: "embed", Host: "staging.example.org", Page: "/", By: seen.Cause{Header: "https://staging.example.org/"}, Line: "embed=…; SameSite=None", Reason: "SameSiteNoneInsecure"},
		seen.Event{Act: seen.Stored, Stage: "accepted", Kind: seen.Cookie, Name: "campaign", Host: "localhost", Page: "/shop", By: seen.Cause{Header: "http://localhost:8080/shop"},
			Attributes: &seen.Attributes{Domain: "localhost", Path: "/shop", Lifetime: 30 * day}},
		seen.Event{Act: seen.Kept, Stage: "accepted", Kind: seen.LocalStorage, Name: "theme", Host: "staging.example.org", Page: "/"},
		seen.Event{Act: seen.Kept, Stage: "accepted", Kind: seen.ServiceWorker, Name: "/worker.js", Host: "staging.example.org", Page: "/"},
		seen.Event{Act: seen.Contacted, Stage: "accepted", Host: "chat.example.net", Third: true, Cloaked: "chat.vendor.example", Transport: seen.WebSocket, Page: "/contact"},
		seen.Event{Act: seen.Contacted, Stage: "accepted", Host: "127.0.0.1:9000", Third: true, Transport: seen.Beacon, Page: "/contact", Leaving: true, By: seen.Cause{Worker: "service worker", Script: "https://staging.example.org/worker.js"}},
	)
	scan.Events = append(scan.Events, seen.Event{Act: seen.Kept, Stage: "accepted", Kind: seen.Cookie, Name: "answer", Host: "staging.example.org", Page: "/"},
		seen.Event{Act: seen.Signalled, Stage: "refused", Name: "Google", Reason: "was told granted", Page: "/", Frame: "https://staging.example.org/frame"})

	var many []finding.Place
	for _, page := range []string{"/contact", "/", "/shop", "/about", "/terms"} {
		many = append(many, finding.Place{Stage: "new", Page: page, How: "script " + tag + " line 12 column 3", Script: tag, Line: 12})
	}
	return report.Report{
		Scan: scan, Registry: registry(), OwnCookies: []string{"answer"}, Baselined: 2, Version: "v0.2.0",
		Gone: []report.Known{{Check: finding.NeverSeen, Kind: "cookie", Name: "old", Host: "example.org", Fingerprint: "f0"}},
		Findings: []finding.Finding{
			{
				Check: finding.NeverSeen, Level: finding.Note, Kind: "local storage", Name: "wishlist", Provider: "Example", Category: "appearance",
				Message: `"wishlist" is declared, and no stage has seen it`, Mend: "Take the declaration out, or scan the page that uses it.", Fingerprint: "a1",
			},
			{ // of another provider
				Check: finding.NeverSeen, Level: finding.Note, Kind: "local storage", Name: "wishlist", Provider: "Shop", Category: "appearance",
				Message: `"wishlist" is declared, and no stage has seen it`, Fingerprint: "a0",
			},
			{
				Check: finding.StoredWithoutConsent, Level: finding.Error, Kind: "cookie", Name: "_ga", Host: "example.org", Provider: "Google", Category: "audience-measurement",
				Message: `"_ga" was stored before the visitor had allowed audience-measurement`,
				Mend:    "Gate the script that stores it:\n<script type=\"text/plain\" data-consent=\"audience-measurement\" src=\"" + tag + "\"></script>",
				Rule:    "before-anything-is-stored-or-read", Source: "ePrivacy art. 5(3); 091 art. 2; EDPB § 90",
				Stages: []string{"new", "refused", "withdrawn"}, Places: many, More: 7, Fingerprint: "a2",
			},
			{
				Check: finding.Undeclared, Level: finding.Warning, Kind: "cookie", Name: "campaign", Host: "localhost", Message: `"campaign" is not declared`,
				Mend: "consent.Cookie{\n\tName: \"campaign\",\n\tPath: \"/shop\",\n}", Rule: "asking", Source: "EDPB § 64",
				Stages: []string{"accepted"}, Places: []finding.Place{{Stage: "accepted", Page: "/shop", How: "Set-Cookie of http://localhost:8080/shop"}}, Fingerprint: "a3",
			},
			{
				Check: finding.UndeclaredOrigin, Level: finding.Warning, Kind: "host", Name: "chat.example.net", Host: "chat.example.net", Message: `"chat.example.net" was contacted, and no declaration names it`,
				Stages: []string{"accepted"}, Places: []finding.Place{{Stage: "accepted", Page: "/contact", Frame: "https://staging.example.org/frame", How: "websocket"}}, Fingerprint: "a4",
			},
			{
				Check: finding.UndeclaredOrigin, Level: finding.Warning, Kind: "host", Name: "127.0.0.1:9000", Host: "127.0.0.1:9000", Message: `"127.0.0.1:9000" was contacted, and no declaration names it`,
				Stages: []string{"accepted"}, Fingerprint: "a5",
			},
			{
				Check: finding.AnswerNotKept, Level: finding.Error, Kind: "site", Name: "staging.example.org", Message: "The site asked again after a refusal",
				Rule: "afterwards", Source: "092 §§ 38–39", Stages: []string{"refused"}, Places: []finding.Place{{Stage: "refused", Page: "/shop"}}, Fingerprint: "a6",
			},
		},
	}
}

// hostile are what a site may put into every text of a report.
var hostile = []string{
	"\x1b]0;owned\x07\x1b[2J", "\u009b31m", "\u202egnp.exe", "\r\nerror fake: line", "\x00\x7f", "\xff\xfe", "\u2028\u2066",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</style><b>", "javascript:alert(1)", "{{.Scan}}", "[click](https://evil.example)", `\[click\](https://evil.example)`, "{0}",
	"*/ panic(1) /*", "`+x+`", "//evil.example/path", strings.Repeat("long", 2000),
}

// hostileReport has the text in every place that a site can write to.
func hostileReport(text string) report.Report {
	r := sample()
	cause := seen.Cause{Header: text, Script: text, Line: 1, Column: 1, Worker: text}
	for i := range r.Scan.Events {
		e := &r.Scan.Events[i]
		e.Name, e.Host, e.Page, e.Frame, e.By, e.Line, e.Reason, e.Cloaked = text, text, text, text, cause, text, text, text
		if e.Attributes != nil {
			e.Attributes = &seen.Attributes{Domain: text, Path: text, SameSite: text}
		}
	}
	r.Scan.Hosts, r.Scan.Browser = []string{text}, text
	for i := range r.Scan.Stages {
		s := &r.Scan.Stages[i]
		s.Pages = []string{text}
		for j := range s.Pictures {
			s.Pictures[j].Page = text
		}
		if s.Skipped != "" {
			s.Skipped = text
		}
	}
	for i := range r.Scan.Problems {
		r.Scan.Problems[i].Page, r.Scan.Problems[i].Text = text, text
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Name, f.Host, f.Message, f.Mend, f.Provider, f.Source, f.Rule = text, text, text, text, text, text, text
		f.Places = []finding.Place{{Stage: text, Page: text, Frame: text, How: text, Script: text, Line: 1}}
	}
	r.Gone = []report.Known{{Check: finding.Undeclared, Kind: text, Name: text, Host: text, Fingerprint: text}}
	return r
}
