package consentcaddy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/servertest"
)

// xcaddy is the program that builds Caddy with modules.
const xcaddy = "github.com/caddyserver/xcaddy/cmd/xcaddy@v0.4.5"

// build names the environment variable that has Caddy built and run, as CI does too. On two
// cores it takes minutes from an empty cache.
const build = "CADDY_TRIAL"

func TestCaddyBuiltByXcaddyServesTheCaddyfileOfTheReadme(t *testing.T) {
	if os.Getenv(build) == "" && os.Getenv("CI") != "true" {
		t.Skip(build + " is not set")
	}
	program := buildCaddy(t)
	folder := t.TempDir()
	address := servertest.FreeAddress(t)
	caddyfile := strings.Replace(readmeSite(t, folder), "http://localhost:8080", "http://"+address, 1)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Caddyfile"), []byte("{\nadmin unix/"+filepath.Join(folder, "admin")+"\npersist_config off\n}\n"+caddyfile), 0o600))
	caddy := func(arguments ...string) *exec.Cmd {
		command := exec.Command(program, arguments...)
		command.Dir, command.Env = folder, append(os.Environ(), "HOME="+folder)
		return command
	}
	listed, err := caddy("list-modules").CombinedOutput()
	require.NoError(t, err)
	assert.Contains(t, string(listed), "\nhttp.handlers.consent\n")
	said, err := caddy("validate").CombinedOutput()
	require.NoError(t, err, "%s", said)

	servertest.Run(t, caddy("run"), address)
	checkReadmeSite(t, &server{address: address})

	said, err = caddy("reload", "--force").CombinedOutput()
	require.NoError(t, err, "%s", said)
	checkReadmeSite(t, &server{address: address})

	require.NoError(t, os.WriteFile(filepath.Join(folder, "cookies.yaml"), []byte("cookies:\n  - name: a\n"), 0o600))
	said, err = caddy("reload", "--force").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(said), "cookies.yaml:2: cookies[0].provider: is empty")
	said, err = caddy("validate").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(said), "cookies.yaml:2: cookies[0].provider: is empty")
	assert.Equal(t, withScript, (&server{address: address}).ask(t, "/").body)
}

// buildCaddy builds Caddy as README.md says, of the modules in this repository. What the
// tests of this module have been compiled with is not compiled again.
func buildCaddy(t *testing.T) string {
	t.Helper()
	repository, err := filepath.Abs("..")
	require.NoError(t, err)
	caddyVersion, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/caddyserver/caddy/v2").Output()
	require.NoError(t, err)
	folder := t.TempDir()
	// Not -trimpath, which xcaddy adds if there are no other flags: with it, and without the
	// race detector that the tests have, nothing that they have compiled would be of use.
	env := append(os.Environ(), "GOBIN="+folder, "GOWORK=off", "GOFLAGS=-buildvcs=false", "XCADDY_GO_BUILD_FLAGS=-ldflags='-w -s' -tags=nobadger,nomysql,nopgx")
	if raced() {
		env = append(env, "XCADDY_RACE_DETECTOR=1")
	}
	settings, err := exec.Command("go", "env", "CGO_ENABLED", "GOPROXY").Output()
	require.NoError(t, err)
	cgo, proxy, _ := strings.Cut(strings.TrimSpace(string(settings)), "\n")
	env = append(env, "CGO_ENABLED="+cgo, "GOPROXY=file://"+published(t)+","+proxy)
	run := func(name string, arguments ...string) {
		began := time.Now()
		command := exec.Command(name, arguments...)
		command.Env, command.Dir = env, folder
		said, err := command.CombinedOutput()
		require.NoError(t, err, "%s", said)
		t.Log(filepath.Base(name), arguments[0], time.Since(began).Round(time.Second))
	}
	run("go", "install", xcaddy)
	program := filepath.Join(folder, "caddy")
	arguments := []string{"build", strings.TrimSpace(string(caddyVersion)), "--output", program, "--with", "github.com/cookiecharter/consent/caddy"}
	for _, module := range modules {
		arguments = append(arguments, "--replace", module+"="+filepath.Join(repository, strings.TrimPrefix(module, modules[0])))
	}
	run(filepath.Join(folder, "xcaddy"), arguments...)
	return program
}

// modules are those of this repository that are in Caddy then.
var modules = []string{
	"github.com/cookiecharter/consent", "github.com/cookiecharter/consent/caddy",
	"github.com/cookiecharter/consent/ledger", "github.com/cookiecharter/consent/ledger/metrics", "github.com/cookiecharter/consent/proxy",
}

// published makes a folder that GOPROXY can name (go help goproxy), in which each of our
// modules has a version: the go command asks for one before it takes the folder that replaces
// the module, and no proxy has any before the first release.
func published(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, module := range modules {
		versions := filepath.Join(folder, filepath.FromSlash(module), "@v")
		require.NoError(t, os.MkdirAll(versions, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(versions, "list"), []byte("v0.1.0\n"), 0o600))
	}
	return folder
}

// raced reports whether this test runs under the race detector.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
