package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

func TestADecisionCountsWithATimeLimitOutsideAndInside(t *testing.T) {
	outside, inside, err := newSites(time.Minute)
	require.NoError(t, err)
	for name, site := range map[string]http.Handler{"outside": outside, "inside": inside} {
		t.Run(name, func(t *testing.T) {
			server := drive.Serve(t, site)
			drive.Visit(t, server.Client(), server.URL+"/", "theme", "_pk_id.1.1fff")
		})
	}
}

func TestAnAnswerThatTakesTooLongSetsNoCookie(t *testing.T) {
	outside, inside, err := newSites(time.Millisecond)
	require.NoError(t, err)
	for name, site := range map[string]http.Handler{"outside": outside, "inside": inside} {
		t.Run(name, func(t *testing.T) {
			server := drive.Serve(t, site)
			late := drive.New(t, server.Client()).Get(server.URL + "/slow")
			assert.Equal(t, http.StatusServiceUnavailable, late.StatusCode)
			assert.Equal(t, "This takes too long.", late.Text)
			assert.Empty(t, late.Cookies())
		})
	}
}
