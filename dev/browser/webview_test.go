package browser

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An app asks natively, and takes the decision into its web view and back: see
// docs/webviews.md.
func TestADecisionOfAnAppGoesIntoItsWebViewAndBack(t *testing.T) {
	t.Parallel()
	d := newLivingDemo(t)
	state := func(method, body, cookie string) (*http.Response, map[string][]string) {
		t.Helper()
		request, err := http.NewRequest(method, d.url+"/cookies/state.json", strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Cookie", cookie)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode)
		var of struct{ Allowed map[string][]string }
		require.NoError(t, json.NewDecoder(response.Body).Decode(&of))
		return response, of.Allowed
	}
	response, allowed := state("POST", `{"choice": "save", "allow": {"third-party": ["Vimeo", "Dailymotion"]}}`, "")
	assert.Equal(t, []string{"Dailymotion", "Vimeo"}, allowed["third-party"])
	require.Len(t, response.Cookies(), 1)
	decision := response.Cookies()[0]

	b := newTab(t)
	call(b, network.SetCookie, network.SetCookieParams{
		URL: d.url, Name: decision.Name, Value: decision.Value, Path: decision.Path, SameSite: network.CookieSameSiteLax,
	})
	b.visit(d.url + "/living")
	b.until(isAlive)
	assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`))
	b.refuseInSettings()
	b.until(`document.readyState === "complete" && !document.querySelector(".alive") && window.ticking === undefined`)
	_, allowed = state("GET", "", eval[string](b, "document.cookie"))
	assert.Empty(t, allowed["third-party"])
}
