package charter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// A history tells what a recorder has kept, and may fail, or never answer.
type history struct {
	of      *recorder
	fails   error
	hangs   bool
	receipt string
	asked   []consent.Reference
}

func (h *history) Records(ctx context.Context, visitor consent.Reference) ([]consent.Record, error) {
	h.asked = append(h.asked, visitor)
	if h.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	var own []consent.Record
	for _, record := range h.of.records {
		if record.Reference == visitor {
			own = append(own, record)
		}
	}
	return own, h.fails
}

func (h *history) WriteReceipt(_ context.Context, w io.Writer, visitor consent.Reference) error {
	_, err := io.WriteString(w, h.receipt+visitor.String())
	return err
}

const (
	recordsPath = "/cookies/records"
	receiptPath = "/cookies/records.json"
)

// newReadableSite is newRecordedSite with a history. Failures of it go to told.
func newReadableSite(t *testing.T, change func(*charter.Config)) (s *site, h *history, told *[]error) {
	t.Helper()
	h, told = &history{receipt: "receipt of "}, new([]error)
	s, h.of = newRecordedSite(t, func(c *charter.Config) {
		c.History = h
		c.Failed = func(_ *http.Request, err error) { *told = append(*told, err) }
		if change != nil {
			change(c)
		}
	})
	return s, h, told
}

// decisionsIn returns the text of each decision on the page, without its tags.
func decisionsIn(page string) []string {
	var all []string
	for _, section := range regexp.MustCompile(`(?s)<section.*?</section>`).FindAllString(page, -1) {
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(section, " ")
		all = append(all, strings.Join(strings.Fields(text), " "))
	}
	return all
}

var (
	acceptAll = url.Values{"choice": {"accept"}, "by": {"banner"}}
	refuseAll = url.Values{"choice": {"refuse"}, "by": {"page"}}
)

func TestAVisitorReadsWhatIsRecordedOfThemTheNewestFirst(t *testing.T) {
	s, h, told := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "category:statistics": {"some"}, "allow": {"statistics:Matomo"}, "object": {"1"}, "by": {"settings"}})
	s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"chat:Chat"}})
	other := &site{T: t, charter: s.charter, handler: s.handler, cookies: map[string]string{}, accept: "en"}
	other.do("POST", "/cookies/", refuseAll)
	require.Len(t, h.of.records, 4)

	page := s.get(recordsPath)
	decisions := decisionsIn(page)
	require.Len(t, decisions, 3, "those of nobody else")
	at := h.of.records[0].Time
	assert.Contains(t, page, fmt.Sprintf(`<time datetime="%s">%s, %s UTC</time></h2>`, at.Format(time.RFC3339), at.Format("2 January 2006"), at.Format("15:04:05")))
	assert.Contains(t, decisions[0], "Statistics Allowed: Matomo Refused: Plausible Third-party Refused: &lt;b&gt;&#34;Ad&#34; &amp; Co&lt;/b&gt; Conversation Allowed: Chat")
	assert.Contains(t, decisions[0], "How you decided With a button in place of embedded content")
	assert.Contains(t, decisions[1], "Conversation Refused: Chat Anonymous statistics You object to anonymous statistics. How you decided By objecting to anonymous statistics")
	assert.Contains(t, decisions[2], "Statistics Allowed: Matomo and Plausible Third-party Allowed: ")
	assert.Contains(t, decisions[2], "With a button of the banner")
	assert.NotContains(t, decisions[2], "object")
	assert.NotContains(t, page, "Rule that applied", "all were asked by the one law")
	assert.NotContains(t, page, "are shown here.", "all are shown")
	assert.Contains(t, page, h.of.records[0].Reference.String())
	assert.NotContains(t, page, h.of.records[3].Reference.String())
	assert.Empty(t, *told)
}

func TestAVisitorReadsUnderWhichLawTheyWereAsked(t *testing.T) {
	s, _, _ := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	for country, want := range map[string]string{
		"US": "Rule that applied Everything is allowed until you refuse it Global Privacy Control Your browser sent this signal.",
		"GB": "Rule that applied Some purposes are allowed until you refuse them",
		"AQ": "Rule that applied Your consent is not required",
	} {
		s.headers = map[string]string{"Country": country}
		if country == "US" {
			s.headers["Sec-Gpc"] = "1"
		}
		s.do("POST", "/cookies/", refuseAll)
		decisions := decisionsIn(s.get(recordsPath))
		assert.Contains(t, decisions[0], want)
		assert.Contains(t, decisions[0], "In the cookie settings")
		assert.Contains(t, decisions[len(decisions)-1], "Rule that applied Nothing is allowed without your consent")
		assert.NotContains(t, decisions[len(decisions)-1], "signal")
	}
}

