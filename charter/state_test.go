package charter_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

const stateOfNobody = `{"decided": false, "ask": true, "at": null, "regime": "opt-in", "allowed": {"statistics": [], "third-party": [], "chat": []}, "objection": false}`

// post sends JSON as a program does.
func (s *site) post(content string, change ...func(*http.Request)) *http.Response {
	s.Helper()
	r := httptest.NewRequest("POST", "https://example.org/cookies/state.json", strings.NewReader(content))
	r.Header.Set("Content-Type", "application/json")
	return s.send(r, change...)
}

func TestProgramsReadTheDecision(t *testing.T) {
	s := newSite(t, nil)
	response := s.do("GET", "/cookies/state.json", nil)
	assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
	assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"))
	assert.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
	assert.JSONEq(t, stateOfNobody, body(response))
	assert.Empty(t, s.cookies, "to ask is no decision")

	const everything = `{"statistics": ["Matomo", "Plausible"], "third-party": ["<b>\"Ad\" & Co</b>"], "chat": ["Chat"]}`
	for name, test := range map[string]struct {
		headers map[string]string
		want    string
	}{
		"opt-out":           {american, `{"decided": false, "ask": true, "at": null, "regime": "opt-out", "allowed": ` + everything + `, "objection": false}`},
		"opt-out with GPC":  {private, `{"decided": false, "ask": true, "at": null, "regime": "opt-out", "allowed": {"statistics": ["Matomo", "Plausible"], "third-party": [], "chat": ["Chat"]}, "objection": false}`},
		"where no law asks": {lawless, `{"decided": false, "ask": false, "at": null, "regime": "none", "allowed": ` + everything + `, "objection": false}`},
	} {
		s := newSite(t, nil)
		s.headers = test.headers
		assert.JSONEq(t, test.want, s.get("/cookies/state.json"), "%s: what the law allows until it is refused", name)
	}
}

func TestProgramsSaveEachChoice(t *testing.T) {
	everything := `{"statistics": ["Matomo", "Plausible"], "third-party": ["<b>\"Ad\" & Co</b>"], "chat": ["Chat"]}`
	nothing := `{"statistics": [], "third-party": [], "chat": []}`
	for name, test := range map[string]struct {
		before    string
		content   string
		allowed   string
		decided   bool
		objection bool
	}{
		"accept":                              {"", `{"choice": "accept"}`, everything, true, false},
		"accept, whatever else is there":      {"", `{"choice": "accept", "allow": {"chat": ["Chat"]}}`, everything, true, false},
		"accept ends an objection":            {`{"choice": "save", "objection": true}`, `{"choice": "accept"}`, everything, true, false},
		"refuse":                              {`{"choice": "accept"}`, `{"choice": "refuse"}`, nothing, true, false},
		"refuse allows nothing":               {"", `{"choice": "refuse", "allow": {"chat": ["Chat"]}}`, nothing, true, false},
		"refuse keeps an objection":           {`{"choice": "save", "objection": true}`, `{"choice": "refuse"}`, nothing, true, true},
		"refuse takes an objection along":     {"", `{"choice": "refuse", "objection": true}`, nothing, true, true},
		"refuse ends no objection":            {`{"choice": "save", "objection": true}`, `{"choice": "refuse", "objection": false}`, nothing, true, true},
		"save":                                {`{"choice": "accept"}`, `{"choice": "save", "allow": {"statistics": ["Matomo"], "chat": []}}`, `{"statistics": ["Matomo"], "third-party": [], "chat": []}`, true, false},
		"save nothing":                        {`{"choice": "accept"}`, `{"choice": "save"}`, nothing, true, false},
		"save with an objection":              {"", `{"choice": "save", "objection": true, "allow": {"chat": ["Chat"]}}`, `{"statistics": [], "third-party": [], "chat": ["Chat"]}`, true, true},
		"save leaves an objection":            {`{"choice": "save", "objection": true}`, `{"choice": "save"}`, nothing, true, true},
		"save leaves it if it says null":      {`{"choice": "save", "objection": true}`, `{"choice": "save", "objection": null}`, nothing, true, true},
		"save ends an objection":              {`{"choice": "save", "objection": true}`, `{"choice": "save", "objection": false}`, nothing, true, false},
		"add":                                 {"", `{"choice": "add", "allow": {"chat": ["Chat"]}}`, `{"statistics": [], "third-party": [], "chat": ["Chat"]}`, false, false},
		"add one of two":                      {"", `{"choice": "add", "allow": {"statistics": ["Matomo"]}}`, `{"statistics": ["Matomo"], "third-party": [], "chat": []}`, false, false},
		"add to what is allowed":              {`{"choice": "save", "allow": {"statistics": ["Matomo"]}}`, `{"choice": "add", "allow": {"chat": ["Chat"]}}`, `{"statistics": ["Matomo"], "third-party": [], "chat": ["Chat"]}`, true, false},
		"add leaves an objection":             {`{"choice": "save", "objection": true}`, `{"choice": "add", "allow": {"chat": ["Chat"]}, "objection": false}`, `{"statistics": [], "third-party": [], "chat": ["Chat"]}`, true, true},
		"what is necessary needs no consent":  {"", `{"choice": "save", "allow": {"necessary": ["Site"]}}`, nothing, true, false},
		"white space around the object":       {"", " \n{\"choice\": \"refuse\"}\n\n", nothing, true, false},
		"a provider that is named many times": {"", `{"choice": "save", "allow": {"chat": ["Chat", "Chat"]}}`, `{"statistics": [], "third-party": [], "chat": ["Chat"]}`, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			if test.before != "" {
				require.Equal(t, http.StatusOK, s.post(test.before).StatusCode)
			}
			response := s.post(test.content)
			posted := body(response)
			require.Equal(t, http.StatusOK, response.StatusCode, posted)
			assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"))
			assert.NotEmpty(t, response.Cookies())
			var state struct {
				Decided, Ask, Objection bool
				At                      *time.Time
				Allowed                 json.RawMessage
			}
			require.NoError(t, json.Unmarshal([]byte(posted), &state))
			assert.JSONEq(t, test.allowed, string(state.Allowed))
			assert.Equal(t, test.decided, state.Decided)
			assert.Equal(t, !test.decided, state.Ask)
			assert.Equal(t, test.objection, state.Objection)
			require.NotNil(t, state.At)
			assert.WithinDuration(t, time.Now(), *state.At, time.Minute)
			assert.JSONEq(t, posted, s.get("/cookies/state.json"), "what the answer says is what holds")
			assert.Equal(t, test.objection, !strings.Contains(s.allowed(), "visits"))
		})
	}
}

