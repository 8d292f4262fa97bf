package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// hostile are rules as sites have them, if not all at once: for bare elements, and for
// those in something that has a class. What they add before and after is what a theme marks
// links and headings with.
const hostile = `
html { font-size: 10px; }
body { text-transform: uppercase; letter-spacing: .3em; word-spacing: 1em; text-align: center; text-indent: 2em; line-height: 3; white-space: nowrap; color: red; font-style: italic; font-weight: 900; visibility: visible; cursor: crosshair; }
* { box-sizing: content-box; }
section, form, div, dialog, header, footer, fieldset, details { display: inline-block; float: left; clear: both; margin: 40px; padding: 40px; border: 9px dashed red; width: 50%; min-height: 200px; max-width: 90px; background: red; opacity: .5; transform: rotate(3deg); }
.site section, .site form, .site dialog, .site fieldset { position: relative; inset: 30px; padding: 50px; text-align: right; overflow: hidden; z-index: 0; border-radius: 40px; }
.site button, button:not(.btn), .site a { display: block; width: 100%; min-height: 90px; margin: 20px; padding: 30px; border: 0; border-radius: 99px; background: lime; color: white; font: 900 30px/3 monospace; text-transform: uppercase; letter-spacing: 3px; }
.site h2, .site h3, .site p, .site legend, .site summary, .site li, .site small { font: italic 40px/2 serif; margin: 3em; padding: 1em; color: lime; text-align: right; float: right; max-width: 50px; }
.site ul { list-style: none; display: flex; padding: 0; margin: 0; }
.site input, .site label, input:not(.field) { appearance: none; display: block; width: 100%; height: 90px; margin: 10px; padding: 20px; }
*::before, .site ::after { content: "→"; display: block; width: 90px; height: 90px; background: lime; }
.site ::first-letter { font-size: 90px; color: lime; }
.site svg, .site img { display: none; max-width: 10px; height: auto; float: left; }
`

// A drawn is an element with what of its look a site might spoil.
type drawn struct {
	Element                  string
	Left, Top, Width, Height float64
	Style                    string
}

// drawing returns every element of what is drawn, from where its root is.
func (b *tab) drawing(root string) []drawn {
	b.Helper()
	b.until(fmt.Sprintf("document.querySelector(%q)", root))
	return eval[[]drawn](b, fmt.Sprintf(`(root => {
		const at = root.matches(".charter-placeholder") ? root.getBoundingClientRect() : {left: 0, top: 0};
		return [root, ...root.querySelectorAll("*")].filter(element => element.checkVisibility()).map(element => {
			const {left, top, width, height} = element.getBoundingClientRect(), style = getComputedStyle(element), round = n => Math.round(10 * n) / 10;
			return {
				element: element.tagName + " " + element.className, left: round(left - at.left), top: round(top - at.top), width: round(width), height: round(height),
				style: ["color", "backgroundColor", "opacity", "transform", "appearance", "font", "textTransform", "letterSpacing", "wordSpacing", "textIndent", "textAlign", "whiteSpace", "cursor", "listStyle", "border", "borderRadius"].map(name => style[name]).join("; "),
			};
		});
	})(document.querySelector(%q))`, root))
}

func TestRulesOfTheSiteBreakNothingThatIsDrawn(t *testing.T) {
	t.Parallel()
	d := newDetailedDemo(t, declared...)
	page := func(path, css string) {
		d.pages.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Del("Content-Security-Policy") // for the styles in the page
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A site</title>%s%s<style>body { margin: 0; font-family: sans-serif } #here { width: 300px; flex: none }%s</style></head><body class="site">%s<main id="here">%s %s</main></body></html>`,
				d.charter.Head(r), d.charter.Script(r), css, d.charter.Banner(r), d.charter.Embed(r, charter.Embed{Category: consent.ThirdParty, Provider: "Vimeo", Title: "A film", Ratio: 1.5, Link: "https://vimeo.com/1", Content: "<p>The film.</p>"}), d.charter.Link(r))
		})
	}
	page("/a/plain", "")
	page("/a/row", hostile+"body { display: flex; align-items: center; height: 100vh; }")
	page("/a/grid", hostile+"body { display: grid; grid-template-columns: 1fr 1fr; place-items: center; }")
	for _, size := range [][2]int64{{390, 844}, {1280, 800}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			var want [][]drawn
			for _, path := range []string{"/a/plain", "/a/row", "/a/grid"} {
				b := newTab(t)
				call(b, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true}) // one page is longer than another
				b.resize(size[0], size[1])
				b.visit(d.url + path)
				got := [][]drawn{b.drawing(".charter-banner"), b.drawing(".charter-placeholder")}
				eval[any](b, `document.querySelector(".charter-link").click()`)
				b.until(`document.querySelector(".charter-settings[open]")`)
				eval[any](b, `document.querySelectorAll(".charter-settings details").forEach(details => { details.open = true; })`)
				got = append(got, b.drawing(".charter-settings"))
				eval[any](b, `document.querySelector(".charter-settings").close()`)
				assert.Zero(t, b.boxes(".charter-settings")[0].Height, "%s: what is closed is gone", path)
				b.click(".charter-banner [value=refuse]")
				got = append(got, b.drawing(".charter-done"))
				if want == nil {
					want = got
					continue
				}
				for i := range want {
					assert.Equal(t, want[i], got[i], path)
				}
			}
		})
	}
}

// Maps, dialogs and the bubbles of chats are fixed over pages, with high numbers.
func TestTheBannerLiesOverWhateverASiteFixes(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	d.pages.HandleFunc("GET /fixed", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Del("Content-Security-Policy") // for the styles in the page
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>A site</title>%s<style>%s.chat { position: fixed; inset: 0; z-index: 2147483000; background: lime }</style></head><body>%s<div class="chat"></div></body></html>`,
			d.charter.Head(r), r.FormValue("css"), d.charter.Banner(r))
	})
	const onTop = `[...document.querySelectorAll(".charter-banner button")].every(button => {
		const {left, top, width, height} = button.getBoundingClientRect();
		return document.elementFromPoint(left + width / 2, top + height / 2) === button;
	})`
	b := newTab(t)
	b.visit(d.url + "/fixed")
	assert.True(t, eval[bool](b, onTop))
	b.visit(d.url + "/fixed?css=" + url.QueryEscape(":root { --charter-layer: 1000 }"))
	assert.False(t, eval[bool](b, onTop), "a site may say otherwise")
}
