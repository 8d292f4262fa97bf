package browser

import (
	"html/template"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A page that is the same for everybody has the lines of the guide.
func TestAPageWithTheScriptAloneHasALinkToTheSettings(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/adopting.md")
	require.NoError(t, err)
	lines := regexp.MustCompile("(?s)```html\n(<script.*?)```").FindSubmatch(guide)
	require.NotNil(t, lines)
	d := newDemo(t, declared...)
	d.html("/same", func(*http.Request) template.HTML {
		return template.HTML(`<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,">` + string(lines[1]))
	})
	b := newTab(t)
	b.visit(d.url + "/same")
	b.until(`document.querySelector(".charter-banner")`)
	b.click(".charter-banner [value=refuse]")
	b.until(`!document.querySelector(".charter-banner")`)
	b.click("[data-charter-open]:not(.charter-done *)")
	b.until(`document.querySelector("dialog.charter-settings[open]")`)
	assert.Equal(t, "/same", eval[string](b, "location.pathname"), "over the page")

	b = newTab(t)
	b.disableScripts()
	b.visit(d.url + "/same")
	b.click("[data-charter-open]")
	b.until(`document.querySelector(".charter-page")`)
}
