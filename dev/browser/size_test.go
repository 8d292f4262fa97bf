package browser

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// languages are those that the charter speaks.
func languages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../charter/languages/*.json")
	require.NoError(t, err)
	require.Len(t, files, 24)
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

// A box is where an element lies in the viewport.
type box struct {
	Name                     string
	Left, Top, Width, Height float64
}

func (b *tab) boxes(selector string) []box {
	b.Helper()
	return eval[[]box](b, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(element => {
		const {left, top, width, height} = element.getBoundingClientRect();
		return {name: element.textContent, left, top, width, height};
	})`, selector))
}

const choices = ".charter-banner :is(button, a)"

func TestTheThreeChoicesAreEqual(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	b := newTab(t)
	for _, language := range languages(t) {
		b.speak(language)
		b.resize(320, 640)
		b.visit(d.url + "/plain")
		of := b.boxes(choices)
		require.Len(t, of, 3)
		for i, box := range of {
			assert.InDelta(t, of[0].Width, box.Width, .5, "%s: as wide: %v", language, of)
			assert.InDelta(t, of[0].Height, box.Height, .5, "%s: as high: %v", language, of)
			assert.Equal(t, i == 0, box.Top == of[0].Top, "%s: stacked on a phone: %v", language, of)
		}
		b.resize(1280, 800)
		of = b.boxes(choices)
		for _, box := range of {
			assert.InDelta(t, of[0].Width, box.Width, .5, "%s: as wide: %v", language, of)
			assert.InDelta(t, of[0].Height, box.Height, .5, "%s: as high: %v", language, of)
			assert.InDelta(t, of[0].Top, box.Top, .5, "%s: side by side on a desktop: %v", language, of)
		}
	}
}

// A box is ticked by its label, too. A link in a sentence is as high as its line
// (WCAG 2.2, 2.5.8, "inline").
const controls = "[class^=charter] :is(button, label, a:not(p a)), .charter-link"

// 320 by 256 CSS pixels are what is left of 1280 by 1024 at 400 % (WCAG 2.2,
// 1.4.10).
func TestEverythingFitsOntoAPhoneAndInto400Percent(t *testing.T) {
	t.Parallel()
	d := newDetailedDemo(t, declared...)
	b := newTab(t)
	b.resize(320, 256)
	for _, language := range []string{"en", "bg", "de", "ar"} {
		b.speak(language)
		for _, state := range states {
			state.reach(b, d)
			where := fmt.Sprintf("%s, in %s", state.name, language)
			assert.Zero(t, eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"), "%s: no scrolling to the side", where)
			all := b.boxes(controls)
			assert.NotEmpty(t, all, where)
			for _, box := range all {
				assert.GreaterOrEqual(t, min(box.Width, box.Height), 24., "%s: %v", where, box)
				assert.True(t, box.Left >= 0 && box.Left+box.Width <= 320, "%s: %v", where, box)
			}
		}
	}
}