func TestAVisitorSeesAgainWhatWasOnTheScreen(t *testing.T) {
	s, _, _ := newReadableSite(t, nil)
	s.accept = "de"
	s.do("POST", "/cookies/", acceptAll)
	s.accept = "en"
	page := s.get(recordsPath)
	assert.Contains(t, page, `<div class="charter-screen" lang="de" dir="ltr">`, "in the language in which it was shown")
	assert.Contains(t, page, `<p><strong>Cookies: Ihre Auswahl</strong></p>`)
	assert.Contains(t, page, `<p><button type="button" disabled>Alle akzeptieren</button> <strong><span lang="en" dir="ltr">you pressed this button</span></strong></p>`)
	assert.Contains(t, page, `<p><button type="button" disabled>Alle ablehnen</button></p>`)
	assert.NotContains(t, page, "braces")

	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "by": {"page"}})
	page = s.get(recordsPath)
	assert.Contains(t, page, "On the screen they held what you had answered before.")
	assert.Contains(t, page, "Words in braces stand for your own details")
	assert.Regexp(t, `<details><summary>Providers \(2\)</summary>\s*<p><label><input type="checkbox" disabled> Matomo</label></p>`, page, "what was folded is folded")
	assert.Contains(t, page, `<p>Site · Login · sessionid · Signs you in. · until the browser is closed</p>`, "a row of a table")
	assert.Contains(t, page, `<span lang="ar" dir="rtl">قياس</span>`)
	assert.NotContains(t, page, "<script>", "what a declaration says is escaped")
	assert.NotContains(t, page, ` name="choice"`, "nothing on the page decides")
}

// A site may ask by itself, or have done so in another version of this library.
func TestAScreenThatIsNotKnownIsSaidToBeUnknown(t *testing.T) {
	s, h, _ := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	record := &h.of.records[0]
	registry := consent.MustRegistry(declared()...)
	for name, test := range map[string]struct {
		notice *consent.Notice
		want   string
	}{
		"none":          {nil, "What was on the screen is not known."},
		"of a program":  {consent.Screen{Language: "en", Control: "program"}.Notice(), "What was on the screen is not known."},
		"of the site":   {registry.Notice(language.English, language.English, map[string]string{"ask": "May we?"}), "What was on the screen May we? sessionid · Site · Login · Signs you in."},
		"cut":           {consent.Screen{Language: "en", Cut: true, Lines: []consent.Line{{Text: "One."}}}.Notice(), "What was on the screen One. There was more than is shown here."},
		"cells alone":   {consent.Screen{Language: "en", Lines: []consent.Line{{Text: "a", As: consent.AsCell}, {As: consent.AsCell}, {Text: "b", As: consent.AsCell}}}.Notice(), "What was on the screen a · b"},
		"no language":   {consent.Screen{Language: `"<>`, Lines: []consent.Line{{Text: "a", Language: "x y"}}}.Notice(), "What was on the screen a"},
		"folded at top": {consent.Screen{Language: "en", Lines: []consent.Line{{Text: "a", Folded: true}}}.Notice(), "What was on the screen a"},
	} {
		record.Evidence.Notice = test.notice
		assert.Contains(t, decisionsIn(s.get(recordsPath))[0], test.want, name)
	}
	record.Evidence = consent.Evidence{Action: "telepathy"}
	record.Answers = []consent.Answer{{Category: "gone", Provider: "Former", Allowed: true}}
	assert.Contains(t, decisionsIn(s.get(recordsPath))[0], "gone Allowed: Former How you decided Not recorded", "of what is declared no more")
}

func TestOnlyWhoHasAReferenceIsLedToTheirRecords(t *testing.T) {
	const link = `<a href="/cookies/records">What is recorded about my choice</a>`
	s, _, _ := newReadableSite(t, nil)
	bare, _ := newRecordedSite(t, nil)
	for _, path := range []string{"/cookies/", "/cookies/banner.js?show=settings&back=/"} {
		draw := func(s *site) string { return body(s.do("GET", path, nil)) }
		if strings.Contains(path, ".js") {
			draw = func(s *site) string { return s.part(path) }
		}
		assert.NotContains(t, draw(s), recordsPath, "nothing is decided")
		s.do("POST", "/cookies/", refuseAll)
		assert.Contains(t, draw(s), link)
		bare.do("POST", "/cookies/", refuseAll)
		assert.NotContains(t, draw(bare), recordsPath, "the site has no history")
		s.cookies = map[string]string{}
	}
	for _, path := range []string{recordsPath, receiptPath} {
		assert.Equal(t, http.StatusNotFound, bare.do("GET", path, nil).StatusCode)
	}
	assert.Equal(t, http.StatusOK, s.do("GET", recordsPath, nil).StatusCode)
}

