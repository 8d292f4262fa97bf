package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cookiecharter/consent/internal/servertest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &out, &errs, func(string) string { return "" })
	return status, out.String(), errs.String()
}

func TestMistakesOfTheCommandLineComeBackAtOnce(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	tests := map[string]struct {
		args []string
		want []string
	}{
		"no address":        {nil, []string{"want one address after the flags"}},
		"two addresses":     {[]string{"https://a.example", "https://b.example"}, []string{"want one address", "b.example"}},
		"no site":           {[]string{"ftp://a.example"}, []string{`"ftp://a.example" is no address of a site`}},
		"each of several":   {[]string{"-pages", "0", "-timeout", "1ms", "-parallel", "99", "-fail-on", "bad", ""}, []string{"-pages", "-timeout", "-parallel", "-fail-on", "is no address"}},
		"declarations":      {[]string{"-declarations", file("d.json", "{\n \"cookies\": [{\"nme\": \"a\"}]\n}"), "a.example"}, []string{"d.json", "line 2", "name"}},
		"no such file":      {[]string{"-rules", filepath.Join(dir, "none"), "a.example"}, []string{"-rules", "no such file"}},
		"setup":             {[]string{"-setup", file("s", "open /\nklick #a\nfill #b $NONE"), "a.example"}, []string{"line 2", "line 3", "NONE"}},
		"baseline":          {[]string{"-baseline", file("b.json", "{\"version\": 7, \"findings\": []}"), "a.example"}, []string{"-baseline", "version 7"}},
		"no baseline":       {[]string{"-write-baseline", "a.example"}, []string{"needs -baseline"}},
		"declarations' end": {[]string{"-declare", "x.yaml", "a.example"}, []string{".go nor .json"}},
		"a header":          {[]string{"-opt-out", "country", "a.example"}, []string{"NAME:VALUE"}},
		"a pattern":         {[]string{"-include", "shop", "a.example"}, []string{"include"}},
		"clicks":            {[]string{"-accept", ">> #b", "a.example"}, []string{"accept"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := command(t, test.args...)
			assert.Equal(t, notLooked, status)
			assert.Empty(t, stdout)
			for _, want := range test.want {
				assert.Contains(t, stderr, want)
			}
		})
	}
}

func TestWhatCannotBeLookedAtIsSaidInWords(t *testing.T) {
	chromium(t)
	nobody := servertest.FreeAddress(t)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<p>shop") }))
	t.Cleanup(secure.Close)
	away := serve(t, http.RedirectHandler("http://other.localhost:9998/", http.StatusFound))
	elsewhere := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<p>other") }))
	led := serve(t, http.RedirectHandler(strings.Replace(elsewhere, "shop.", "other.", 1), http.StatusFound))
	file := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", "attachment")
		fmt.Fprint(w, "x")
	}))
	tests := map[string]struct {
		args []string
		want string
	}{
		"no browser":               {[]string{"-browser", "/none/chromium", nobody}, "apt-get install chromium"},
		"nothing listens":          {[]string{nobody}, "nothing listens there"},
		"no such host":             {[]string{"http://shop.invalid"}, "there is no host of that name"},
		"its certificate is bad":   {[]string{secure.URL}, "-invalid-certificates"},
		"it leads to nobody":       {[]string{away}, "nothing listens there"},
		"it leads to another site": {[]string{led}, "which is another site: start there"},
		"it is a download":         {[]string{file}, "is a download"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := command(t, test.args...)
			assert.Equal(t, notLooked, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.want)
		})
	}
	status, stdout, stderr := command(t, "-invalid-certificates", secure.URL)
	assert.Equal(t, clean, status, stderr)
	assert.Contains(t, stdout, "0 errors, 0 warnings")
}

func TestTheStatusAndTheFilesSayWhatWasFound(t *testing.T) {
	chromium(t)
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<p>shop<script>localStorage.setItem("seen", "1")</script>`)
	}))
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	status, stdout, stderr := command(t, "-pages", "1", "-json", in("r.json"), "-sarif", in("r.sarif"), "-html", in("r.html"), "-declare", in("cookies.go"), address)
	assert.Equal(t, found, status)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, `undeclared: "seen" in local storage`)
	for name, want := range map[string]string{"r.json": `"version": 1`, "r.sarif": `"2.1.0"`, "r.html": "data:image/png", "cookies.go": `Name:     "seen"`} {
		content, err := os.ReadFile(in(name))
		require.NoError(t, err)
		assert.Contains(t, string(content), want, name)
	}

	status, _, _ = command(t, "-pages", "1", "-fail-on", "error", address)
	assert.Equal(t, clean, status, "a warning is no error")

	status, stdout, _ = command(t, "-pages", "1", "-baseline", in("known.json"), "-write-baseline", address)
	assert.Equal(t, clean, status)
	assert.Contains(t, stdout, "1 findings are known from now on")
	status, stdout, _ = command(t, "-pages", "1", "-baseline", in("known.json"), address)
	assert.Equal(t, clean, status, stdout)

	status, _, stderr = command(t, "-pages", "1", "-json", filepath.Join(dir, "none", "r.json"), address)
	assert.Equal(t, notLooked, status, "an output that is lost is no success")
	assert.Contains(t, stderr, "r.json")
}

func TestAScanThatIsStoppedSaysSo(t *testing.T) {
	chromium(t)
	ctx, stop := context.WithCancel(t.Context())
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/2" {
			stop()
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<a href="/2">2</a>`)
	}))
	var out, errs bytes.Buffer
	assert.Equal(t, notLooked, run(ctx, []string{address}, &out, &errs, func(string) string { return "" }))
	assert.Contains(t, errs.String(), "stopped: what is said above is what was seen until then")
	assert.Contains(t, out.String(), "new")
}
