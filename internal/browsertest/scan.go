package browsertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Scan has consentscan look at a site, and fails the test for each finding, also for one
// that is only worth a look. The flags come before the address.
func Scan(t *testing.T, address string, flags ...string) {
	t.Helper()
	FindChromium(t)
	command := filepath.Join(t.TempDir(), "consentscan")
	if out, err := exec.Command("go", "build", "-o", command, "github.com/cookiecharter/consent/consentscan").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	scan := exec.CommandContext(t.Context(), command, append(append([]string{"-fail-on", "note"}, flags...), address)...)
	scan.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := scan.CombinedOutput()
	if err != nil || strings.Contains(string(out), "Not looked at") {
		t.Errorf("%s %s: %v\n%s", scan, address, err, out)
	}
}
