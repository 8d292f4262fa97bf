package consentcaddy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readme returns the first block of README.md in a language.
func readme(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(text)
	require.NotNil(t, found)
	return string(found[1])
}

// readmeSite makes what README.md describes in a folder, and returns its Caddyfile.
func readmeSite(t *testing.T, folder string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "public"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "public", "index.html"), []byte(page), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "cookies.yaml"), []byte(readme(t, "yaml")), 0o600))
	caddyfile := readme(t, "caddyfile")
	require.Contains(t, caddyfile, "http://localhost:8080 {")
	assert.LessOrEqual(t, strings.Count(caddyfile, "\n"), 10)
	// A test adds cookies: pages in a folder set none.
	return strings.Replace(caddyfile, "file_server", "header +Set-Cookie \"sessionid=1\"\n\theader +Set-Cookie \"_ga=1\"\n\tfile_server", 1)
}

func checkReadmeSite(t *testing.T, s *server) {
	t.Helper()
	a := s.ask(t, "/")
	assert.Equal(t, withScript, a.body)
	assert.Equal(t, []string{"sessionid"}, a.names())
	assert.Contains(t, s.ask(t, charter).body, "Example Analytics")
	assert.Equal(t, []string{"sessionid", "_ga"}, s.ask(t, "/", s.decide(t, "accept")).names())
	refused := s.decide(t, "refuse")
	assert.Equal(t, []string{"sessionid"}, s.ask(t, "/", refused).names())
	assert.Contains(t, s.ask(t, charter+"script.js", refused).body, `class=\"charter-button\"`, "who has decided finds the way to the settings")
}

func TestTheCaddyfileOfTheReadmeWorks(t *testing.T) {
	folder := t.TempDir()
	caddyfile := readmeSite(t, folder)
	t.Chdir(folder)
	checkReadmeSite(t, start(t, strings.Replace(caddyfile, "http://localhost:8080", "ADDRESS", 1)))
}

func TestTheReadmeNamesEveryOption(t *testing.T) {
	_, err := adapt(":80 {\nconsent {\nnone\n}\n}\n")
	require.Error(t, err)
	_, names, _ := strings.Cut(err.Error(), "these are: ")
	names, _, _ = strings.Cut(names, ", at ")
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	options := strings.Split(names, ", ")
	assert.Greater(t, len(options), 25)
	for _, option := range options {
		assert.Regexp(t, "`"+option+"[` ]", string(text), option)
	}
}
