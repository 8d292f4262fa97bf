package main

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// build names the environment variable that has the program built as a release is, which CI
// does too. From an empty cache it takes minutes, most of them for the database drivers.
const build = "BUILD_TRIAL"

func TestWhatBuildShMakesServesAndTheImageNeedsNothingElse(t *testing.T) {
	if os.Getenv(build) == "" && os.Getenv("CI") != "true" {
		t.Skip(build + " is not set")
	}
	dist := filepath.Join(t.TempDir(), "dist")
	c := exec.CommandContext(t.Context(), "bash", "../../deploy/build.sh", dist)
	c.Env = append(os.Environ(), "SYSTEMS=linux/amd64")
	said, err := c.CombinedOutput()
	require.NoError(t, err, "%s", said)
	const name = "consentproxy-linux-amd64"
	assert.Contains(t, string(said), "  "+name+"\n", "its checksum")

	binary := filepath.Join(dist, name)
	info, err := buildinfo.ReadFile(binary)
	require.NoError(t, err)
	assert.Equal(t, runtime.Version(), info.GoVersion)
	assert.Equal(t, "github.com/cookiecharter/consent/proxy/cmd/consentproxy", info.Path)
	assert.NotEmpty(t, info.Main.Version)
	program, err := elf.Open(binary)
	require.NoError(t, err)
	defer program.Close()
	libraries, err := program.ImportedLibraries()
	require.NoError(t, err)
	assert.Empty(t, libraries, "an image from scratch has none")
	checkImage(t, dist, name)

	if runtime.GOOS+"/"+runtime.GOARCH == "linux/amd64" {
		serves(t, binary)
	}
	c = exec.CommandContext(t.Context(), "bash", "../../deploy/build.sh", dist)
	said, err = c.CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(said), "is there already", "nothing is overwritten")
}

// serves starts what has been built.
func serves(t *testing.T, binary string) {
	t.Helper()
	site := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Set-Cookie", "_ga=1") })
	p := program{Cmd: exec.CommandContext(t.Context(), binary, "-to", site, "-addr", "localhost:0", "-insecure"), errs: new(journal)}
	p.begin(t)
	response, _, err := ask(t, "GET", p.site)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Empty(t, response.Header["Set-Cookie"])
}

// checkImage asserts that the Dockerfile finds what it copies in the folder, and starts it by
// a flag that there is.
func checkImage(t *testing.T, dist, name string) {
	t.Helper()
	dockerfile, err := os.ReadFile("../../deploy/Dockerfile")
	require.NoError(t, err)
	_, _, _, readme := blocks(t)
	for _, command := range []string{"bash proxy/deploy/build.sh dist\n", "docker build -f proxy/deploy/Dockerfile ", "docker run -p 8080:8080 -v ./consentproxy:/etc/consentproxy:ro consentproxy\n"} {
		assert.Contains(t, string(dockerfile), command)
		assert.Contains(t, readme, command)
	}
	copied := make(map[string]string)
	words := make(map[string][]string)
	for line := range strings.Lines(string(dockerfile)) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "COPY":
			source, target, is := strings.Cut(strings.ReplaceAll(rest, "${TARGETARCH}", "amd64"), " ")
			require.True(t, is, line)
			copied[target] = source
			assert.FileExists(t, filepath.Join(dist, source), line)
		case "ENTRYPOINT", "CMD":
			var read []string
			require.NoError(t, json.Unmarshal([]byte(rest), &read), line)
			words[instruction] = read
		}
	}
	require.Len(t, words["ENTRYPOINT"], 1)
	assert.Equal(t, name, copied[words["ENTRYPOINT"][0]])
	help, err := command(t, "-h").CombinedOutput()
	require.NoError(t, err)
	require.NotEmpty(t, words["CMD"])
	assert.Contains(t, string(help), "\n  "+words["CMD"][0]+" ")
}
