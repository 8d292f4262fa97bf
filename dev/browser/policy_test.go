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
			b.until(`document.querySelector(".charter-done") && document.querySelector(".film")`)
			assert.Equal(t, d.url+"/film", eval[string](b, "location.href"))

			b.click(".charter-done a")
			b.until(`document.activeElement.id === "settings"`)
			assert.Equal(t, []string{"third-party:Vimeo"}, eval[[]string](b, ticked))
			b.click("[value='statistics:Matomo']")
			b.click("[value='third-party:Vimeo']")
			b.click(".charter-buttons [value=save]")
			b.until(`document.querySelector("[value='statistics:Matomo'][checked]")`)
			assert.Equal(t, []string{"statistics:Matomo"}, eval[[]string](b, ticked))
			b.visit(d.url + "/film")
			assert.True(t, eval[bool](b, `Boolean(document.querySelector(".charter-placeholder"))`))
			b.visit(d.url + "/static")
		})
	}
}

const ticked = `[...document.querySelectorAll(":checked")].map(box => box.value)`
