package browser

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/charter"
)

// languages are those that the charter speaks.
func languages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../charter/languages/*.json")
	require.NoError(t, err)
	require.Len(t, files, 24)
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

// some are languages whose words are short, in another script, long, and written from
// right to left.
var some = []string{"en", "bg", "de", "ar"}

// A box is where an element lies in the viewport.
type box struct {
	Name                     string
	Left, Top, Width, Height float64
}

func (b *tab) boxes(selector string) []box {
	b.Helper()
	return eval[[]box](b, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(element => {
		const {left, top, width, height} = element.getBoundingClientRect();
		return {name: element.textContent, left, top, width, height};
	})`, selector))
}

const choices = ".charter-banner button"

// Three small phones, and the windows of tablets and desktops.
var windows = [][2]int64{{320, 640}, {360, 740}, {390, 844}, {768, 1024}, {1280, 800}}

func TestRefusingAndAcceptingAreEqualAndTheThirdComesAfter(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	for _, layout := range layouts {
		path := d.inLayout(t, layout)
		t.Run(string(layout), func(t *testing.T) {
			b := newTab(t)
			spoken := some
			if layout == charter.BottomBar {
				spoken = languages(t)
			}
			for _, language := range spoken {
				b.speak(language)
				for _, size := range [][2]int64{windows[0], windows[4]} {
					b.resize(size[0], size[1])
					b.visit(d.url + path)
					of := b.boxes(choices)
					require.Len(t, of, 3)
					refuse, accept, choose := of[0], of[1], of[2]
					where := fmt.Sprintf("in %s, %v: %v", language, size, of)
					assert.InDelta(t, refuse.Width, accept.Width, .5, where)
					assert.InDelta(t, refuse.Height, accept.Height, .5, where)
					assert.InDelta(t, refuse.Top, accept.Top, .5, where)
					assert.Greater(t, choose.Top, refuse.Top, where)
					for _, box := range of {
						assert.GreaterOrEqual(t, min(box.Width, box.Height), 44., where)
					}
					looks := b.looks(choices)
					assert.Equal(t, looks[0], looks[1], where)
					assert.NotEqual(t, looks[0], looks[2], where)
				}
			}
		})
	}
}

// looks returns all that gives an element its look, but for its size and its place.
func (b *tab) looks(selector string) []string {
	b.Helper()
	return eval[[]string](b, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(element => {
		const style = getComputedStyle(element);
		return [...style].filter(name => !/origin|(inline|block)-size|width|height|inset|^(top|left|right|bottom)$/.test(name)).map(name => style[name]).join("|");
	})`, selector))
}

func TestTheBannerTakesAThirdOfAPhoneAtMost(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	b := newTab(t)
	highest := 0.
	for _, language := range languages(t) {
		for _, size := range windows[1:3] {
			b.speak(language)
			b.resize(size[0], size[1])
			b.visit(d.url + "/plain")
			banner := b.boxes(".charter-banner")[0]
			share := banner.Height / float64(size[1])
			highest = max(highest, share)
			assert.LessOrEqual(t, share, 1./3, "in %s, %v", language, size)
			for _, button := range b.boxes(choices) {
				assert.LessOrEqual(t, button.Top+button.Height, float64(size[1]), "in %s, %v: in reach", language, size)
			}
		}
	}
	t.Logf("at most %.1f %%", 100*highest)
}

// small are windows that leave little room: 320 by 256 CSS pixels are what is left of
// 1280 by 1024 at 400 % (WCAG 2.2, 1.4.10), the next two are phones in landscape.
var small = []struct {
	width, height int64
	text          int64  // the size of the browser's font
	root          string // that of the root's
}{
	{320, 256, 16, ""}, {844, 390, 16, ""}, {640, 320, 16, ""}, {320, 640, 32, ""}, {1280, 800, 32, ""}, {320, 640, 16, "200%"}, {320, 640, 16, "10px"},
}

func TestEveryLayoutFitsAndItsAnswersStayInReach(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	for _, layout := range layouts {
		path := d.inLayout(t, layout)
		t.Run(string(layout), func(t *testing.T) {
			b := newTab(t)
			for _, language := range some {
				b.speak(language)
				for _, window := range small {
					b.resize(window.width, window.height)
					call(b, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: window.text}})
					b.visit(d.url + path)
					eval[any](b, fmt.Sprintf("document.documentElement.style.fontSize = %q", window.root))
					where := fmt.Sprintf("in %s, %v", language, window)
					banner := b.boxes(".charter-banner")[0]
					assert.GreaterOrEqual(t, banner.Top, 0., where)
					assert.GreaterOrEqual(t, banner.Left, 0., where)
					assert.LessOrEqual(t, banner.Left+banner.Width, float64(window.width), where)
					assert.LessOrEqual(t, banner.Top+banner.Height, float64(window.height), where)
					assert.Zero(t, eval[int](b, `(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector(".charter-banner"))`), "%s: no scrolling to the side", where)
					for _, button := range b.boxes(choices) {
						assert.GreaterOrEqual(t, button.Top, banner.Top, "%s: %v", where, button)
						assert.LessOrEqual(t, button.Top+button.Height, banner.Top+banner.Height, "%s: %v", where, button)
						assert.GreaterOrEqual(t, button.Height, 43.9, "%s: %v", where, button)
					}
				}
			}
		})
	}
}

// Whatever a page ends with can be scrolled out from under the banner, and what it begins
// with from under a bar at the head.
func TestNothingOfThePageIsOutOfReach(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	for _, layout := range layouts {
		path := d.inLayout(t, layout)
		t.Run(string(layout), func(t *testing.T) {
			b := newTab(t)
			for _, size := range append(windows, [2]int64{320, 256}, [2]int64{844, 390}) {
				b.resize(size[0], size[1])
				b.visit(d.url + path)
				for _, selector := range []string{"footer p", ".brand", "nav a"} {
					if layout == charter.TopBox && size[0] > 640 && selector == "nav a" {
						continue // the corner is under the box, until it is answered
					}
					assert.True(t, eval[bool](b, fmt.Sprintf(canBeSeen, selector)), "%s, %v", selector, size)
				}
			}
		})
	}
}

// canBeSeen scrolls through the page until each of the elements is on top, whole.
const canBeSeen = `[...document.querySelectorAll(%q)].every(element => {
	for (let y = 0; y <= document.documentElement.scrollHeight; y += 16) {
		scrollTo(0, y);
		const {left, top, width, height} = element.getBoundingClientRect();
		if ([.1, .5, .9].every(part => {
			const found = document.elementFromPoint(left + width / 2, top + part * height);
			return found && (element.contains(found) || found.contains(element));
		})) return true;
	}
	return false;
})`

// A box is ticked by its label, too, unless it is part of a screen that is drawn again. A link
// in a sentence is as high as its line (WCAG 2.2, 2.5.8, "inline").
const controls = "[class^=charter] :is(button, label:not(:has(:disabled)), a:not(p a)), .charter-link"

func TestEverythingFitsOntoAPhoneAndInto400Percent(t *testing.T) {
	t.Parallel()
	d := newDetailedDemo(t, declared...)
	b := newTab(t)
	b.resize(320, 256)
	for _, language := range some {
		b.speak(language)
		for _, state := range states {
			state.reach(b, d)
			where := fmt.Sprintf("%s, in %s", state.name, language)
			assert.Zero(t, eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"), "%s: no scrolling to the side", where)
			all := b.boxes(controls)
			assert.NotEmpty(t, all, where)
			for _, box := range all {
				assert.GreaterOrEqual(t, min(box.Width, box.Height), 24., "%s: %v", where, box)
				assert.True(t, box.Left >= 0 && box.Left+box.Width <= 320, "%s: %v", where, box)
			}
			eval[any](b, `document.documentElement.style.fontSize = "200%"`)
			assert.Empty(t, eval[[]string](b, tooWide), "%s, with text of 200 %%", where)
			eval[any](b, `document.documentElement.style.fontSize = ""`)
		}
	}
}

// tooWide lists what is drawn and does not fit into the window.
const tooWide = `[...document.querySelectorAll(":is(.charter-page, .charter-settings, .charter-banner, .charter-done, .charter-placeholder) *")]
	.filter(element => element.checkVisibility() && !element.closest("thead") && element.getBoundingClientRect().right > innerWidth + 1)
	.map(element => element.outerHTML)`
