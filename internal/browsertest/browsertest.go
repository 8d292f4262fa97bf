// Package browsertest opens pages in real browsers. It needs no driver: what a
// test wants to know, the page that it serves tells its server.
package browsertest

import (
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cookiecharter/consent/internal/servertest"
)

// ChromiumFlags make a Chromium headless, at home in a container, and silent
// towards its maker. The features are pages behind the address bar, which cost
// more than a page of a test does.
var ChromiumFlags = []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
	"--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup"}

// Flags tells the name and the value of each of [ChromiumFlags] and of these further flags, as
// the driver chromedp wants them. The value of a flag without one is true.
func Flags(more ...string) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, flag := range slices.Concat(ChromiumFlags, more) {
			name, text, has := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
			value := any(true)
			if has {
				value = text
			}
			if !yield(name, value) {
				return
			}
		}
	}
}

// Installed asks for what npm installs at a path, by a command. If it is not there the test is
// skipped; with CI=true it fails.
func Installed(t testing.TB, path, command string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%q has not been run, and CI=true asks for it: %v", command, err)
		}
		t.Skipf("%q has not been run: %v", command, err)
	}
}

// FindChromium returns the path of a Chromium. Where none is installed the test
// is skipped; with CI=true it fails.
func FindChromium(t *testing.T) string {
	t.Helper()
	return servertest.Find(t, "chromium", "chromium-browser", "google-chrome")
}

// Chromium opens url in a Chromium with a fresh profile, until the test ends. It
// asks for one as [FindChromium] does.
func Chromium(t *testing.T, url string) {
	t.Helper()
	binary, profile := FindChromium(t), t.TempDir()
	start(t, profile, exec.Command(binary, slices.Concat(ChromiumFlags, []string{"--user-data-dir=" + profile, url})...))
}

// quiet keeps Firefox from calling its maker, and has every host be this machine
// without a question to a name server.
const quiet = `user_pref("app.update.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.dns.native-is-localhost", true);
user_pref("services.settings.server", "http://localhost:1");
user_pref("toolkit.telemetry.enabled", false);
`

// Firefox does with Firefox what [Chromium] does.
func Firefox(t *testing.T, url string) {
	t.Helper()
	binary := servertest.Find(t, "firefox-esr", "firefox")
	profile := t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(quiet), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--headless", "--no-remote", "--profile", profile, url)
	cmd.Env = append(os.Environ(), "HOME="+profile)
	start(t, profile, cmd)
}

func start(t *testing.T, profile string, cmd *exec.Cmd) {
	t.Helper()
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = killGroup(cmd) // an error means that it is gone
		_ = cmd.Wait()
		// Children may write to the profile for a moment yet.
		for range 50 {
			if os.RemoveAll(profile) == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}
