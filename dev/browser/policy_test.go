package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The demo serves every page under the strictest policy, and a tab fails its
// test where the browser complains. What is left to do is to go everywhere.
func TestAStrictPolicyIsEnoughForTheWholeWay(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]bool{"with the script": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDemo(t, declared...)
			b := newTab(t)
			if !script {
				b.disableScripts()
			}
			b.visit(d.url + "/film")
			b.click(".charter-banner [value=refuse]")
			b.until(`document.querySelector(".charter-done") && !document.querySelector(".charter-banner, .film")`)
			b.click(".charter-placeholder button")
			b.until(`document.querySelector(".film")`)
			b.click(".charter-done button")
			assert.Equal(t, "/film", eval[string](b, "location.pathname"))

			form := ".charter-settings "
			if script {
				b.click(".charter-link")
				b.until(`document.querySelector("dialog.charter-settings[open]")`)
			} else {
				form = ".charter-page "
				b.click(".charter-link")
				b.until(`document.activeElement.id === "settings"`)
			}
			assert.Equal(t, []string{"refuse", "refuse", "some", "third-party:Vimeo"}, eval[[]string](b, ticked))
			b.click(form + "[name='category:statistics'][value=allow]")
			b.click(form + "[name='category:third-party'][value=refuse]")
			b.click(form + ".charter-buttons [value=save]")
			// With the script the page is loaded again: the film was there.
			b.until(`document.querySelector(".charter-placeholder, .charter-page [value=allow][checked]") && !document.querySelector("dialog.charter-settings")`)
			b.visit(d.url + "/cookies/")
			assert.Equal(t, []string{"allow", "refuse", "refuse"}, eval[[]string](b, ticked))
			b.visit(d.url + "/film")
			assert.True(t, eval[bool](b, `Boolean(document.querySelector(".charter-placeholder"))`))
			b.visit(d.url + "/static")
		})
	}
}

const ticked = `[...document.querySelectorAll(":checked")].map(box => box.value)`
