package main

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/chromedp/cdproto/network"
)

// A visited site is one with what first visits to it were like.
type visited struct {
	site
	Requests, Bytes sample
	Script          sample // ms in JavaScript, compiling included
	Shift           sample // cumulative layout shift
	First, Banner   sample // ms from the navigation until the first paint, and until the banner's
	Violations      []string
	// What the browser has stored before any click, where the server sets a
	// cookie of statistics that scripts can read, and one that is HttpOnly.
	Readable, HTTPOnly []string
	Hard               []hard // under each of the hardships
}

// watchBanner keeps when the banner was painted first. Chromium tells so of an
// element that asks for it, which it must do before; but not of one that fades in, of
// which it keeps the first frame in which it is not transparent.
func watchBanner(selector string) string {
	return fmt.Sprintf(`
		window.painted = window.faded = 0;
		new PerformanceObserver(list => { painted ||= list.getEntries()[0].renderTime; }).observe({type: "element", buffered: true});
		new MutationObserver((_, observer) => {
			const text = document.querySelector(%q);
			if (!text) return;
			text.setAttribute("elementtiming", "banner");
			observer.disconnect();
			(function look() {
				if (text.checkVisibility({opacityProperty: true, visibilityProperty: true})) faded = performance.now();
				else requestAnimationFrame(look);
			})();
		}).observe(document, {childList: true, subtree: true});`, selector)
}

// shown is whether a visitor sees the element.
func shown(selector string) string {
	return fmt.Sprintf(`(() => {
		const element = document.querySelector(%q);
		if (!element?.checkVisibility({opacityProperty: true, visibilityProperty: true})) return false;
		const {top, bottom, left, right} = element.getBoundingClientRect();
		return bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
	})()`, selector)
}

const layoutShift = `new Promise(done => {
	let sum = 0;
	new PerformanceObserver(list => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value; }).observe({type: "layout-shift", buffered: true});
	setTimeout(() => done(sum), 100);
})`

// settled is how long a page is left alone after its load event, and again and
// again until its banner is there.
const settled = 700 * time.Millisecond

// taken is what a page has cost until it has settled; the script in ms.
type taken struct{ requests, bytes, script float64 }

// settle waits until a page shows its banner, and asks it only after the
// measures have been read: the question is script too.
func (t *tab) settle(s site) (so taken) {
	for t.err == nil {
		time.Sleep(settled)
		so.script = 1000 * (t.metric("ScriptDuration") + t.metric("V8CompileDuration"))
		t.mu.Lock()
		so.requests, so.bytes = float64(t.requests), t.bytes
		t.mu.Unlock()
		if s.banner == "" || eval[bool](t, shown(s.banner)) {
			break
		}
	}
	return so
}

// look visits a page that nothing watches from inside, so that all the script
// that runs is its own.
func (v *visited) look(b *browser, url string) error {
	t := b.newTab()
	defer t.close()
	t.visit(url)
	so := t.settle(v.site)
	v.Requests, v.Bytes, v.Script = append(v.Requests, so.requests), append(v.Bytes, so.bytes), append(v.Script, so.script)
	v.Shift = append(v.Shift, eval[float64](t, layoutShift))
	return t.err
}

// time visits a page and waits for its banner's first paint.
func (v *visited) time(b *browser, url string) error {
	t := b.newTab()
	defer t.close()
	t.watch(v.site)
	first, banner := t.paints(v.site, url)
	v.First, v.Banner = append(v.First, first), append(v.Banner, banner)
	return t.err
}

// watch has the pages of a site that the tab visits from now on note their banner's paint.
func (t *tab) watch(s site) {
	if s.banner != "" {
		t.onEachPage(watchBanner(s.banner))
	}
}

// paints visits a page of a site, and tells when it was painted first, and its banner.
func (t *tab) paints(s site, url string) (first, banner float64) {
	t.visit(url)
	for t.err == nil {
		times := eval[[]float64](t, `[performance.getEntriesByName("first-paint")[0]?.startTime ?? 0, window.painted || (window.faded && performance.now() - faded > 1000 ? faded : 0)]`)
		if t.err == nil && times[0] > 0 && (times[1] > 0 || s.banner == "") {
			return times[0], times[1]
		}
		time.Sleep(50 * time.Millisecond)
	}
	return 0, 0
}

// check has axe-core look at a page, as it is set from the start.
func (v *visited) check(b *browser, url, axe string) error {
	t := b.newTab()
	defer t.close()
	t.visit(url)
	t.settle(v.site)
	eval[any](t, axe+"; null")
	v.Violations = eval[[]string](t, `axe.run().then(({violations}) => violations.map(rule => rule.id))`)
	return t.err
}

// stores visits a page on which the server sets a cookie, and returns the names
// of what the browser has stored then.
func (v *visited) stores(b *browser, url string) ([]string, error) {
	t := b.newTab()
	defer t.close()
	t.visit(url)
	t.settle(v.site)
	stored := eval[[]string](t, `[...Object.keys(localStorage), ...Object.keys(sessionStorage)]`)
	for _, cookie := range call(t, network.GetCookies, network.GetCookiesParams{}).Cookies {
		stored = append(stored, cookie.Name)
	}
	slices.Sort(stored)
	return stored, t.err
}

// tour visits every site in each round, forwards and backwards in turn. It asks
// twice for paints, which take less time than the rest and vary more.
func tour(b *browser, list []site, axe string, rounds int) ([]visited, error) {
	result := make([]visited, len(list))
	urls := make([]string, len(list))
	for i, s := range list {
		server := httptest.NewServer(s.handler)
		defer server.Close()
		result[i].site, urls[i] = s, server.URL
	}
	each := func(backwards bool, do func(*visited, string) error) error {
		for i := range result {
			if backwards {
				i = len(result) - 1 - i
			}
			if err := do(&result[i], urls[i]); err != nil {
				return fmt.Errorf("%s: %w", result[i].Name, err)
			}
		}
		return nil
	}
	for round := range rounds {
		backwards := round%2 == 1
		err := errors.Join(
			each(backwards, func(v *visited, url string) error { return v.look(b, url+untracked) }),
			each(backwards, func(v *visited, url string) error { return v.time(b, url+untracked) }),
			each(!backwards, func(v *visited, url string) error { return v.time(b, url+untracked) }),
		)
		if err != nil {
			return nil, err
		}
	}
	return result, each(false, func(v *visited, url string) (err error) {
		if err = v.check(b, url+untracked, axe); err != nil {
			return err
		}
		if v.Readable, err = v.stores(b, url+trackedReadable); err != nil {
			return err
		}
		v.HTTPOnly, err = v.stores(b, url+trackedHTTPOnly)
		return err
	})
}
