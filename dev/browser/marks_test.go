package browser

import (
	"html/template"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// marked are gates as sites mark them that come from vanilla-cookieconsent or
// klaro, the last of those that open at the end: scripts run in their order.
const marked = `
<script type="text/plain" id="category" data-category="statistics" data-src="/ran.js"></script>
<script type="text/plain" id="service" data-category="third-party" data-service="Vimeo" src="/ran.js"></script>
<script type="text/plain" id="data-src" data-consent="statistics" data-provider="Matomo" data-type="text/javascript" data-src="/ran.js"></script>
<script type="text/plain" id="refused" data-category="first-party" src="/ran.js"></script>
<script type="text/plain" id="whole" data-category="third-party" src="/ran.js"></script>
<script type="text/plain" id="undeclared" data-category="analytics" src="/ran.js"></script>
<script type="text/plain" id="negated" data-category="!statistics" src="/ran.js"></script>
<script type="text/plain" id="negated-service" data-category="third-party" data-service="!Vimeo" src="/ran.js"></script>
<script type="text/plain" id="nobody" data-category="third-party" data-service="Nobody" src="/ran.js"></script>
<script type="text/plain" id="elsewhere" data-category="statistics" data-service="Vimeo" src="/ran.js"></script>
<script type="text/plain" id="constructor" data-category="constructor" src="/ran.js"></script>
<script type="text/plain" id="constructor-consent" data-consent="constructor" src="/ran.js"></script>
<script type="text/plain" id="constructor-service" data-category="constructor" data-service="name" src="/ran.js"></script>
<script type="text/plain" id="proto" data-category="__proto__" src="/ran.js"></script>
<script type="text/plain" id="empty" data-category src="/ran.js"></script>
<script type="text/plain" id="consent-rules" data-consent="undeclared" data-category="statistics" src="/ran.js"></script>
<script type="text/plain" id="empty-consent-rules" data-consent data-category="statistics" src="/ran.js"></script>
<script type="text/plain" id="consent-knows-no-service" data-consent="third-party" data-service="Vimeo" src="/ran.js"></script>
<script type="text/plain" id="service-alone" data-service="Vimeo" src="/ran.js"></script>
<script type="text/plain" id="name" data-name="Vimeo" data-src="/ran.js"></script>
<script type="text/plain" id="unmarked" src="/ran.js"></script>
<script type="text/plain" data-category="statistics" data-type="module" data-src="/module.js"></script>`

func TestTheScriptTakesTheMarksOfVanillaCookieconsent(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	d.page("/marked", true, true, func(*http.Request) template.HTML { return marked })
	d.file("/ran.js", "text/javascript", "ran.push(document.currentScript.id)")
	d.file("/module.js", "text/javascript", `ran.push(import.meta.url && "module")`)
	const closed = `[...document.querySelectorAll("script[type='text/plain']")].map(gate => gate.id)`

	b := newTab(t)
	b.onEachPage("window.ran = []")
	b.visit(d.url + "/marked")
	assert.Equal(t, 22, eval[int](b, closed+".length"), "nothing runs before there is an answer")
	assert.Empty(t, eval[[]string](b, "ran"))

	b.visit(d.url + "/cookies/?back=/marked")
	b.answer("statistics", "allow")
	b.answer("third-party", "some")
	b.click("details:has([value='third-party:Vimeo']) summary")
	b.click("[value='third-party:Vimeo']")
	b.click(".charter-buttons [value=save]")
	b.until(`location.pathname === "/marked" && ran.includes("module")`)
	assert.Equal(t, []string{"category", "service", "data-src", "module"}, eval[[]string](b, "ran"))
	never := []string{
		"undeclared", "negated", "negated-service", "nobody", "elsewhere",
		"constructor", "constructor-consent", "constructor-service", "proto", "empty",
		"consent-rules", "empty-consent-rules",
	}
	unknown := []string{"service-alone", "name", "unmarked"}
	assert.ElementsMatch(t, append(append([]string{"refused", "whole", "consent-knows-no-service"}, never...), unknown...), eval[[]string](b, closed))

	b.visit(d.url + "/cookies/?back=/marked")
	b.click(".charter-buttons [value=accept]")
	b.until(`location.pathname === "/marked" && ran.includes("module")`)
	assert.ElementsMatch(t, append(never, unknown...), eval[[]string](b, closed), "whatever is accepted")
}
