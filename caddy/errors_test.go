package consentcaddy_test

import (
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// broken has handlers that fail after they have set cookies.
const broken = "header +Set-Cookie \"" + necessary + "\"\nheader +Set-Cookie \"" + statistics + "\"\nerror /gone \"it is gone\" 410\nrespond ok\n"

func TestErrorsReachTheErrorRoutesUnchangedAndAreFilteredThere(t *testing.T) {
	up := backend(t)
	for _, test := range []struct {
		name, routes string
		status       int
		body         string
	}{
		{"no routes", "", 410, ""},
		{"a text", "handle_errors {\nrespond \"{err.status_code} {err.message}\"\n}", 410, "410 it is gone"},
		{"cookies of the error's own", "handle_errors {\nheader {\n+Set-Cookie \"_ga=late\"\ndefer\n}\nrespond \"{err.status_code}\"\n}", 410, "410"},
		{"a page of another server", "handle_errors {\nrewrite /error\nreverse_proxy " + up + "\n}", 200, page},
		{"routes by status", "handle_errors 410 {\nrespond gone\n}\nhandle_errors {\nrespond other\n}", 410, "gone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, site("", broken+test.routes))
			a := s.ask(t, "/gone")
			assert.Equal(t, test.status, a.StatusCode)
			assert.Equal(t, test.body, a.body)
			assert.NotContains(t, a.names(), "_ga")
			assert.Contains(t, a.names(), "sid")
			a = s.ask(t, "/gone", s.decide(t, "accept"))
			assert.Equal(t, test.status, a.StatusCode)
			assert.Contains(t, a.names(), "_ga")
			assert.Equal(t, []string{"sid"}, s.ask(t, "/").names())
		})
	}
}

func TestWhatIsRefusedIsExpiredOnceInAnErrorsAnswer(t *testing.T) {
	s := start(t, site("", broken+"handle_errors {\nrespond gone\n}"))
	lines := s.ask(t, "/gone", s.decide(t, "refuse")+"; _ga=1", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate").Header["Set-Cookie"]
	plain := s.ask(t, "/", s.decide(t, "refuse")+"; _ga=1", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate").Header["Set-Cookie"]
	require.NotEmpty(t, plain)
	assert.Greater(t, len(plain), 1)
	assert.ElementsMatch(t, plain, lines)
}

func TestErrorRoutesOfASubrouteAreFilteredToo(t *testing.T) {
	s := start(t, "ADDRESS {\nrespond ok\n}\n")
	handler := func(v map[string]any) map[string]any { return map[string]any{"handle": []any{v}} }
	cookies := map[string]any{"handler": "headers", "response": map[string]any{"deferred": true, "add": map[string]any{"Set-Cookie": []string{necessary, statistics}}}}
	config := map[string]any{
		"admin": map[string]any{"disabled": true, "config": map[string]any{"persist": false}},
		"apps": map[string]any{"http": map[string]any{"servers": map[string]any{"s": map[string]any{
			"listen": []string{s.address}, "automatic_https": map[string]any{"disable": true},
			"routes": []any{handler(map[string]any{
				"handler": "subroute",
				"routes": []any{
					handler(map[string]any{"handler": "consent", "declarations": "testdata/cookies.yaml", "keys": []string{oneWord}, "insecure": true}),
					handler(map[string]any{"handler": "error", "status_code": 418}),
				},
				"errors": map[string]any{"routes": []any{handler(cookies), handler(map[string]any{"handler": "static_response", "body": "tea"})}},
			})},
		}}}},
	}
	text, err := json.Marshal(config)
	require.NoError(t, err)
	require.NoError(t, caddy.Load(text, true))
	a := s.ask(t, "/")
	assert.Equal(t, "tea", a.body)
	assert.Equal(t, []string{"sid"}, a.names())
}
