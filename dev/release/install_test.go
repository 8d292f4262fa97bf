package main_test

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/dev/release/internal/repository"
)

// compile names the environment variable that has every command compiled and run. It takes
// minutes, most of them for the database drivers and Caddy.
const compile = "RELEASE_TRIAL"

// generator is the one command of the published modules that is of use in a clone alone.
const generator = "github.com/cookiecharter/consent/inventory/known"

// What the next release gives to somebody who has no clone is what it was tagged with, as the
// go command packs it, serves it and compares it with a checksum database.
func TestTheNextRelease(t *testing.T) {
	r := rehearse(t)
	t.Run("has the licence in every module", r.hasLicences)
	t.Run("installs every command", r.installsCommands)
	t.Run("is imported by a new site", r.isImported)
	t.Run("is imported by a site with an old testify", r.isImportedNextToOldTestify)
	t.Run("is built into Caddy", r.isBuiltIntoCaddy)
	t.Run("builds the same bytes in every folder", r.buildsTheSame)
}

// pkg.go.dev shows the documentation of a module with a licence. The go command packs that of
// the root into a module below it that has none (go.dev/ref/mod#vcs-license).
func (r *rehearsal) hasLicences(t *testing.T) {
	licence, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	require.NoError(t, err)
	for _, m := range r.modules {
		archive, err := zip.OpenReader(filepath.Join(r.downloads, filepath.FromSlash(m.Path), "@v", r.version+".zip"))
		require.NoError(t, err)
		packed, err := fs.ReadFile(archive, m.Path+"@"+r.version+"/LICENSE")
		assert.NoError(t, archive.Close())
		require.NoError(t, err)
		assert.Equal(t, string(licence), string(packed), m.Path)
	}
}

// go install path@version refuses a module that replaces another, and no go.sum is asked: that
// of a module of ours has no line for the others, which the checksum database has.
func (r *rehearsal) installsCommands(t *testing.T) {
	bin := t.TempDir()
	env := append(r.env(t, setting(t, "GOPROXY")), "GOBIN="+bin)
	for _, name := range append(r.commands(t), generator) {
		// The smallest is compiled always.
		if os.Getenv(compile) == "" && path.Base(name) != "consentvet" {
			// It loads modules, packages and embedded files, and compiles nothing.
			command(t, t.TempDir(), env, "go", "install", "-n", name+"@"+r.version)
			continue
		}
		command(t, t.TempDir(), env, "go", "install", name+"@"+r.version)
		program := filepath.Join(bin, path.Base(name))
		assert.Contains(t, command(t, bin, nil, "go", "version", "-m", program), fmt.Sprintf("\t%s\t", r.version))
		said, err := exec.Command(program, "-h").CombinedOutput()
		require.NoError(t, err, "%s", said)
		assert.Contains(t, strings.ToLower(string(said)), "usage", name)
	}
}

// commands returns the import paths of the commands that a release gives to others.
func (r *rehearsal) commands(t *testing.T) (all []string) {
	for _, m := range r.modules {
		listed := command(t, filepath.Join(root, m.Folder), nil, "go", "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./...")
		all = append(all, strings.Fields(listed)...)
	}
	all = slices.DeleteFunc(all, func(name string) bool { return name == generator })
	require.Contains(t, all, r.modules[0].Path+"/ledger/cmd/ledger")
	return all
}

// A release has a binary of each command that go install knows.
func TestTheBuildsAreOfEveryCommand(t *testing.T) {
	modules, err := repository.Published(root)
	require.NoError(t, err)
	var names []string
	for _, name := range (&rehearsal{modules: modules}).commands(t) {
		names = append(names, path.Base(name))
	}
	script, err := os.ReadFile("build.sh")
	require.NoError(t, err)
	assert.Contains(t, string(script), "commands=("+strings.Join(slices.Sorted(slices.Values(names)), " ")+")\n")
}

// Who has no clone types what a page says: it has to be the path of a command.
func TestThePagesSayHowEachCommandIsInstalled(t *testing.T) {
	modules, err := repository.Published(root)
	require.NoError(t, err)
	said := regexp.MustCompile(`go (?:install|run) (\S+)@latest`)
	paths := make(map[string]bool)
	pages := command(t, root, nil, "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
	for _, page := range strings.Fields(pages) {
		content, err := os.ReadFile(filepath.Join(root, page))
		require.NoError(t, err)
		for _, found := range said.FindAllStringSubmatch(string(content), -1) {
			paths[found[1]] = true
		}
	}
	assert.ElementsMatch(t, (&rehearsal{modules: modules}).commands(t), slices.Collect(maps.Keys(paths)))
}

// The clone is tagged: each command knows its version. Another clone lies elsewhere.
func (r *rehearsal) buildsTheSame(t *testing.T) {
	other := filepath.Join(t.TempDir(), "elsewhere")
	command(t, ".", nil, "git", "clone", "-q", r.clone, other)
	var programs, sums []string
	for _, clone := range []string{r.clone, other} {
		dist := filepath.Join(clone, "dist")
		command(t, clone, []string{"SYSTEMS=linux/amd64"}, "bash", "dev/release/build.sh", "dist", "consentvet")
		program, err := os.ReadFile(filepath.Join(dist, "consentvet-linux-amd64"))
		require.NoError(t, err)
		listed, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
		require.NoError(t, err)
		command(t, dist, nil, "sha256sum", "--check", "--strict", "SHA256SUMS")
		assert.Contains(t, command(t, dist, nil, "go", "version", "-m", "consentvet-linux-amd64"), "vcs.modified=false")
		programs, sums = append(programs, string(program)), append(sums, string(listed))
	}
	assert.True(t, programs[0] == programs[1])
	assert.Equal(t, sums[0], sums[1])
	assert.Contains(t, command(t, r.clone, nil, "go", "version", "-m", "dist/consentvet-linux-amd64"), "consentvet\t"+r.version)
}
