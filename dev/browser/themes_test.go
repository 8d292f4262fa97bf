package browser

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/browsertest"
)

// designs is where npm has put the design systems that the themes are for.
const designs = "../../examples/node_modules"

func needDesigns(t *testing.T) {
	t.Helper()
	browsertest.Installed(t, designs, "npm ci --ignore-scripts --prefix examples")
}

// themes are the folders of examples/themes.
var themes = []string{"bootstrap", "dsfr", "shop"}

// startTheme runs the program of a theme until the test ends, and returns its address.
func startTheme(t *testing.T, theme string) string {
	t.Helper()
	needDesigns(t)
	program := filepath.Join(t.TempDir(), theme)
	built, err := exec.Command("go", "build", "-o", program, "github.com/cookiecharter/consent/examples/themes/"+theme).CombinedOutput()
	require.NoError(t, err, string(built))
	cmd := exec.Command(program, "-addr", "localhost:0")
	cmd.Dir = "../.."
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // an error means that it is gone
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(log).ReadString('\n')
	require.NoError(t, err)
	url := regexp.MustCompile(`http://\S+`).FindString(line)
	require.NotEmpty(t, url, line)
	return url
}

func TestAVisitorFindsEachAnswerInEachTheme(t *testing.T) {
	t.Parallel()
	for _, theme := range themes {
		t.Run(theme, func(t *testing.T) {
			t.Parallel()
			url := startTheme(t, theme)
			b := newTab(t)
			b.speak("fr")
			b.onEachPage(`new PerformanceObserver(list => { for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifted = (window.shifted ?? 0) + shift.value })
				.observe({type: "layout-shift", buffered: true})`)
			for _, width := range []int64{320, 1280} {
				b.resize(width, 800)
				b.visit("about:blank") // a page that sees its cookies go loads itself again
				b.forget()
				b.visit(url)
				answers := eval[[]string](b, `[...document.querySelectorAll(".charter-banner [name=choice]")].map(button => {
					const {width, height} = button.getBoundingClientRect(), {color, backgroundColor, borderTopColor, fontSize, fontWeight} = getComputedStyle(button);
					return [Math.round(width), Math.round(height), color, backgroundColor, borderTopColor, fontSize, fontWeight].join(" ");
				})`)
				require.Len(t, answers, 2)
				assert.Equal(t, answers[0], answers[1], "both answers look the same at %d", width)
				fits(b, "the banner", width)

				b.click(".charter-banner [formmethod]")
				b.until(`document.querySelector(".charter-settings[open]")`)
				fits(b, "the settings", width)
				b.click(".charter-settings [name='category:audience-measurement'][value=allow]")
				b.click(".charter-settings [value=save]")
				b.until(`consent.state.allowed["audience-measurement"].includes("Matomo") && !consent.state.allowed["embedded-media"].length`)
				b.until(`document.querySelector(".charter-done button")`)
				b.click(".charter-done button")

				b.click(".charter-placeholder [value=add]")
				b.until(`document.querySelector("iframe.film")`)
				b.visit(url + "/cookies/")
				fits(b, "the charter", width)
				b.visit(url)
				assert.False(t, eval[bool](b, `!!document.querySelector(".charter-banner")`), "nobody is asked twice")
				assert.Less(t, eval[float64](b, `window.shifted ?? 0`), .05, "nothing moves, but for fonts of the design that come late")
			}
		})
	}
}

// fits asserts that nothing is wider than the window.
func fits(b *tab, what string, width int64) {
	b.Helper()
	assert.Empty(b, eval[[]string](b, fmt.Sprintf(`[document.documentElement, ...document.querySelectorAll(".charter-settings, .charter-banner")]
		.filter(element => element.scrollWidth > Math.min(element.clientWidth, %d)).map(element => element.className || element.localName)`, width)), "%s at %d", what, width)
}

// What axe leaves undecided is not listed: it does not know the colour behind a text that
// lies over a drawing.
const findViolations = `axe.run({resultTypes: ["violations"], rules: {"target-size": {enabled: true}}})
	.then(({violations}) => violations.flatMap(rule => rule.nodes.map(node => rule.id + ": " + node.html + "\n" + node.failureSummary)))`

func TestAxeFindsNothingToFaultInTheThemes(t *testing.T) {
	t.Parallel()
	source := axe(t)
	for _, theme := range themes {
		t.Run(theme, func(t *testing.T) {
			t.Parallel()
			url := startTheme(t, theme)
			b := newTab(t)
			b.onEachPage(source)
			b.speak("fr")
			for _, view := range []view{{320, "prefers-color-scheme", "light"}, {1280, "prefers-color-scheme", "dark"}} {
				b.resize(view.width, 800)
				b.prefer(view.feature, view.value)
				b.visit("about:blank") // a page that sees its cookies go loads itself again
				b.forget()
				for _, state := range []struct {
					name  string
					reach func()
				}{
					{"the page", func() { b.visit(url) }},
					{"the settings", func() {
						b.click(".charter-banner [formmethod]")
						b.until(`document.querySelector(".charter-settings[open]")`)
						eval[any](b, `document.querySelectorAll(".charter-settings details").forEach(details => { details.open = true })`)
					}},
					{"the confirmation", func() {
						b.click(".charter-settings [name=choice][value=refuse]")
						b.until(`document.querySelector(".charter-done")`)
					}},
					{"the charter", func() { b.visit(url + "/cookies/") }},
				} {
					state.reach()
					assert.Empty(t, eval[[]string](b, findViolations), "%s, %v", state.name, view)
				}
			}
		})
	}
}

