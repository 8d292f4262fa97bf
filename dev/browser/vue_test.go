package browser

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVueShowsGatesAndFollowsTheState(t *testing.T) {
	t.Parallel()
	d := newSwapDemo(t, map[string]string{"/vue.js": "vue/dist/vue.global.prod.js"})
	d.file("/app.js", "text/javascript", fmt.Sprintf(`addEventListener("DOMContentLoaded", () => {
		const {createApp, h, onUnmounted, ref, shallowRef} = Vue;
		createApp({setup() {
			const state = shallowRef(consent.state), shown = ref(true);
			onUnmounted(consent.subscribe(() => { state.value = consent.state; }));
			window.show = value => { shown.value = value; };
			return () => [h("output", state.value.allowed["third-party"].join()), shown.value && h("div", {innerHTML: %q})];
		}}).mount("main");
	})`, gates))
	d.swapped("/app", true, true, `<script src="/vue.js" defer></script><script src="/app.js" defer></script>`, "<main></main>")
	b := newTab(t)
	b.onEachPage(countsRuns)
	b.visit(d.url + "/app")
	b.until(`document.querySelector("output")`)
	b.settled()
	assert.Zero(t, eval[int](b, "ran"))
	b.click(".charter-banner [value=accept]")
	b.until(`document.querySelector("output").textContent === "Dailymotion,Vimeo"`)
	b.until(isOpen)
	eval[any](b, "show(false)")
	b.until(`!document.querySelector(".gates")`)
	eval[any](b, "show(true)")
	b.until(`ran === 8 && document.querySelectorAll(".counted, .inner").length === 2`)
}
