package browser

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// check returns what TypeScript has to say of a file.
func check(t *testing.T, file string) (string, error) {
	t.Helper()
	compiler, err := exec.LookPath("./node_modules/.bin/tsc")
	require.NoError(t, err, "npm ci --prefix dev/browser")
	said, err := exec.Command(compiler, "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", "--types", "", file).CombinedOutput()
	return string(said), err
}

func TestTheTypesTakeWhatASiteMayWriteAndNothingElse(t *testing.T) {
	t.Parallel()
	said, err := check(t, "testdata/types.ts")
	assert.NoError(t, err, said)
}

// What the types say is there is there, and no more.
func TestTheTypesNameWhatTheScriptGives(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	b := newTab(t)
	b.onEachPage(watchConsent)
	b.visit(d.url + "/")
	b.until("told.length")
	assert.Equal(t, []string{"open", "scan", "state", "subscribe"}, eval[[]string](b, "Object.keys(consent).sort()"))
	assert.Equal(t, []string{"allowed", "at", "decided", "objection", "regime"}, eval[[]string](b, "Object.keys(consent.state).sort()"))
	assert.Equal(t, []string{"allowed", "at", "before", "decided", "objection", "regime"}, eval[[]string](b, "Object.keys(told[0]).sort()"))
	assert.True(t, eval[bool](b, "told[0].before === undefined && consent.state.at === null"))
}
