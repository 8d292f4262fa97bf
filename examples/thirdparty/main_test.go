package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePolicyFollowsTheConsent(t *testing.T) {
	const partner = "http://127.0.0.1:8081"
	handler, err := newSite(partner)
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	visitor := &http.Client{Jar: jar}

	for _, step := range []struct{ when, choice, want string }{
		{"before any choice", "", "'self'"},
		{"after a refusal", "refuse", "'self'"},
		{"after consent", "accept", "'self' " + partner},
		{"after a withdrawal", "refuse", "'self'"},
	} {
		if step.choice != "" {
			response, err := visitor.PostForm(server.URL+"/cookies/", url.Values{"choice": {step.choice}})
			require.NoError(t, err, step.when)
			response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode, step.when)
		}
		for _, path := range []string{"/", "/next"} {
			response, err := visitor.Get(server.URL + path)
			require.NoError(t, err, step.when)
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			require.NoError(t, err, step.when)
			assert.Equal(t, map[string]string{
				"default-src": "'self'", "script-src": step.want, "img-src": step.want, "frame-src": step.want,
				"base-uri": "'none'", "form-action": "'self'", "frame-ancestors": "'none'",
			}, directives(response.Header.Get("Content-Security-Policy")), step.when)
			assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"), step.when)
			for _, embedded := range []string{`<script src="` + partner, `<img src="` + partner, `<iframe src="` + partner} {
				assert.Contains(t, string(body), embedded, "%s: what keeps the partner out is the policy", step.when)
			}
		}
	}
}

// directives takes a policy apart.
func directives(policy string) map[string]string {
	sources := make(map[string]string)
	for directive := range strings.SplitSeq(policy, "; ") {
		name, from, _ := strings.Cut(directive, " ")
		sources[name] = from
	}
	return sources
}
