package browser

import (
	"html/template"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

func TestAPlaceholderInADialogOfTheSiteLeavesItOpen(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	d.html("/dialog", func(r *http.Request) template.HTML {
		return `<!doctype html><html lang="en"><head><title>t</title><link rel="icon" href="data:,">` + d.charter.Head(r) + d.charter.Script(r) + `</head><body>` + d.charter.Banner(r) +
			`<dialog id="film">` + d.charter.Placeholder(r, consent.ThirdParty, "Vimeo", `<p class="film">The film.</p>`) + `</dialog><script>document.querySelector("#film").showModal()</script></body></html>`
	})
	b := newTab(t)
	b.visit(d.url + "/dialog")
	b.click(".charter-placeholder button")
	b.until(`!document.querySelector(".charter-placeholder")`)
	b.settled()
	assert.True(t, eval[bool](b, `document.querySelector("#film[open] .film")?.checkVisibility()`))
}
