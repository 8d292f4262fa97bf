package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
	"github.com/cookiecharter/consent/internal/browsertest"
)

// Each visitor signs in and out and chooses a language, so that every cookie is seen.
const everyCookie = `open /
fill input[name=name] Ada
click form[action="/sign-in"] button
wait form[action="/sign-out"]
click form[action="/sign-out"] button
click form[action="/language"] button[value=en]
`

func TestABrowserFindsNothingInAnyStateOfConsent(t *testing.T) {
	portal, err := newSite(newBooks(t))
	require.NoError(t, err)
	steps := filepath.Join(t.TempDir(), "steps")
	require.NoError(t, os.WriteFile(steps, []byte(everyCookie), 0o600))
	address := strings.Replace(drive.Serve(t, portal).URL, "127.0.0.1", "localhost", 1)
	browsertest.Scan(t, address, "-setup", steps)
}
