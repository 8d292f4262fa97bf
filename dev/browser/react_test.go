package browser

import (
	"fmt"
	"html/template"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bundle makes one script of a module and of what it imports from node_modules.
func bundle(t *testing.T, source string) string {
	t.Helper()
	result := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{Contents: source, ResolveDir: ".", Loader: api.LoaderJSX}, NodePaths: []string{"node_modules"},
		Bundle: true, Format: api.FormatIIFE, JSX: api.JSXAutomatic, Define: map[string]string{"process.env.NODE_ENV": `"development"`},
	})
	require.Empty(t, result.Errors, "npm ci --prefix dev/browser")
	return string(result.OutputFiles[0].Contents)
}

// newReactDemo has a page that a script of React draws. The development build has the
// checks of StrictMode.
func newReactDemo(t *testing.T, source string, main template.HTML) *demo {
	t.Helper()
	d := newSwapDemo(t, nil)
	d.file("/app.js", "text/javascript", bundle(t, source))
	d.swapped("/app", true, true, `<script src="/app.js" defer></script>`, main)
	return d
}

var mounts = fmt.Sprintf(`
	import { StrictMode, useState, useSyncExternalStore } from "react";
	import { createRoot } from "react-dom/client";
	const gates = { __html: %q };
	window.renders = 0;
	const Gates = () => <div dangerouslySetInnerHTML={gates} />;
	const Allowed = () => {
		const state = useSyncExternalStore(consent.subscribe, () => consent.state);
		window.renders++;
		return <output>{state.allowed["third-party"].join()}</output>;
	};
	const App = () => {
		const [shown, setShown] = useState(true);
		window.setShown = setShown;
		return <><Allowed />{shown && <Gates />}</>;
	};
	const start = () => createRoot(document.querySelector("main")).render(<StrictMode><App /></StrictMode>);
	window.consent ? start() : addEventListener("DOMContentLoaded", start);
`, gates)

func TestReactRendersAgainOnADecision(t *testing.T) {
	t.Parallel()
	d := newReactDemo(t, mounts, "<main></main>")
	b := newTab(t)
	b.onEachPage(countsRuns)
	b.visit(d.url + "/app")
	b.until(`document.querySelector("output")`)
	b.settled()
	assert.LessOrEqual(t, eval[int](b, "renders"), 4, "StrictMode renders twice, and the state is new once")
	assert.True(t, eval[bool](b, "consent.state === consent.state"))
	assert.Zero(t, eval[int](b, "ran"))
	b.click(".charter-banner [value=accept]")
	b.until(`document.querySelector("output").textContent === "Dailymotion,Vimeo"`)
	b.until(isOpen)
	b.settled()
	assert.LessOrEqual(t, eval[int](b, "renders"), 8)

	for i := range 3 {
		eval[any](b, "setShown(false)")
		b.until(`!document.querySelector(".gates")`)
		eval[any](b, "setShown(true)")
		b.until(fmt.Sprintf(`ran === %d && document.querySelectorAll(".counted, .inner").length === 2`, 8+4*i))
	}
	b.refuseInSettings()
	b.until(`document.readyState === "complete" && document.querySelector("output")?.textContent === "" && !document.querySelector(".counted")`)
}

func TestTheBannerComesBackWhereReactDrawsTheBody(t *testing.T) {
	t.Parallel()
	const app = `
		import { StrictMode, useState } from "react";
		import { createRoot, hydrateRoot } from "react-dom/client";
		const App = () => {
			const [count, setCount] = useState(0);
			return <main><button id="more" onClick={() => setCount(count + 1)}>{count}</button>{Array.from({length: count}, (_, i) => <p key={i}>{i}</p>)}</main>;
		};
	`
	for name, test := range map[string]struct {
		render string
		main   template.HTML
	}{
		"createRoot":            {`createRoot(document.body).render(<StrictMode><App /></StrictMode>);`, ""},
		"createRoot, twice":     {`const root = createRoot(document.body); root.render(<App />); setTimeout(() => root.render(<App key="2" />), 200);`, ""},
		"hydrateRoot of a part": {`hydrateRoot(document.querySelector("#root"), <App />);`, `<div id="root"><main><button id="more">0</button></main></div>`},
		"hydrateRoot":           {`hydrateRoot(document.body, <App />, {onRecoverableError() {}});`, `<main><button id="more">0</button></main>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newReactDemo(t, app+test.render, test.main)
			b := newTab(t)
			b.visit(d.url + "/app")
			b.until(`document.querySelector("#more")`)
			b.settled()
			b.until(hasBanner)
			for i := range 3 {
				b.click("#more")
				b.until(fmt.Sprintf(`document.querySelectorAll("main p").length === %d`, i+1))
			}
			b.until(hasBanner)
			b.click(".charter-banner [value=refuse]")
			b.until(`document.querySelector(".charter-done button")`)
			b.click(".charter-done button")
			b.click("#more")
			b.until(`document.querySelectorAll("main p").length === 4`)
			assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`))
		})
	}
}
