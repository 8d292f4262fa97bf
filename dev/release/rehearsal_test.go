package main_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/note"

	"github.com/cookiecharter/consent/dev/release/internal/repository"
)

// A rehearsal is the next release, made of this repository as it lies here and served from
// this machine to those who have no clone.
type rehearsal struct {
	clone     string // the tagged repository
	version   string
	modules   []repository.Module
	downloads string // what a proxy of modules holds of it
	proxy     string // the address of that proxy
	sums      string // GOSUMDB: a checksum database that knows nothing but this release
}

// unsummed are modules of others, for which no checksum database is asked: GONOSUMDB takes
// patterns, and these leave nothing but github.com/coo….
const unsummed = "[^g]*,g[^i]*,gi[^t]*,git[^h]*,github.com/[^c]*,github.com/c[^o]*,github.com/co[^o]*"

func rehearse(t *testing.T) *rehearsal {
	r := &rehearsal{clone: t.TempDir()}
	var err error
	r.modules, err = repository.Published(root)
	require.NoError(t, err)
	r.release(t)
	r.download(t)
	r.serve(t)
	return r
}

// release makes a repository of the files that lie here, committed or not, and has the
// release command tag it.
func (r *rehearsal) release(t *testing.T) {
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	command(t, r.clone, nil, "git", "init", "-q", "-b", "main")
	command(t, r.clone, nil, "git", "--git-dir", ".git", "--work-tree", here, "add", "-A")
	command(t, r.clone, nil, "git", "checkout-index", "-a")

	file := filepath.Join(r.clone, "CHANGELOG.md")
	changes, err := os.ReadFile(file)
	require.NoError(t, err)
	heading := regexp.MustCompile(`(?m)^## \[(\d+\.\d+\.\d+)\] - .*`).FindSubmatch(changes)
	require.NotNil(t, heading)
	r.version = "v" + string(heading[1])
	dated := strings.Replace(string(changes), string(heading[0]), "## ["+string(heading[1])+"] - 2006-01-02", 1)
	require.NoError(t, os.WriteFile(file, []byte(dated), 0o644))
	commit(t, r.clone)
	command(t, r.clone, identity, "go", "run", "./dev/release", r.version)
}

// download fills a folder as a proxy of modules does: the go command asks the repository
// for the tag of each module, and packs the files.
func (r *rehearsal) download(t *testing.T) {
	cache := t.TempDir()
	r.downloads = filepath.Join(cache, "cache", "download")
	arguments := []string{"mod", "download"}
	for _, m := range r.modules {
		arguments = append(arguments, m.Path+"@"+r.version)
	}
	command(t, t.TempDir(), []string{
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url.file://" + r.clone + ".insteadOf",
		"GIT_CONFIG_VALUE_0=https://" + r.modules[0].Path,
		"GOWORK=off", "GOPROXY=direct", "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOMODCACHE=" + cache,
	}, "go", arguments...)
}

// serve starts the proxy and the checksum database.
func (r *rehearsal) serve(t *testing.T) {
	private, public, err := note.GenerateKey(rand.Reader, "sum.example.com")
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(r.downloads)))
	mux.Handle("/sums/", http.StripPrefix("/sums", sumdb.NewServer(sumdb.NewTestServer(private, r.sum))))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	r.proxy, r.sums = server.URL, public+" "+server.URL+"/sums"
}

// sum returns the lines that a go.sum has of a module.
func (r *rehearsal) sum(path, version string) ([]byte, error) {
	file := filepath.Join(r.downloads, filepath.FromSlash(path), "@v", version)
	archive, err := os.ReadFile(file + ".ziphash")
	if err != nil {
		return nil, err
	}
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(file + ".mod") })
	return fmt.Appendf(nil, "%s %s %s\n%[1]s %[2]s/go.mod %[4]s\n", path, version, archive, mod), err
}

// env returns the settings of somebody who has no clone, nothing of this release, and the
// modules of others: from the same cache as here, or from the proxies.
func (r *rehearsal) env(t *testing.T, proxies string) []string {
	cache := t.TempDir()
	shareCache(t, setting(t, "GOMODCACHE"), cache)
	return append(r.bareEnv(t, proxies), "GOMODCACHE="+cache)
}

// bareEnv is env for somebody who has nothing of others either.
func (r *rehearsal) bareEnv(t *testing.T, proxies string) []string {
	return []string{
		"GOWORK=off",
		"GOPROXY=" + r.proxy + "," + proxies,
		"GOSUMDB=" + r.sums,
		"GONOSUMDB=" + unsummed,
		"GOPATH=" + t.TempDir(),
		"GOMODCACHE=" + t.TempDir(),
		// What has been compiled once in whatever folder, by build.sh too, is not compiled again.
		"GOFLAGS=-modcacherw -trimpath",
		"CGO_ENABLED=0",
	}
}

// setting returns what the go command is set to here.
func setting(t *testing.T, name string) string {
	return strings.TrimSpace(command(t, root, nil, "go", "env", name))
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
		case "cookiecharter", "sumdb":
		case "cache", "download", "github.com": // on the way to cookiecharter
			shareCache(t, source, target)
		default:
			require.NoError(t, os.Symlink(source, target))
		}
	}
}
