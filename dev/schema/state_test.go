package schema

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// An api is docs/state.openapi.json, whose schemas are JSON Schema (OpenAPI 3.1, "Schema
// Object").
type api struct {
	*jsonschema.Compiler
	content any
}

func readAPI(t *testing.T) api {
	t.Helper()
	file, err := os.Open("../../docs/state.openapi.json")
	require.NoError(t, err)
	defer file.Close()
	content, err := jsonschema.UnmarshalJSON(file)
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("state.json", content))
	return api{compiler, content}
}

// at returns what lies in the document at a path; nil if there is nothing.
func (a api) at(path ...string) any {
	value := a.content
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

func (a api) schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	schema, err := a.Compile("state.json#/components/schemas/" + name)
	require.NoError(t, err)
	return schema
}

// answered checks a response to a method by what the document says of its status.
func (a api) answered(t *testing.T, method string, response *httptest.ResponseRecorder) {
	t.Helper()
	documented, _ := a.at("paths", "/state.json", method, "responses", strconv.Itoa(response.Code)).(map[string]any)
	require.NotNil(t, documented, "%s: %d: %s", method, response.Code, response.Body)
	reference, _ := documented["content"].(map[string]any)[response.Header().Get("Content-Type")].(map[string]any)["schema"].(map[string]any)["$ref"].(string)
	name := strings.TrimPrefix(reference, "#/components/schemas/")
	require.NoError(t, validate(t, a.schema(t, name), response.Body.Bytes()), "%s", response.Body)
	answer, err := jsonschema.UnmarshalJSON(response.Body)
	require.NoError(t, err)
	for field := range answer.(map[string]any) {
		assert.NotNil(t, a.at("components", "schemas", name, "properties", field), field)
	}
	headers, _ := documented["headers"].(map[string]any)
	for header := range headers {
		assert.NotEmpty(t, response.Header().Get(header), header)
	}
}

// A recorder fails if it is to.
type recorder struct{ fails error }

func (r *recorder) Record(context.Context, consent.Record) error { return r.fails }
func (r *recorder) RecordLater(consent.Record)                   {}

// Accounts whose users have all decided the same.
type accounts struct{ latest consent.Record }

func (a accounts) Latest(context.Context, string) (consent.Record, error) { return a.latest, nil }
func (a accounts) Link(context.Context, consent.Reference, time.Time, string) error {
	return nil
}

func TestTheDescriptionOfTheStateIsWhatTheCharterAnswers(t *testing.T) {
	a := readAPI(t)
	choice := a.schema(t, "Choice")
	kept := new(recorder)
	text := consent.Text{language.English: "x"}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(
			consent.Cookie{Provider: "Matomo", Name: "_pk_id", Purpose: text, Category: consent.Statistics},
			consent.Cookie{Provider: "Site", Name: "visits", Purpose: text, Category: consent.Statistics, Anonymous: true},
			consent.Cookie{Provider: "Vimeo", Name: "vuid", Purpose: text, Category: consent.ThirdParty},
		),
		Keys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, Recorder: kept,
		Regime: consent.ByCountry("Country", map[string]consent.Regime{"US": consent.OptOut, "GB": consent.UK, "AQ": consent.NoRegime}),
	})
	require.NoError(t, err)
	matomo := []consent.Answer{{Category: consent.Statistics, Provider: "Matomo", Allowed: true}, {Category: consent.ThirdParty, Provider: "Vimeo"}}
	site, err := charter.New(charter.Config{
		Middleware: mw, Failed: func(*http.Request, error) {},
		Account:  func(r *http.Request) string { return r.Header.Get("User") },
		Accounts: accounts{consent.Record{Time: time.Now(), Answers: matomo}},
	})
	require.NoError(t, err)
	ask := func(handler http.Handler, method, content string, headers map[string]string, cookies []*http.Cookie) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "https://example.org/cookies/state.json", strings.NewReader(content))
		r.Header.Set("Content-Type", "application/json")
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		a.answered(t, strings.ToLower(method), w)
		return w
	}
	wrapped := mw.Wrap(site.Handler())
	seen := make(map[string]bool)

	for _, headers := range []map[string]string{nil, {"Country": "US"}, {"Country": "GB"}, {"Country": "AQ"}, {"User": "ada"}, {"Sec-Fetch-Site": "cross-site"}} {
		seen["get "+strconv.Itoa(ask(wrapped, "GET", "", headers, nil).Code)] = true
	}
	for content, status := range map[string]int{
		`{"choice": "accept"}`: 200, `{"choice": "refuse", "objection": true}`: 200, `{"choice": "save"}`: 200,
		`{"choice": "save", "allow": {"statistics": ["Matomo"], "third-party": []}, "objection": null}`: 200,
		`{"choice": "add", "allow": {"third-party": ["Vimeo"]}}`:                                        200,
		`{"choice": "refuse", "account": "0123456789abcdef"}`:                                           200,
		`{}`: 400, `[]`: 400, `null`: 400, `{"choice": "ACCEPT"}`: 400, `{"choice": 1}`: 400, `{"choice": "accept", "x": 1}`: 400,
		`{"choice": "add"}`: 400, `{"choice": "add", "allow": {}}`: 400, `{"choice": "save", "allow": {"statistics": "Matomo"}}`: 400,
		`{"choice": "save", "allow": ["Matomo"]}`: 400, `{"choice": "save", "allow": {"statistics:Matomo": [""]}}`: 400, `{"choice": "save", "objection": "yes"}`: 400,
	} {
		response := ask(wrapped, "POST", content, nil, nil)
		assert.Equal(t, status, response.Code, content)
		seen["post "+strconv.Itoa(response.Code)] = true
		if status == http.StatusOK {
			assert.NoError(t, validate(t, choice, []byte(content)))
			ask(wrapped, "GET", "", nil, response.Result().Cookies())
		} else {
			assert.Error(t, validate(t, choice, []byte(content)), "a program can find the mistake before: %s", content)
		}
	}
	seen["post "+strconv.Itoa(ask(wrapped, "POST", `{"choice": "save", "allow": {"chat": ["Nobody"]}}`, nil, nil).Code)] = true
	seen["post "+strconv.Itoa(ask(wrapped, "POST", `{"choice": "accept"}`, map[string]string{"Content-Type": "text/plain"}, nil).Code)] = true
	seen["post "+strconv.Itoa(ask(wrapped, "POST", `{"choice": "accept"}`, map[string]string{"Origin": "null"}, nil).Code)] = true
	seen["post "+strconv.Itoa(ask(wrapped, "POST", `{"choice": "`+strings.Repeat("x", 17<<10)+`"}`, nil, nil).Code)] = true
	seen["post "+strconv.Itoa(ask(site.Handler(), "POST", `{"choice": "accept"}`, nil, nil).Code)] = true
	account := ask(wrapped, "GET", "", map[string]string{"User": "ada"}, nil)
	assert.Contains(t, account.Header()["Set-Cookie"][1], "cookies_preferences_account=", "whose fields were checked too")
	kept.fails = errors.New("full")
	seen["post "+strconv.Itoa(ask(wrapped, "POST", `{"choice": "accept"}`, nil, nil).Code)] = true

	for method, operation := range a.at("paths", "/state.json").(map[string]any) {
		for status := range operation.(map[string]any)["responses"].(map[string]any) {
			assert.True(t, seen[method+" "+status], "%s %s is documented, and nothing here has it", method, status)
		}
	}
	for name, example := range a.at("paths", "/state.json", "post", "requestBody", "content", "application/json", "examples").(map[string]any) {
		assert.NoError(t, choice.Validate(example.(map[string]any)["value"]), name)
	}
}