func TestNothingIsInventedFromBrokenJSON(t *testing.T) {
	const accept = `{"choice": "accept"}`
	for name, test := range map[string]struct {
		content string
		change  func(*http.Request)
		status  int
		says    string
	}{
		"nothing":                      {"", nil, 400, "EOF"},
		"half an object":               {`{"choice": "accept"`, nil, 400, "EOF"},
		"no JSON":                      {`choice=accept`, nil, 400, "invalid"},
		"another value":                {`"accept"`, nil, 400, "cannot unmarshal"},
		"null":                         {`null`, nil, 400, "choice"},
		"an array":                     {`[{"choice": "accept"}]`, nil, 400, "cannot unmarshal"},
		"no choice":                    {`{"allow": {"chat": ["Chat"]}}`, nil, 400, "choice"},
		"an unknown choice":            {`{"choice": "ACCEPT"}`, nil, 400, "choice"},
		"an unknown field":             {`{"choice": "accept", "x": 1}`, nil, 400, `"x"`},
		"a choice of another type":     {`{"choice": true}`, nil, 400, "choice"},
		"providers of another type":    {`{"choice": "save", "allow": {"chat": "Chat"}}`, nil, 400, "allow"},
		"a list for categories":        {`{"choice": "save", "allow": ["chat"]}`, nil, 400, "allow"},
		"an objection of another type": {`{"choice": "save", "objection": "yes"}`, nil, 400, "objection"},
		"something after it":           {accept + accept, nil, 400, "follows"},
		"an unknown provider":          {`{"choice": "save", "allow": {"chat": ["Chat", "Nobody"]}}`, nil, 400, `"Nobody"`},
		"an unknown category":          {`{"choice": "add", "allow": {"nonsense": ["Chat"]}}`, nil, 400, `"nonsense"`},
		"a category with a colon":      {`{"choice": "add", "allow": {"chat:Chat": [""]}}`, nil, 400, `Chat`},
		"nobody to add":                {`{"choice": "add"}`, nil, 400, "allow"},
		"nobody of a category":         {`{"choice": "add", "allow": {"chat": []}}`, nil, 400, "allow"},
		"17 KB":                        {`{"choice": "accept", "x": "` + strings.Repeat("x", 17<<10) + `"}`, nil, 413, "large"},
		"a form":                       {accept, with("Content-Type", "application/x-www-form-urlencoded"), 415, "application/json"},
		"text":                         {accept, with("Content-Type", "text/plain"), 415, "application/json"},
		"no type":                      {accept, func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "application/json"},
		"another site":                 {accept, with("Sec-Fetch-Site", "cross-site"), 403, "this site"},
		"another subdomain":            {accept, with("Sec-Fetch-Site", "same-site"), 403, "this site"},
		"another origin":               {accept, with("Origin", "https://evil.example"), 403, "this site"},
		"no origin":                    {accept, with("Origin", "null"), 403, "this site"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			require.Equal(t, http.StatusOK, s.post(`{"choice": "save", "allow": {"statistics": ["Matomo"]}}`).StatusCode)
			before := s.get("/cookies/state.json")
			if test.change == nil {
				test.change = func(*http.Request) {}
			}
			response := s.post(test.content, test.change)
			assert.Equal(t, test.status, response.StatusCode)
			assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
			assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"))
			assert.Empty(t, response.Cookies())
			var refusal struct{ Error string }
			require.NoError(t, json.Unmarshal([]byte(body(response)), &refusal))
			assert.Contains(t, refusal.Error, test.says)
			assert.Equal(t, before, s.get("/cookies/state.json"), "the old decision stands")
		})
	}
}