func TestNoParameterNamesAnotherVisitor(t *testing.T) {
	s, h, _ := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	victim := h.of.records[0].Reference
	forged := map[string]string{}
	for name := range s.cookies {
		forged[name] = "forged" + victim.String()
	}
	s.cookies = map[string]string{}
	for _, query := range []string{"?reference=", "?visitor=", "?r=", "?"} {
		for _, path := range []string{recordsPath, receiptPath} {
			answer := body(s.do("GET", path+query+victim.String(), nil, with("Cookie", "reference="+victim.String())))
			assert.Contains(t, answer, "Nothing is recorded for this browser, since you have not decided here yet.")
			assert.NotContains(t, answer, victim.String())
		}
	}
	assert.Empty(t, h.asked, "the history is not even asked")
	s.cookies = forged
	assert.NotContains(t, s.get(recordsPath), victim.String(), "nor does a cookie that the site has not signed")
}

func TestARecordThatIsGoneAndAHistoryThatFailsAreToldApart(t *testing.T) {
	s, h, told := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	kept := h.of.records
	h.of.records = nil
	assert.Contains(t, s.get(recordsPath), "There is no record of your decision.")
	gone := s.do("GET", receiptPath, nil)
	assert.Equal(t, http.StatusNotFound, gone.StatusCode)
	assert.Contains(t, body(gone), "There is no record of your decision.")
	assert.Empty(t, *told)

	h.of.records, h.fails = kept, errors.New("pq: password is hunter2")
	for _, path := range []string{recordsPath, receiptPath} {
		*told = nil
		response := s.do("GET", path, nil)
		said := body(response)
		assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, path)
		assert.Equal(t, "10", response.Header.Get("Retry-After"), path)
		assert.Contains(t, said, "Your records cannot be read at the moment. Please try again later.", path)
		assert.NotContains(t, said, "hunter2", path)
		assert.NotContains(t, said, "Matomo", path)
		require.Len(t, *told, 1, path)
		assert.ErrorIs(t, (*told)[0], h.fails, "the site learns the reason")
	}
}

func TestAHistoryThatHangsIsWaitedForFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, told := newReadableSite(t, nil)
		s.do("POST", "/cookies/", acceptAll)
		h.hangs = true
		for _, path := range []string{recordsPath, receiptPath} {
			began := time.Now()
			assert.Equal(t, http.StatusServiceUnavailable, s.do("GET", path, nil).StatusCode)
			assert.Equal(t, 5*time.Second, time.Since(began))
		}
		require.Len(t, *told, 2)
		assert.ErrorIs(t, (*told)[0], context.DeadlineExceeded)

		gone, leave := context.WithCancel(t.Context())
		leave()
		s.do("GET", recordsPath, nil, func(r *http.Request) { *r = *r.WithContext(gone) })
		assert.Len(t, *told, 2, "a visitor who leaves is no failure")
	})
}

func TestTheReceiptIsAFileThatNobodyElseKeeps(t *testing.T) {
	s, h, told := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	assert.Contains(t, s.get(recordsPath), `<a href="/cookies/records.json">Download these records as a file</a>`)
	response := s.do("GET", receiptPath, nil)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, "receipt of "+h.of.records[0].Reference.String(), body(response))
	for name, want := range map[string]string{
		"Content-Type": "application/ld+json", "Content-Disposition": `attachment; filename="consent-receipt.json"`,
		"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		assert.Equal(t, want, response.Header.Get(name), name)
	}
	foreign := s.do("GET", receiptPath, nil, with("Sec-Fetch-Site", "cross-site"))
	assert.Equal(t, http.StatusForbidden, foreign.StatusCode, "no page of another site makes a browser load it")
	assert.Equal(t, http.StatusOK, s.do("GET", receiptPath, nil, with("Sec-Fetch-Site", "same-origin")).StatusCode)

	assert.Empty(t, *told)
	h.receipt = strings.Repeat("x", 8<<20)
	assert.Equal(t, http.StatusServiceUnavailable, s.do("GET", receiptPath, nil).StatusCode, "no file is cut")
	assert.ErrorContains(t, (*told)[0], "more than 8 MiB")
}

