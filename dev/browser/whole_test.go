package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A page comes in pieces, and a browser paints what it has: a banner would grow, and move.
func TestABannerIsShownWhenAllOfItIsThere(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	b := newTab(t)
	b.visit(d.url + "/plain")
	const isShown = `document.querySelector(".charter-banner [value=refuse]").checkVisibility({visibilityProperty: true})`
	assert.True(t, eval[bool](b, isShown))
	assert.False(t, eval[bool](b, `document.querySelector(".charter-banner [formmethod]").remove(), `+isShown), "its end has not come yet")
}