func TestPicturesOfTheThemesAreSmallAndInTheirReadmes(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("../../examples/README.md")
	require.NoError(t, err)
	for _, theme := range themes {
		t.Run(theme, func(t *testing.T) {
			t.Parallel()
			url := startTheme(t, theme)
			readme, err := os.ReadFile("../../examples/themes/" + theme + "/README.md")
			require.NoError(t, err)
			b := newTab(t)
			b.prefer("prefers-color-scheme", "light")
			call(b, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true})
			for _, scene := range []struct {
				name          string
				width, height int64
				shown         string
			}{
				{"phone", 390, 844, ".charter-banner"},
				{"phone-settings", 390, 844, ".charter-settings[open]"},
				{"desktop", 1280, 800, ".charter-banner"},
			} {
				call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: scene.width, Height: scene.height, DeviceScaleFactor: 1})
				b.visit(url)
				if strings.Contains(scene.name, "settings") {
					b.click(".charter-banner [formmethod]")
				}
				b.until(fmt.Sprintf("document.querySelector(%q)", scene.shown))
				eval[any](b, `document.fonts.ready.then(() => null)`)
				picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
				require.NoError(t, err)
				name := fmt.Sprintf("docs/pictures/themes-%s-%s.png", theme, scene.name)
				assert.Less(t, len(picture), 150<<10, name)
				if *update {
					require.NoError(t, os.WriteFile(filepath.Join("../..", name), picture, 0o644))
				}
				assert.FileExists(t, filepath.Join("../..", name))
				assert.Contains(t, string(readme), "../../../"+name)
			}
			assert.Contains(t, string(table), "../docs/pictures/themes-"+theme+"-phone.png")
		})
	}
}

// withoutFiles matches what a style sheet loads.
var withoutFiles = regexp.MustCompile(`/\*# sourceMappingURL.*|@font-face\{[^}]*\}`)

// The charter without a theme looks on a page with Bootstrap as on any other: the rules
// for every button, heading and legend stop at it. Bootstrap 3 has a rem of 10 pixels.
func TestBootstrapChangesNothingOfTheDefault(t *testing.T) {
	t.Parallel()
	needDesigns(t)
	d := newDemo(t, declared...)
	d.file("/.css", "text/css", "")
	d.file("/body.css", "text/css", "body { margin: 0 !important; font-family: sans-serif !important }") // what the charter inherits
	for _, version := range []string{"bootstrap", "bootstrap3"} {
		css, err := os.ReadFile(filepath.Join(designs, version, "dist/css/bootstrap.min.css"))
		require.NoError(t, err)
		d.file("/"+version+".css", "text/css", withoutFiles.ReplaceAllString(string(css), ""))
	}
	d.pages.HandleFunc("GET /with/{design...}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Bootstrap</title>
			<link rel="stylesheet" href="/%s.css"><link rel="stylesheet" href="/body.css">%s%s<body>%s<main>%s</main>%s`,
			r.PathValue("design"), d.charter.Head(r), d.charter.Script(r), d.charter.Banner(r), d.charter.Placeholder(r, consent.ThirdParty, "Vimeo", "<p>The film.</p>"), d.charter.Link(r))
	})
	for _, width := range []int64{320, 1280} {
		looks := func(design string) []string {
			b := newTab(t)
			b.resize(width, 800)
			b.visit(d.url + "/with/" + design)
			b.click(".charter-banner [formmethod]")
			b.until(`document.querySelector(".charter-settings[open]")`)
			return eval[[]string](b, `[...document.querySelectorAll(":is(.charter-banner, .charter-settings, .charter-placeholder), :is(.charter-banner, .charter-settings, .charter-placeholder) *")]
				.map(element => {
					const {width, height} = element.getBoundingClientRect(), {color, backgroundColor, fontSize, fontWeight, textDecorationLine} = getComputedStyle(element);
					return [element.localName, element.className, width.toFixed(), height.toFixed(), color, backgroundColor, fontSize, fontWeight, textDecorationLine].join(" ");
				})`)
		}
		plain := looks("")
		for _, version := range []string{"bootstrap", "bootstrap3"} {
			assert.Equal(t, plain, looks(version), "%s at %d", version, width)
		}
	}
}
