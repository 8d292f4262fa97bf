package banner_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/banner"
)

// servePlain serves the same page at each path, without packages.
func servePlain(t *testing.T, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><meta charset=utf-8><title>Site</title><link rel=icon href='data:,'><body><h1>Site</h1>%s", body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// homemade has a banner whose button listens late, and settings that open.
const homemade = `
<div id="ask"><button id="yes">Yes</button> <button id="no">No</button></div>
<footer><button id="settings">Settings</button><div id="panel" hidden><label><input type="checkbox" id="stats"> Statistics</label> <button id="save">Save</button> <button id="none">Refuse all</button> <button id="object">Object</button></div></footer>
<script>
const $ = id => document.getElementById(id), answer = value => { document.cookie = "answer=" + value + "; path=/"; $("ask")?.remove(); $("panel").hidden = true; };
if (document.cookie.includes("answer=")) $("ask").remove();
setTimeout(() => { if ($("yes")) $("yes").onclick = () => answer("yes"), $("no").onclick = () => answer("no"); }, 900);
$("settings").onclick = () => setTimeout(() => $("panel").hidden = false, 200);
$("save").onclick = () => answer($("stats").checked ? "stats" : "no");
$("none").onclick = () => answer("no");
$("object").onclick = () => answer("object");
</script>`

func TestAnswersByWhatIsToBeClicked(t *testing.T) {
	t.Parallel()
	site := servePlain(t, homemade)
	o := banner.Options{
		Accept: "#yes", Refuse: "#no", Withdraw: "#settings >> #none", Object: "#settings >> xpath///button[. = 'Object']",
		Only: map[string]string{"statistics": "#settings >> label:has(#stats) >> #save"},
	}
	v := &visitor{T: t, tab: newTab(t), site: site}
	for _, test := range []struct {
		answer func(*visitor) error
		want   string
	}{
		{func(v *visitor) error { return v.way.Accept(t.Context(), v) }, "yes"},
		{func(v *visitor) error { return v.way.Refuse(t.Context(), v) }, "no"},
		{func(v *visitor) error { return v.way.Only(t.Context(), v, "statistics") }, "stats"},
		{func(v *visitor) error { return v.way.Object(t.Context(), v) }, "object"},
		{func(v *visitor) error { return v.way.Withdraw(t.Context(), v) }, "no"},
	} {
		v.begin(t, o)
		require.Equal(t, "selectors", v.way.Name())
		kept, known, err := v.way.Kept(t.Context(), v)
		require.NoError(t, err)
		assert.True(t, known && !kept)
		require.NoError(t, test.answer(v))
		assert.True(t, v.kept())
		var cookie string
		require.NoError(t, v.Eval(t.Context(), `document.cookie`, &cookie))
		assert.Equal(t, "answer="+test.want, cookie)
	}
	choices, err := v.way.Choices(t.Context(), v)
	require.NoError(t, err)
	assert.Equal(t, []string{"statistics"}, choices)
	assert.True(t, banner.IsCannot(v.way.Only(t.Context(), v, "advertising")))
}

func TestSaysWhichClickFailed(t *testing.T) {
	t.Parallel()
	v := visit(t, servePlain(t, homemade), banner.Options{Withdraw: "#settings >> #nowhere"})
	require.ErrorContains(t, v.way.Withdraw(t.Context(), v), "click 2 of 2: no visible #nowhere")
	assert.True(t, banner.IsCannot(v.way.Accept(t.Context(), v)), "nobody has said what to click")
}

func TestOptionsTellEveryMistake(t *testing.T) {
	err := banner.Options{Accept: "#a >> ", Refuse: ">>", Only: map[string]string{"": "#b", "x": ""}, Charter: "cookies"}.Check()
	for _, want := range []string{`accept: "#a >> "`, `refuse: ">>"`, `only: ""="#b"`, `only: "x"=""`, `charter: "cookies"`} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, banner.Options{}.Check())
	require.NoError(t, banner.Options{Charter: "/cookies/"}.Check())
}

func TestSaysWhatItHasLookedFor(t *testing.T) {
	t.Parallel()
	v := visit(t, servePlain(t, ""), banner.Options{})
	assert.Equal(t, "none", v.way.Name())
	for _, err := range []error{
		v.way.Accept(t.Context(), v), v.way.Refuse(t.Context(), v), v.way.Only(t.Context(), v, "statistics"), v.way.Object(t.Context(), v), v.way.Withdraw(t.Context(), v),
	} {
		require.True(t, banner.IsCannot(err))
		require.ErrorContains(t, err, "looked for the charter, vanilla-cookieconsent, klaro, tarteaucitron, orejime")
	}
	_, known, err := v.way.Kept(t.Context(), v)
	require.NoError(t, err)
	assert.False(t, known)
	_, ok := banner.CharterPath(v.way)
	assert.False(t, ok)
}
