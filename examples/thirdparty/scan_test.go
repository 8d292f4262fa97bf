package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
	"github.com/cookiecharter/consent/internal/browsertest"
)

func TestABrowserFindsNothingInAnyStateOfConsent(t *testing.T) {
	site, err := newSite(drive.Serve(t, http.HandlerFunc(partner)).URL)
	require.NoError(t, err)
	browsertest.Scan(t, strings.Replace(drive.Serve(t, site).URL, "127.0.0.1", "localhost", 1))
}
