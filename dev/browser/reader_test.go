package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// told returns what assistive technology is told of a page, in reading order: a
// role, a name and what else matters of it, for the roles that are asked for.
func (b *tab) told(roles ...string) []string {
	b.Helper()
	nodes := call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes
	byID := map[accessibility.NodeID]*accessibility.Node{}
	for _, node := range nodes {
		byID[node.NodeID] = node
	}
	var told []string
	var read func(*accessibility.Node)
	read = func(node *accessibility.Node) {
		if role := plain(node.Role); !node.Ignored {
			for _, wanted := range roles {
				if role == wanted {
					told = append(told, describe(node))
				}
			}
		}
		for _, id := range node.ChildIDs {
			if child := byID[id]; child != nil {
				read(child)
			}
		}
	}
	require.NotEmpty(b, nodes)
	read(nodes[0])
	return told
}

// focused returns what assistive technology is told of the element that has the
// focus.
func (b *tab) focused() string {
	b.Helper()
	for _, node := range call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if property(node, "focused") == "true" && plain(node.Role) != "RootWebArea" {
			return describe(node)
		}
	}
	return ""
}

func describe(node *accessibility.Node) string {
	s := plain(node.Role)
	if level := property(node, "level"); level != "" {
		s += " " + level
	}
	if name := plain(node.Name); name != "" {
		s += " " + name
	}
	if property(node, "checked") == "true" {
		s += ", ticked"
	}
	return s
}

func property(node *accessibility.Node, name accessibility.PropertyName) string {
	for _, p := range node.Properties {
		if p.Name == name {
			return plain(p.Value)
		}
	}
	return ""
}

func plain(value *accessibility.Value) string {
	if value == nil {
		return ""
	}
	var v any
	if err := json.Unmarshal(value.Value, &v); err != nil {
		return ""
	}
	return fmt.Sprint(v)
}

func TestAReaderIsToldOfTheBannerFirst(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	for _, path := range []string{"/", "/plain", "/static"} {
		t.Run("on "+path, func(t *testing.T) {
			b := newTab(t)
			b.visit(d.url + path)
			b.until(`document.querySelector(".charter-banner")`)
			told := b.told("region", "banner", "dialog", "alertdialog", "heading", "button", "checkbox", "link")
			assert.Equal(t, []string{
				"region Cookies: your choice",
				"heading 2 Cookies: your choice",
				"button Reject all",
				"button Accept all",
				"button Cookie settings",
				"banner",
			}, told[:6], "a region, and no dialog that holds the visitor")
		})
	}
}

func TestAReaderIsToldOfTheFormInItsOrder(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.visit(newDemo(t, declared...).url + "/cookies/")
	assert.Equal(t, []string{
		"heading 1 Cookie policy",
		"heading 2 What is a cookie?",
		"heading 2 Which cookies do we use?",
		"heading 2 How can I delete cookies?",
		"heading 2 Cookie settings",
		"group Necessary",
		"group Statistics",
		"radio Reject",
		"radio Allow",
		"group",
		"group First-party",
		"radio Reject",
		"radio Allow",
		"group",
		"group Third-party",
		"radio Reject",
		"radio Allow",
		"radio By provider",
		"group",
		"group Anonymous statistics",
		"checkbox I object to anonymous statistics",
		"button Save my choices",
		"button Reject all",
		"button Accept all",
		"heading 2 Necessary",
		"heading 2 Statistics",
		"heading 2 First-party",
		"heading 2 Third-party",
	}, b.told("heading", "group", "radio", "checkbox", "button"), "nothing is chosen beforehand")
}

// What is taken from the page without its form and its style, by a reader view, or by a
// printer, has all the texts once.
func TestTheCharterIsWholeWithoutItsFormAndItsStyle(t *testing.T) {
	t.Parallel()
	d := newDetailedDemo(t, declared...)
	b := newTab(t)
	b.visit(d.url + "/cookies/")
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	assert.False(t, eval[bool](b, `document.querySelector(".charter-form").checkVisibility()`))
	printed := eval[string](b, "document.body.innerText")
	eval[any](b, `document.querySelectorAll("form, [role=status], #settings, link").forEach(element => element.remove())`)
	read := eval[string](b, "document.body.innerText")
	for _, text := range []string{printed, read} {
		for _, once := range []string{"A cookie is a short text", "They measure how the site is used.", "Set by or for another site", "In the settings of your browser", "Measures how videos are watched.", "_pk_id*", "sync_volume"} {
			assert.Equal(t, 1, strings.Count(text, once), once)
		}
	}
}

func TestATableStaysATableOnAPhone(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.visit(newDemo(t, declared[4]).url + "/cookies/")
	want := []string{
		"table Statistics",
		"row",
		"columnheader Provider", "columnheader Service and place", "columnheader Name", "columnheader Purpose", "columnheader Lifetime",
		"row",
		"cell Matomo", "cell Every page", "rowheader _pk_id*", "cell Recognises a visitor who comes back.", "cell 13 months",
	}
	for _, width := range []int64{1280, 320} {
		b.resize(width, 800)
		told := b.told("table", "row", "columnheader", "rowheader", "cell")
		require.Greater(t, len(told), len(want))
		assert.Equal(t, want, told[len(told)-len(want):], width)
	}

	b.visit(newDetailedDemo(t, declared[7], declared[9]).url + "/cookies/")
	want = []string{
		"cell Vimeo Vimeo.com, Inc., United States · Privacy policy", "cell Tutorials", "rowheader sync_volume Local storage", "cell Remembers the volume from film to film.", "cell until it is deleted",
		"row",
		"cell Vimeo Vimeo.com, Inc., United States · Privacy policy", "cell", "rowheader vimeo-player-* Database (IndexedDB)", "cell Keeps parts of films.", "cell until it is deleted",
		"row",
		"cell Dailymotion Dailymotion SA, France · Privacy policy", "cell", "rowheader pixel Other technique", "cell Tells Dailymotion which page you look at.", "cell",
	}
	b.resize(1280, 800)
	told := b.told("row", "rowheader", "cell")
	assert.Equal(t, want, told[len(told)-len(want):])
}