func TestThePageOfRecordsIsPrivate(t *testing.T) {
	s, _, _ := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	response := s.do("GET", recordsPath, nil)
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "private, no-store", "Vary": "Cookie, Accept-Language, Sec-GPC", "Content-Language": "en",
		"Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff",
	} {
		assert.Equal(t, want, response.Header.Get(name), name)
	}
	assert.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'")
	assert.Contains(t, body(response), `<meta name="robots" content="noindex">`)
	for _, path := range []string{recordsPath, receiptPath} {
		assert.Equal(t, http.StatusOK, s.do("HEAD", path, nil).StatusCode, path)
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			refused := s.do(method, path, nil)
			assert.Equal(t, http.StatusMethodNotAllowed, refused.StatusCode, "%s %s", method, path)
			assert.Equal(t, "GET, HEAD", refused.Header.Get("Allow"), path)
		}
	}
}

func TestAPageShowsTheHundredNewestDecisionsAndSaysSo(t *testing.T) {
	s, h, _ := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	first := h.of.records[0]
	h.of.records = nil
	for i := range 101 {
		record := first
		record.Time = first.Time.Add(time.Duration(i) * time.Hour)
		h.of.records = append(h.of.records, record)
	}
	page := s.get(recordsPath)
	assert.Len(t, decisionsIn(page), 100)
	assert.Contains(t, page, "Only your 100 newest decisions are shown here. The file has all of them.")
	assert.NotContains(t, page, `datetime="`+first.Time.Format(time.RFC3339)+`"`)
	assert.Contains(t, page, `datetime="`+h.of.records[100].Time.Format(time.RFC3339)+`"`)
	h.of.records = h.of.records[:100]
	assert.NotContains(t, s.get(recordsPath), "The file has all of them.")
}

// A visitor's browser says which host it asks for, and so makes as many notices as it likes.
func TestAPageOfLongScreensIsBounded(t *testing.T) {
	s, h, _ := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	long := consent.Screen{Language: "en", Lines: []consent.Line{{Text: strings.Repeat("long ", 150_000)}}}.Notice()
	h.of.records[0].Evidence.Notice = long
	for range 9 {
		h.of.records = append(h.of.records, h.of.records[0])
	}
	page := s.get(recordsPath)
	assert.Less(t, len(page), 3<<20)
	assert.Len(t, decisionsIn(page), 10)
	assert.Equal(t, 8, strings.Count(page, "There was more than is shown here."))
}

func TestThePageOfRecordsIsWrittenInEveryLanguage(t *testing.T) {
	s, h, _ := newReadableSite(t, nil)
	s.do("POST", "/cookies/", acceptAll)
	h.of.records[0].Regime = consent.OptOut
	files, err := filepath.Glob("languages/*.json")
	require.NoError(t, err)
	require.Len(t, files, 24)
	titles := make(map[string]string)
	for _, file := range files {
		s.accept = strings.TrimSuffix(filepath.Base(file), ".json")
		page := s.get(recordsPath)
		assert.Contains(t, page, `<html lang="`+s.accept+`" dir="ltr">`)
		title := regexp.MustCompile(`<h1>(.+)</h1>`).FindStringSubmatch(page)
		require.NotNil(t, title, s.accept)
		assert.Empty(t, titles[title[1]], s.accept)
		titles[title[1]] = s.accept
		for word := range strings.FieldsSeq("{count} {providers} {date}") {
			assert.NotContains(t, page, word, s.accept)
		}
	}
}

func TestAHistoryWithoutARecorderIsAMistake(t *testing.T) {
	_, err := charter.New(charter.Config{Middleware: newMiddleware(t, declared()...), History: &history{}})
	assert.ErrorContains(t, err, "charter: Config.History: nothing is recorded, since consent.Config has no Recorder")
}

func TestOutsideOfTheMiddlewareThereIsNobodyToShowRecordsOf(t *testing.T) {
	s, _, told := newReadableSite(t, nil)
	w := httptest.NewRecorder()
	s.charter.Handler().ServeHTTP(w, httptest.NewRequest("GET", recordsPath, nil))
	assert.Contains(t, w.Body.String(), "Nothing is recorded for this browser")
	require.Len(t, *told, 1)
	assert.ErrorIs(t, (*told)[0], consent.ErrOutside)
}
