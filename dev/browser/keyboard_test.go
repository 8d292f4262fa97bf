package browser

import (
	"html/template"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (b *tab) press(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo presses the tab key until the focus is where it is wanted.
func (b *tab) tabTo(wanted string) {
	b.Helper()
	var passed []string
	for range 40 {
		b.press(kb.Tab)
		if passed = append(passed, b.focused()); passed[len(passed)-1] == wanted {
			return
		}
	}
	require.Contains(b, passed, wanted)
}

func TestAKeyboardIsEnoughForTheWholeWay(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]bool{"with the script": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDemo(t, declared...)
			b := newTab(t)
			if !script {
				b.disableScripts()
			}
			b.visit(d.url + "/?page=2")
			for _, want := range []string{"button Reject all", "button Accept all", "button Cookie settings", "link Skip to content"} {
				b.press(kb.Tab)
				assert.Equal(t, want, b.focused())
			}

			b.visit(d.url + "/?page=2")
			b.tabTo("button Reject all")
			b.press(kb.Enter)
			b.closeConfirmation(script)
			assert.Equal(t, "/?page=2", eval[string](b, address))
			b.press(kb.Tab)
			assert.Equal(t, "link Skip to content", b.focused(), "the page is read on from its beginning")

			b.tabTo("link Cookie settings")
			b.press(kb.Enter)
			b.allowMatomo(script, "radio Reject, ticked")
		})
	}
}

func TestChoosingLeadsThroughTheFormAndBack(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]bool{"with the script": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t)
			if !script {
				b.disableScripts()
			}
			b.visit(newDemo(t, declared...).url + "/film?page=2")
			b.tabTo("button Cookie settings")
			b.press(kb.Enter)
			b.allowMatomo(script, "radio Reject")
			b.closeConfirmation(script)
			assert.Equal(t, "/film?page=2", eval[string](b, address))
		})
	}
}

func TestTheSettingsAreLeftAsTheyWereEntered(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.visit(newDemo(t, declared...).url + "/film")
	for _, way := range []string{kb.Escape, kb.Tab + kb.Enter} {
		b.tabTo("link Cookie settings")
		b.press(kb.Enter)
		b.until(`document.activeElement.matches(".charter-settings h2")`)
		for _, key := range way {
			b.press(string(key))
		}
		b.until(`!document.querySelector(".charter-settings[open]")`)
		assert.Equal(t, "link Cookie settings", b.focused(), "the focus is where it was")
	}
	assert.NotEmpty(t, b.boxes(".charter-banner"), "nothing is answered")
}

// The first button of a form is the one that the enter key presses from a field.
func TestTheEnterKeySavesWhatIsChosen(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]bool{"with the script": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t)
			if !script {
				b.disableScripts()
			}
			d := newDemo(t, declared...)
			d.html("/open", func(r *http.Request) template.HTML { return d.charter.Script(r) + d.charter.Link(r) }) // whose policy lets the test fetch
			b.visit(d.url + "/open")
			b.click(".charter-link")
			b.until(`document.activeElement.matches("#settings, .charter-settings h2")`)
			b.tabTo("radio Reject")
			b.press(kb.ArrowRight)
			b.press(kb.Enter)
			b.until(`document.querySelector(".charter-done, .charter-page [role=status]")?.textContent.includes("Your choice is saved")`)
			b.visit(d.url + "/open")
			allowed := eval[map[string][]string](b, `fetch("/cookies/state.json").then(response => response.json()).then(state => state.allowed)`)
			assert.Equal(t, map[string][]string{"statistics": {"Matomo"}, "first-party": {}, "third-party": {}}, allowed)
		})
	}
}

func TestASecondClickChangesNothingInTheSettings(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.visit(newDemo(t, declared...).url + "/")
	b.tabTo("link Cookie settings")
	eval[any](b, `document.activeElement.click(), document.activeElement.click()`)
	b.until(`document.querySelector(".charter-settings[open]") && !document.querySelector("head script[src*=banner]")`)
	assert.Equal(t, 1, eval[int](b, `document.querySelectorAll(".charter-settings").length`))
	b.press(kb.Escape)
	assert.Equal(t, "link Cookie settings", b.focused(), "the focus is where it was")
}

const address = "location.pathname + location.search"

// allowMatomo does so, and saves, in the form that is about to be shown: by the script over
// the page, else on the charter's. First is the control with which the form begins.
func (b *tab) allowMatomo(script bool, first string) {
	b.Helper()
	b.until(`document.activeElement.matches("#settings, .charter-settings h2")`)
	assert.Equal(b, "heading 2 Cookie settings", b.focused())
	if script {
		b.press(kb.Tab)
		assert.Equal(b, "button Close", b.focused())
	}
	b.press(kb.Tab)
	assert.Equal(b, first, b.focused(), "the form follows at once")
	b.press(" ")
	b.press(kb.ArrowRight)
	assert.Equal(b, "radio Allow, ticked", b.focused())
	b.tabTo("button Save my choices")
	b.press(kb.Enter)
	b.until(`document.querySelector("[role=status]")?.textContent.startsWith("Your choice is saved.")`)
}

// closeConfirmation does so where the focus leads to, once it is there. On a
// page that is new that is the beginning, on another one what has changed.
func (b *tab) closeConfirmation(stayed bool) {
	b.Helper()
	b.until(`document.querySelector(".charter-done")`)
	if stayed {
		b.until(`document.activeElement.matches(".charter-done button")`)
	} else {
		assert.Empty(b, b.focused())
		b.press(kb.Tab)
		assert.Equal(b, "link You can change it at any time in the cookie settings.", b.focused())
		b.press(kb.Tab)
	}
	assert.Equal(b, "button Close", b.focused())
	b.press(kb.Enter)
	b.until(`!document.querySelector(".charter-done[open]")`)
}

// WCAG 2.2, 2.4.11: what lies over the page hides nothing that has the focus.
func TestWhatHasTheFocusIsSeen(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	for _, size := range [][2]int64{{320, 256}, {1280, 800}} {
		b := newTab(t)
		b.resize(size[0], size[1])
		for _, state := range states {
			state.reach(b, d)
			passed := 0
			for ; passed < 40; passed++ {
				b.press(kb.Tab)
				focus := eval[struct {
					On   string
					Seen bool
					Ring bool
				}](b, focusSeen)
				if focus.On == "" {
					break
				}
				assert.True(t, focus.Seen, "%s on %s, %v", focus.On, state.name, size)
				assert.True(t, focus.Ring, "%s on %s, %v", focus.On, state.name, size)
			}
			assert.Greater(t, passed, 4)
		}
	}
}

// focusSeen says what has the focus, whether a part of it can be seen, and whether it has
// a ring.
const focusSeen = `(() => {
	const element = document.activeElement, {left, top, width, height} = element.getBoundingClientRect();
	return {
		on: element === document.body ? "" : element.outerHTML,
		ring: getComputedStyle(element).outlineStyle !== "none",
		seen: [.1, .5, .9].some(x => [.1, .5, .9].some(y => element.contains(document.elementFromPoint(left + x * width, top + y * height)))),
	};
})()`
