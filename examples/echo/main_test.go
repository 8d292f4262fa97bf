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

	visitor := drive.Visit(t, server.Client(), page, "theme", "_pk_id.1.1fff")
	for choice, passes := range map[string]bool{"accept": true, "refuse": false} {
		visitor.Decide(page, choice)
		assert.Equal(t, passes, visitor.Get(page).Sets("_pk_id.1.1fff"), choice)
		missing := visitor.Get(page + "missing")
		assert.Equal(t, http.StatusNotFound, missing.StatusCode)
		assert.Equal(t, passes, missing.Sets("_pk_id.1.1fff"), "a page that is not there, %s", choice)
	}
}
