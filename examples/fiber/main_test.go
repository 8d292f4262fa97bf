package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

func TestADecisionCountsForEveryRouteAndForNone(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	server := drive.Serve(t, site)
	page := server.URL + "/"

	visitor := drive.New(t, server.Client())
	for _, choice := range []string{"", "accept", "refuse"} {
		if choice != "" {
			visitor.Decide(page, choice)
		}
		passes := choice == "accept"
		home := visitor.Get(page)
		assert.True(t, home.Sets("theme"), choice)
		assert.Equal(t, passes, home.Sets("_pk_id.1.1fff"), choice)
		assert.Equal(t, passes, visitor.Keeps(page, "_pk_id.1.1fff"), choice)
		missing := visitor.Get(page + "missing")
		assert.Equal(t, http.StatusNotFound, missing.StatusCode)
		assert.Equal(t, passes, missing.Sets("_pk_id.1.1fff"), "a page that is not there, %s", choice)
	}
}

// The app goes by the decision, and not by a header that a browser sent.
func TestTheAppLearnsTheDecision(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	server := drive.Serve(t, site)
	visitor := drive.New(t, server.Client())
	claim, err := http.NewRequest("GET", server.URL, nil)
	require.NoError(t, err)
	claim.Header.Set("Consent-Statistics", "true")
	assert.Contains(t, visitor.Send(claim).Text, "Counted: false")
	visitor.Decide(server.URL+"/", "accept")
	assert.Contains(t, visitor.Get(server.URL).Text, "Counted: true")
}
