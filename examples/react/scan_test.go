package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
	"github.com/cookiecharter/consent/internal/browsertest"
)

// Its players are of hosts that no test can reach, and set no cookie there.
func TestABrowserFindsNothingInAnyStateOfConsent(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	browsertest.Scan(t, strings.Replace(drive.Serve(t, site).URL, "127.0.0.1", "localhost", 1), "-fail-on", "warning")
}
