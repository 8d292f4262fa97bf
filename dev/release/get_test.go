package main_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
)

// old is testify as a site may have it since 2022, with the modules that it imports. Small
// packages stand for the real ones, so that nothing is asked of a network.
var old = []struct {
	module.Version
	require string
	files   map[string]string
}{
	{
		module.Version{Path: "github.com/stretchr/testify", Version: "v1.8.1"},
		"require (\n\tgithub.com/davecgh/go-spew v1.1.1\n\tgithub.com/pmezard/go-difflib v1.0.0\n\tgopkg.in/yaml.v3 v3.0.1\n)\n",
		map[string]string{"assert/assert.go": "package assert\n\nimport (\n\t_ \"github.com/davecgh/go-spew/spew\"\n\t_ \"github.com/pmezard/go-difflib/difflib\"\n\t_ \"gopkg.in/yaml.v3\"\n)\n\nfunc ObjectsAreEqual(a, b interface{}) bool { return a == b }\n"},
	},
	{module.Version{Path: "github.com/davecgh/go-spew", Version: "v1.1.1"}, "", map[string]string{"spew/spew.go": "package spew\n"}},
	{module.Version{Path: "github.com/pmezard/go-difflib", Version: "v1.0.0"}, "", map[string]string{"difflib/difflib.go": "package difflib\n"}},
	{module.Version{Path: "gopkg.in/yaml.v3", Version: "v3.0.1"}, "", map[string]string{"yaml.go": "package yaml\n"}},
}

// A new site imports a package of each module that has packages for sites.
func (r *rehearsal) isImported(t *testing.T) {
	env := r.env(t, setting(t, "GOPROXY"))
	for _, imported := range []string{"/charter", "/ledger", "/ledger/metrics", "/proxy/declare", "/consentscan/scantest"} {
		site, library := t.TempDir(), "github.com/cookiecharter/consent"+imported
		command(t, site, env, "go", "mod", "init", "example.com/site")
		command(t, site, env, "go", "get", library+"@"+r.version)
		require.NoError(t, os.WriteFile(filepath.Join(site, "site.go"), []byte("package site\n\nimport _ \""+library+"\"\n"), 0o600))
		assert.Contains(t, command(t, site, env, "go", "list", "-deps", "."), library)
		sums, err := os.ReadFile(filepath.Join(site, "go.sum"))
		require.NoError(t, err)
		assert.Contains(t, string(sums), "github.com/cookiecharter/consent "+r.version+" h1:", "the checksum database has said it")
	}
}

// A site may import testify in code that is no test. If go get raises it to a version
// that imports other modules than before, go.sum lacks them and the site no longer builds.
// The Prometheus client asks for such a version: ledger/metrics and proxy need go mod tidy.
func (r *rehearsal) isImportedNextToOldTestify(t *testing.T) {
	others := t.TempDir()
	for _, m := range old {
		files := map[string]string{"go.mod": "module " + m.Path + "\n\ngo 1.17\n\n" + m.require}
		for name, content := range m.files {
			files[name] = content
		}
		write(t, others, m.Version, files)
	}
	env := r.bareEnv(t, "file://"+others+",file://"+filepath.Join(setting(t, "GOMODCACHE"), "cache", "download"))
	for _, imported := range []string{"", "/ledger", "/consentscan/scantest"} {
		t.Run("consent"+imported, func(t *testing.T) {
			site := t.TempDir()
			file := func(name, content string) {
				require.NoError(t, os.WriteFile(filepath.Join(site, name), []byte(content), 0o600))
			}
			run := func(arguments ...string) string { return command(t, site, env, "go", arguments...) }
			file("go.mod", "module example.com/site\n\ngo 1.26.0\n\nrequire github.com/stretchr/testify v1.8.1\n")
			file("equal.go", "package site\n\nimport \"github.com/stretchr/testify/assert\"\n\nvar Equal = assert.ObjectsAreEqual\n")
			run("mod", "tidy")

			library := "github.com/cookiecharter/consent" + imported
			run("get", library+"@"+r.version)
			file("consent.go", "package site\n\nimport _ \""+library+"\"\n")
			assert.Contains(t, run("list", "-deps", "."), library)
			if imported == "" {
				run("build", ".")
				assert.Contains(t, run("list", "-m", "github.com/stretchr/testify"), "v1.8.1", "the site's own version stays")
			}
		})
	}
}

// write writes a module to a folder that GOPROXY can name.
func write(t *testing.T, proxy string, m module.Version, files map[string]string) {
	versions := filepath.Join(proxy, filepath.FromSlash(m.Path), "@v")
	require.NoError(t, os.MkdirAll(versions, 0o755))
	for name, content := range map[string]string{
		"list":              m.Version,
		m.Version + ".mod":  files["go.mod"],
		m.Version + ".info": `{"Version":"` + m.Version + `"}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(versions, name), []byte(content), 0o644))
	}
	out, err := os.Create(filepath.Join(versions, m.Version+".zip"))
	require.NoError(t, err)
	defer out.Close()
	archive := zip.NewWriter(out)
	for name, content := range files {
		entry, err := archive.Create(m.Path + "@" + m.Version + "/" + name)
		require.NoError(t, err)
		_, err = entry.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
}