func TestTheTypeOfTheJSONMayNameItsCharset(t *testing.T) {
	s := newSite(t, nil)
	assert.Equal(t, http.StatusOK, s.post(`{"choice": "refuse"}`, with("Content-Type", "application/JSON; charset=utf-8")).StatusCode)
}

func TestTheStateIsForThisSite(t *testing.T) {
	s := newSite(t, nil)
	for site, want := range map[string]int{"": 200, "same-origin": 200, "none": 200, "same-site": 403, "cross-site": 403} {
		response := s.do("GET", "/cookies/state.json", nil, with("Sec-Fetch-Site", site))
		assert.Equal(t, want, response.StatusCode, site)
		assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"), site)
		assert.NotContains(t, response.Header, "Access-Control-Allow-Origin")
	}
	assert.Equal(t, http.StatusMethodNotAllowed, s.do("DELETE", "/cookies/state.json", nil).StatusCode)
}

func TestAProgramIsToldThatAConsentCouldNotBeRecorded(t *testing.T) {
	var failures []error
	s, kept := newRecordedSite(t, func(c *charter.Config) {
		c.Failed = func(_ *http.Request, err error) { failures = append(failures, err) }
	})
	kept.fails = errors.New("pq: password is hunter2")
	response := s.post(`{"choice": "accept"}`)
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Equal(t, "10", response.Header.Get("Retry-After"))
	said := body(response)
	assert.Contains(t, said, "could not be recorded")
	assert.NotContains(t, said, "hunter2", "the reason is the site's")
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0], kept.fails)
	assert.JSONEq(t, stateOfNobody, s.get("/cookies/state.json"))
	assert.Equal(t, http.StatusOK, s.post(`{"choice": "refuse"}`).StatusCode, "a refusal has no need of a record")
	assert.Len(t, failures, 1)

	kept.fails = nil
	response = s.post(`{"choice": "save", "allow": {"chat": ["Chat"]}}`)
	require.NotEmpty(t, kept.records)
	record := kept.records[len(kept.records)-1]
	assert.Equal(t, consent.ByForm, record.Evidence.Action)
	assert.Contains(t, body(response), `"reference":"`+record.Reference.String()+`"`)
	s.post(`{"choice": "add", "allow": {"statistics": ["Matomo"]}}`)
	assert.Equal(t, consent.ByPlaceholder, kept.records[len(kept.records)-1].Evidence.Action)
}

func TestAProgramOutsideOfWrapIsToldSo(t *testing.T) {
	var failures []error
	c, err := charter.New(charter.Config{Middleware: newMiddleware(t), Failed: func(_ *http.Request, err error) { failures = append(failures, err) }})
	require.NoError(t, err)
	r := httptest.NewRequest("POST", "/cookies/state.json", strings.NewReader(`{"choice": "accept"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.Handler().ServeHTTP(w, r)
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0], consent.ErrOutside)
}
