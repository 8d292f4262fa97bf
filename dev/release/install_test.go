// Package release tests what a release gives to those who have no clone of the
// repository. It holds tests alone.
package release

import (
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
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const root = "../.."

// unpublished are the modules that nobody imports or installs from: they replace the
// library by its folder.
var unpublished = []string{"./dev", "./examples"}

// compile names the environment variable that has the commands compiled and run. It
// takes minutes, most of them for the database drivers.
const compile = "RELEASE_TRIAL"

// go install path@version refuses a module that replaces another, and asks a proxy for
// versions that are not tagged before the release. Here they come from a folder.
func TestEveryCommandCanBeInstalledAtTheNextVersion(t *testing.T) {
	version := nextVersion(t)
	proxy, cache, bin := t.TempDir(), t.TempDir(), t.TempDir()
	var commands []string
	for _, folder := range published(t) {
		commands = append(commands, publish(t, proxy, folder, version)...)
	}
	require.Contains(t, commands, "github.com/cookiecharter/consent/consentvet")
	require.Contains(t, commands, "github.com/cookiecharter/consent/ledger/cmd/ledger")

	settings := strings.Fields(run(t, root, nil, "env", "GOMODCACHE", "GOPROXY"))
	shareCache(t, settings[0], cache)
	env := []string{
		"GOWORK=off",
		"GOPROXY=file://" + proxy + "," + settings[1],
		"GOSUMDB=off",
		"GOFLAGS=-modcacherw",
		"GOMODCACHE=" + cache,
		"GOBIN=" + bin,
	}
	for _, command := range commands {
		if os.Getenv(compile) == "" {
			// It loads modules, packages and embedded files, and compiles nothing.
			run(t, t.TempDir(), env, "install", "-n", command+"@"+version)
			continue
		}
		run(t, t.TempDir(), env, "install", command+"@"+version)
		said, err := exec.Command(filepath.Join(bin, path.Base(command)), "-h").CombinedOutput()
		require.NoError(t, err, "%s", said)
		assert.Contains(t, strings.ToLower(string(said)), "usage", command)
	}
}

// nextVersion returns the version that the changelog begins with.
func nextVersion(t *testing.T) string {
	changes, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	require.NoError(t, err)
	heading := regexp.MustCompile(`(?m)^## (\d+\.\d+\.\d+)`).FindSubmatch(changes)
	require.NotNil(t, heading)
	return "v" + string(heading[1])
}

// published returns the folders of the modules that a release has tags for.
func published(t *testing.T) (folders []string) {
	content, err := os.ReadFile(filepath.Join(root, "go.work"))
	require.NoError(t, err)
	work, err := modfile.ParseWork("go.work", content, nil)
	require.NoError(t, err)
	for _, use := range work.Use {
		if !slices.Contains(unpublished, use.Path) {
			folders = append(folders, filepath.Join(root, use.Path))
		}
	}
	return folders
}

// publish writes a module to a folder that GOPROXY can name (go help goproxy), and
// returns the commands in it.
func publish(t *testing.T, proxy, folder, version string) []string {
	content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	require.NoError(t, err)
	m := module.Version{Path: modfile.ModulePath(content), Version: version}
	versions := filepath.Join(proxy, filepath.FromSlash(m.Path), "@v")
	require.NoError(t, os.MkdirAll(versions, 0o755))
	for name, content := range map[string]string{
		"list":            version,
		version + ".mod":  string(content),
		version + ".info": `{"Version":"` + version + `"}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(versions, name), []byte(content), 0o644))
	}
	file, err := os.Create(filepath.Join(versions, version+".zip"))
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, zip.CreateFromDir(file, m, folder))
	return strings.Fields(run(t, folder, nil, "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./..."))
}

// shareCache links to what a module cache holds of others, and to nothing of this
// repository: what is installed here is not what a release will hold.
func shareCache(t *testing.T, from, to string) {
	require.NoError(t, os.MkdirAll(to, 0o755))
	entries, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, entry := range entries {
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		switch entry.Name() {
		case "cookiecharter":
		case "cache", "download", "github.com": // on the way to cookiecharter
			shareCache(t, source, target)
		default:
			require.NoError(t, os.Symlink(source, target))
		}
	}
}

// run returns what the go command prints.
func run(t *testing.T, folder string, env []string, arguments ...string) string {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Dir = folder
	command.Env = append(os.Environ(), env...)
	var complaint strings.Builder
	command.Stderr = &complaint
	out, err := command.Output()
	require.NoError(t, err, "go %s: %s", strings.Join(arguments, " "), &complaint)
	return string(out)
}
