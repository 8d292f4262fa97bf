package browser

import (
	"html/template"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
)

// watchPaint keeps when the first content was painted, when an element was that
// asks for it (elementtiming), and what has moved on the screen without the
// visitor's doing.
const watchPaint = `
	window.painted = {};
	window.moved = [];
	const watch = (type, see) => new PerformanceObserver(list => list.getEntries().forEach(see)).observe({type, buffered: true});
	watch("paint", entry => { painted[entry.name] = entry.startTime; });
	watch("element", entry => { painted[entry.identifier] = entry.renderTime; });
	let clicked = -Infinity; // to a browser input is recent for half a second, in which a busy machine draws nothing
	addEventListener("click", event => { clicked = event.timeStamp; }, true);
	watch("layout-shift", entry => { if (!entry.hadRecentInput && entry.startTime - clicked > 3000) moved.push(...entry.sources.map(source => source.node?.outerHTML ?? "?")); });
`

func TestTheBannerIsInTheFirstPaint(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	// What follows the banner takes its time, as on a slow site.
	proceed := make(chan struct{})
	d.pages.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		var whole strings.Builder
		_ = portal.Execute(&whole, map[string]template.HTML{"Head": d.charter.Head(r), "Script": d.charter.Script(r), "Banner": d.charter.Banner(r)})
		timed := strings.Replace(whole.String(), `<h2 id="charter-title"`, `<h2 elementtiming="banner" id="charter-title"`, 1)
		first, rest, _ := strings.Cut(timed, "<header>")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(first))
		_ = http.NewResponseController(w).Flush()
		<-proceed
		_, _ = w.Write([]byte("<header>" + rest))
	})
	b := newTab(t)
	b.onEachPage(watchPaint)
	call(b, page.Navigate, page.NavigateParams{URL: d.url + "/slow"})
	b.until(`painted?.["first-contentful-paint"] && painted.banner`) // the second is told a frame later
	painted := eval[map[string]float64](b, "painted")
	close(proceed)
	// On a busy machine an empty frame can come before, with the page's background
	// alone: nothing that a visitor could read is painted before the banner.
	assert.InDelta(t, painted["first-contentful-paint"], painted["banner"], 1, "in the same frame: %v", painted)
	b.until(`document.querySelector("h1")`)
}

func TestNothingMovesOnTheScreen(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	for _, size := range [][2]int64{{320, 640}, {1280, 800}} {
		b := newTab(t)
		b.onEachPage(watchPaint)
		b.resize(size[0], size[1])
		for _, state := range states {
			state.reach(b, d)
			// An entry comes with the frame after the one that it is about.
			eval[any](b, "new Promise(done => setTimeout(done, 200))")
			assert.Empty(t, eval[[]string](b, "moved"), "%s, %v", state.name, size)
		}
	}
}

// A banner that the script brings comes after the first paint: it pushes nothing away, be
// it a bar at the head.
func TestABannerThatComesLateMovesNothing(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	for _, layout := range layouts {
		path := d.inLayout(t, layout)
		b := newTab(t)
		b.onEachPage(watchPaint)
		for _, size := range [][2]int64{{390, 844}, {1280, 800}} {
			b.resize(size[0], size[1])
			b.visit(d.url + path + "static")
			b.until(`document.querySelector(".charter-banner")`)
			eval[any](b, "new Promise(done => setTimeout(done, 200))")
			assert.Empty(t, eval[[]string](b, "moved"), "%s, %v", layout, size)
		}
	}
}

// The room that a bar at the head had goes with it, while the visitor has just clicked,
// however slow the server is.
func TestAnAnswerMovesNothingLater(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	for _, layout := range layouts {
		path := d.inLayout(t, layout)
		proceed := make(chan struct{})
		d.slow.Store(&proceed)
		b := newTab(t)
		b.onEachPage(watchPaint)
		b.resize(390, 844)
		b.visit(d.url + path)
		b.click(".charter-banner [value=refuse]")
		time.Sleep(800 * time.Millisecond) // the driver waits for the answer as well
		close(proceed)
		b.until(`document.querySelector(".charter-done")`)
		eval[any](b, "new Promise(done => setTimeout(done, 200))")
		assert.Empty(t, eval[[]string](b, "moved"), layout)
		assert.Equal(t, "0px", eval[string](b, "getComputedStyle(document.documentElement).paddingTop"), layout)
	}
}
