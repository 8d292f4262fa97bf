package charter_test

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"testing"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A recorder keeps records in memory, and may fail.
type recorder struct {
	fails   error
	records []consent.Record
}

func (r *recorder) Record(_ context.Context, record consent.Record) error {
	if r.fails == nil {
		r.records = append(r.records, record)
	}
	return r.fails
}

func (r *recorder) RecordLater(record consent.Record) { r.records = append(r.records, record) }

// newRecordedSite is newSite on record.
func newRecordedSite(t *testing.T, change func(*charter.Config)) (*site, *recorder) {
	t.Helper()
	kept := new(recorder)
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(declared()...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Recorder: kept,
		Regime: consent.ByCountry("Country", map[string]consent.Regime{"US": consent.OptOut, "GB": consent.UK, "AQ": consent.NoRegime}),
	})
	require.NoError(t, err)
	return newSite(t, func(c *charter.Config) {
		c.Middleware = mw
		if change != nil {
			change(c)
		}
	}), kept
}

func TestARecordSaysWhatTheVisitorDid(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	for _, step := range []struct {
		form   url.Values
		action consent.Action
	}{
		{url.Values{"choice": {"accept"}, "by": {"banner"}}, consent.ByBanner},
		{url.Values{"choice": {"refuse"}, "by": {"banner"}}, consent.ByBanner},
		{url.Values{"choice": {"save"}, "allow": {"statistics:Matomo"}}, consent.ByForm},
		{url.Values{"choice": {"add"}, "allow": {"chat:Chat"}}, consent.ByPlaceholder},
		{url.Values{"choice": {"save"}, "object": {"1"}}, consent.ByObjection},
		{url.Values{"choice": {"save"}, "object": {"1"}, "allow": {"chat:Chat"}}, consent.ByForm},
	} {
		kept.records = nil
		assert.Equal(t, http.StatusSeeOther, s.do("POST", "/cookies/", step.form).StatusCode)
		require.Len(t, kept.records, 1)
		assert.Equal(t, step.action, kept.records[0].Evidence.Action, step.form)
	}
	assert.Contains(t, s.get("/cookies/"), `<code translate="no">`+kept.records[0].Reference.String()+`</code>`, "the visitor can ask about it")
	assert.Contains(t, newSite(t, nil).get("/"), `name="by" value="banner"`)
}

func TestAConsentThatCannotBeRecordedIsAskedForAgain(t *testing.T) {
	const sorry = `<p role="status">Your choice could not be recorded, so nothing new is allowed.`
	for name, test := range map[string]struct {
		form    url.Values
		chosen  []string
		allowed string
	}{
		"all":            {url.Values{"choice": {"accept"}, "back": {"/page"}}, []string{"statistics=allow", "statistics:Matomo", "statistics:Plausible", "third-party=allow", "chat=allow"}, "visits"},
		"some":           {url.Values{"choice": {"save"}, "allow": {"chat:Chat"}, "object": {"1"}, "back": {"/page"}}, []string{"statistics=refuse", "third-party=refuse", "chat=allow", "1"}, ""},
		"by the script":  {url.Values{"choice": {"accept"}, "stay": {""}, "back": {"/page"}}, []string{"statistics=allow", "statistics:Matomo", "statistics:Plausible", "third-party=allow", "chat=allow"}, "visits"},
		"by placeholder": {url.Values{"choice": {"add"}, "allow": {"chat:Chat"}, "back": {"/page"}}, []string{"chat=allow"}, "visits"},
	} {
		t.Run(name, func(t *testing.T) {
			var failures []error
			s, kept := newRecordedSite(t, func(c *charter.Config) {
				c.Failed = func(_ *http.Request, err error) { failures = append(failures, err) }
			})
			kept.fails = errors.New("pq: password is hunter2")
			response := s.do("POST", "/cookies/", test.form)
			require.Len(t, failures, 1)
			assert.ErrorIs(t, failures[0], kept.fails, "the site learns the reason")
			assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
			assert.Equal(t, "10", response.Header.Get("Retry-After"))
			assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"))
			var page bytes.Buffer
			page.ReadFrom(response.Body)
			assert.Contains(t, page.String(), sorry)
			assert.NotContains(t, page.String(), "hunter2")
			assert.Equal(t, test.chosen, chosenIn(page.String()), "the form is still filled")
			assert.Contains(t, page.String(), `name="back" value="/page"`)
			assert.Equal(t, test.allowed, s.allowed(), "nothing new; an objection counts")
		})
	}
	s, kept := newRecordedSite(t, nil)
	kept.fails = errors.New("full")
	assert.Equal(t, http.StatusSeeOther, s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}}).StatusCode, "a refusal has no need of a record")

	kept.fails = nil
	s.do("POST", "/cookies/", url.Values{"choice": {"accept"}})
	kept.fails = errors.New("full")
	less := s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {"chat:Chat"}})
	assert.Equal(t, http.StatusServiceUnavailable, less.StatusCode)
	assert.Equal(t, "visits chat", s.allowed(), "what was refused is refused, and what was recorded before stands")
}

func TestTheScriptIsToldInOneSentenceThatAConsentCouldNotBeRecorded(t *testing.T) {
	s, kept := newRecordedSite(t, func(c *charter.Config) { c.Failed = func(*http.Request, error) {} })
	kept.fails = errors.New("full")
	response := s.do("POST", "/cookies/", url.Values{"choice": {"accept"}, "stay": {""}}, with("Accept", "text/plain"))
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Equal(t, "10", response.Header.Get("Retry-After"))
	assert.Equal(t, "text/plain; charset=utf-8", response.Header.Get("Content-Type"))
	assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"))
	assert.Equal(t, "Your choice could not be recorded, so nothing new is allowed. What you refused is refused. Please save it again.", body(response))
}

func TestAFormThatComesAgainLeavesOpenWhatAPlaceholderDidNotAsk(t *testing.T) {
	s, kept := newRecordedSite(t, func(c *charter.Config) { c.Failed = func(*http.Request, error) {} })
	s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"statistics:Matomo"}})
	kept.fails = errors.New("full")
	page := body(s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"chat:Chat"}}))
	assert.Equal(t, []string{"statistics=some", "statistics:Matomo", "chat=allow"}, chosenIn(page))
}

func TestASiteAddsToTheCharterWhatItsRecordsSay(t *testing.T) {
	s, kept := newRecordedSite(t, func(c *charter.Config) {
		c.Aside = func(r *http.Request) template.HTML {
			return template.HTML("<p>history of " + consent.FromContext(r.Context()).Reference().String() + "</p>")
		}
	})
	assert.Contains(t, s.get("/cookies/"), "<p>history of </p>")
	assert.NotContains(t, s.get("/cookies/"), "charter-reference", "nobody has a reference before they answer")
	s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}})
	assert.Contains(t, s.get("/cookies/"), "<p>history of "+kept.records[0].Reference.String()+"</p>")
}
