package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ended runs the program in a folder, and returns what it prints and its status.
func ended(t *testing.T, folder string, arguments ...string) (string, int) {
	t.Helper()
	c := command(t, arguments...)
	c.Dir = folder
	out, _ := c.CombinedOutput() // the status tells
	return string(out), c.ProcessState.ExitCode()
}

func TestFromNothingToEnforcing(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Add("Set-Cookie", "sessionid=1; Path=/; HttpOnly")
		w.Header().Add("Set-Cookie", "profile=1; Path=/; Max-Age=86400")
		io.WriteString(w, `<!doctype html><html lang="en"><title>Shop</title><script>fbq("init","1")</script><h1>Shop</h1>`)
	})
	dir := t.TempDir()
	file := filepath.Join(dir, defaultFile)
	out, status := ended(t, dir, "init", site)
	require.Equal(t, 0, status, out)
	assert.Contains(t, out, `One place is still to be written: "consentproxy check" names it.`)
	keys, err := os.Stat(filepath.Join(dir, "consentproxy.keys"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), keys.Mode().Perm())

	out, status = ended(t, dir, "check")
	assert.Equal(t, 1, status)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 1, "the purpose of profile alone: %s", out)
	assert.Regexp(t, `^consentproxy.yaml:\d+: declarations.cookies\[\d\].purpose: says TODO in "en"$`, lines[0])

	written, err := os.ReadFile(file)
	require.NoError(t, err)
	text := strings.ReplaceAll(string(written), "'TODO: what it is for, in words for visitors'", "Suggest products.")
	text = strings.ReplaceAll(text, "listen: localhost:8080", "listen: localhost:0")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	out, status = ended(t, dir, "check")
	assert.Equal(t, 0, status, out)
	assert.Contains(t, out, "consentproxy.yaml is right: 3 declarations.")

	p := byFile(t, file)
	response, body, err := ask(t, "GET", p.site)
	require.NoError(t, err)
	assert.Equal(t, []string{"sessionid=1; Path=/; HttpOnly"}, response.Header["Set-Cookie"])
	assert.Contains(t, body, bannerTag)
	response, _, err = ask(t, "GET", p.site, "Cookie: "+decide(t, p.site))
	require.NoError(t, err)
	assert.Len(t, response.Header["Set-Cookie"], 2)
}

func TestInitNamesTheCheckOfTheFileThatItHasWritten(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Set-Cookie", "profile=1")
		io.WriteString(w, "<html>")
	})
	dir := t.TempDir()
	out, status := ended(t, dir, "init", "-config", "shop.yaml", site)
	require.Equal(t, 0, status, out)
	assert.Contains(t, out, `: "consentproxy check -config shop.yaml" names it.`)
	out, status = ended(t, dir, "check", "-config", "shop.yaml")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "shop.yaml:")
}

func TestHelpNamesEveryCommandAndIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		arguments []string
		says      []string
	}{
		{[]string{"-h"}, []string{"consentproxy -config FILE", "consentproxy -to URL", "consentproxy check", "consentproxy init", "-report-only"}},
		{[]string{"check", "-h"}, []string{"consentproxy check", "-config"}},
		{[]string{"init", "-h"}, []string{"consentproxy init", "-config", "-pages"}},
	} {
		out, status := ended(t, t.TempDir(), test.arguments...)
		assert.Equal(t, 0, status, "%s", test.arguments)
		for _, says := range test.says {
			assert.Contains(t, out, says)
		}
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<html>")
	})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.keys"), []byte("mine"), 0o600))
	out, status := ended(t, dir, "init", "-config", "a.yaml", site)
	require.Equal(t, 0, status, out)
	keys, err := os.ReadFile(filepath.Join(dir, "a.keys"))
	require.NoError(t, err)
	assert.Equal(t, "mine", string(keys))

	before, err := os.ReadFile(filepath.Join(dir, "a.yaml"))
	require.NoError(t, err)
	out, status = ended(t, dir, "init", "-config", "a.yaml", site)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "a.yaml is there already, and is not overwritten")
	after, err := os.ReadFile(filepath.Join(dir, "a.yaml"))
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}

func TestInitWithoutASiteWritesNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		arguments []string
		status    int
		says      string
	}{
		{nil, 2, "init takes the address of the site"},
		{[]string{"localhost:8000"}, 2, "init takes the address of the site"},
		{[]string{"http://u:secret@localhost"}, 2, "init takes the address"},
		{[]string{"-pages", "0", "http://localhost"}, 2, "-pages: 0 is too few"},
		{[]string{"http://localhost", "-pages", "3"}, 2, `init: "-pages" comes too late; flags stand before "http://localhost"`},
		{[]string{"http://localhost", "http://127.0.0.1"}, 2, `init: "http://127.0.0.1" is one argument too many`},
		{[]string{"http://127.0.0.1:1"}, 1, "connection refused"},
	} {
		dir := t.TempDir()
		out, status := ended(t, dir, append([]string{"init"}, test.arguments...)...)
		assert.Equal(t, test.status, status, out)
		assert.Contains(t, out, test.says)
		assert.NotContains(t, out, "secret")
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, files)
	}
}
