package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A visitor is a browser without JavaScript.
type visitor struct {
	*testing.T
	*http.Client
	site string
}

func visit(t *testing.T) visitor {
	t.Helper()
	handler, err := newSite()
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return visitor{t, &http.Client{Jar: jar}, server.URL}
}

// read returns the page as the visitor's language has it.
func (v visitor) read() string {
	v.Helper()
	request, err := http.NewRequest("GET", v.site, nil)
	require.NoError(v, err)
	request.Header.Set("Accept-Language", "en")
	return v.send(request)
}

func (v visitor) post(path string, form url.Values) string {
	v.Helper()
	request, err := http.NewRequest("POST", v.site+path, strings.NewReader(form.Encode()))
	require.NoError(v, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept-Language", "en")
	return v.send(request)
}

func (v visitor) send(request *http.Request) string {
	v.Helper()
	response, err := v.Do(request)
	require.NoError(v, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(v, err)
	return string(body)
}

// has returns the names of the cookies that the browser keeps.
func (v visitor) has() string {
	v.Helper()
	u, err := url.Parse(v.site)
	require.NoError(v, err)
	var names []string
	for _, c := range v.Jar.Cookies(u) {
		names = append(names, c.Name)
	}
	return strings.Join(names, " ")
}

func TestNothingLeaksBeforeAChoiceAndNothingIsLostAfterIt(t *testing.T) {
	v := visit(t)
	page := v.read()
	assert.Equal(t, "csrftoken visits", v.has())
	assert.Contains(t, page, `class="banner"`)
	assert.Equal(t, 4, strings.Count(page, `class="removed"`))
	assert.Contains(t, page, "nobody declared it")

	page = v.post("/preferences", url.Values{"choice": {"accept"}})
	assert.NotContains(t, page, `class="banner"`)
	assert.Equal(t, 1, strings.Count(page, `class="removed"`), "the one that nobody declared")
	for _, name := range []string{"_pk_id.1.1fff", "profile", "ad_id", "cookies_preferences"} {
		assert.Contains(t, v.has(), name)
	}

	page = v.post("/preferences", url.Values{"choice": {"some"}, "category": {"first-party"}, "object": {"1"}})
	assert.Contains(t, page, "you have refused")
	assert.Contains(t, page, "you object to it")
	assert.Contains(t, v.has(), "profile")
	for _, name := range []string{"_pk_id.1.1fff", "visits", "ad_id"} {
		assert.NotContains(t, v.has(), name)
	}
}

func TestThePortalWorksForThoseWhoRefuse(t *testing.T) {
	v := visit(t)
	v.post("/preferences", url.Values{"choice": {"refuse"}})
	assert.Contains(t, v.post("/sign-in", url.Values{"name": {"Ada <b>"}}), "<strong>Ada &lt;b&gt;</strong>")
	assert.Contains(t, v.has(), "sessionid")
	assert.Contains(t, v.post("/language", url.Values{"language": {"fr"}}), `<html lang="fr">`)
	assert.Contains(t, v.read(), "Charte des cookies")
	assert.NotContains(t, v.post("/sign-out", nil), "Ada")
	assert.NotContains(t, v.has(), "sessionid")
}

func TestTheAPIAsksForItsToken(t *testing.T) {
	v := visit(t)
	v.read()
	assert.Contains(t, v.post("/api/datasets", nil), "csrftoken: missing or wrong")
	assert.Contains(t, v.post("/api/datasets", url.Values{"csrftoken": {"guess"}}), "csrftoken: missing or wrong")
	u, _ := url.Parse(v.site)
	for _, c := range v.Jar.Cookies(u) {
		if c.Name == "csrftoken" {
			assert.Contains(t, v.post("/api/datasets", url.Values{"csrftoken": {c.Value}}), "Air quality")
		}
	}
}

func TestBadFormsAreRefusedWithAWord(t *testing.T) {
	v := visit(t)
	for _, test := range []struct {
		path string
		form url.Values
		want string
	}{
		{"/preferences", nil, "choice"},
		{"/preferences", url.Values{"choice": {"some"}, "category": {"nonsense"}}, `"nonsense"`},
		{"/preferences", url.Values{"choice": {"accept"}, "x": {strings.Repeat("x", maxForm)}}, "too large"},
		{"/language", url.Values{"language": {"xx"}}, "language"},
		{"/sign-in", url.Values{"name": {" "}}, "name"},
	} {
		assert.Contains(t, v.post(test.path, test.form), test.want)
		assert.NotContains(t, v.has(), "cookies_preferences")
	}
	request, err := http.NewRequest("POST", v.site+"/preferences", strings.NewReader("choice=accept"))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "https://evil.example")
	assert.Contains(t, v.send(request), "cross-origin")
}

func TestThePortalStopsCleanly(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- run(ctx, "localhost:0") }()
	time.Sleep(50 * time.Millisecond)
	stop()
	select {
	case err := <-done:
		assert.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("it has not stopped")
	}
	assert.Error(t, run(t.Context(), "no address"))
}
