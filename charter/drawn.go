package charter

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// drawnBy returns the charter in the language in which a control was drawn: a page may be in
// another one than the visitor's browser asks for, as its address says. isKnown is false if the
// site has changed since then, or what a form shows of its visitor, so that nobody knows what was
// on the screen. A template of the site that does not post it was drawn as this request would
// have it.
func (c *Charter) drawnBy(r *http.Request, drawn string) (l *localized, isKnown bool) {
	if drawn == "" {
		return c.localizedFor(r), true
	}
	parts := strings.Split(drawn, ".")
	i := slices.IndexFunc(c.languages, func(tag language.Tag) bool { return tag.String() == parts[0] })
	if i < 0 || len(parts) < 2 {
		return c.localizedFor(r), false
	}
	return c.localized[i](), parts[1] == c.version && (len(parts) == 2 || strings.Join(parts[2:], ".") == c.stateOf(r))
}

// stateOf stands for what a form shows of its visitor: what they had decided, and for whom; and
// under which law. In another tab, they may have answered since.
func (c *Charter) stateOf(r *http.Request) string {
	prefs := consent.FromContext(r.Context())
	state := idOf(strconv.FormatInt(prefs.DecidedAt().UnixMilli(), 10), c.formOf(r), strconv.FormatBool(sendsGPC(r)))
	return strings.TrimPrefix(state, "charter-") + "." + prefs.Regime().String()
}

// regimeIn returns the regime under which a form was drawn, with boxes that it may have ticked.
// It returns nil if the form does not say.
func regimeIn(drawn string) *consent.Regime {
	parts, regime := strings.Split(drawn, "."), new(consent.Regime)
	if len(parts) != 4 || regime.UnmarshalText([]byte(parts[3])) != nil {
		return nil
	}
	return regime
}

// versionOf returns what stands for all that a control may show, the same in every process
// that runs the same site.
func (c *Charter) versionOf() (string, error) {
	all := []any{c.templatesSum, sumOf(c.style.content), c.layout, c.name, c.public, c.policyURL, c.updated.Format(time.DateOnly), c.words, c.categories, c.mw.Registry()}
	content, err := json.Marshal(all)
	return sumOf(content)[:4], err // each byte is one more on every page with a banner
}

// changed returns what is known of a control that was drawn before the site changed, or its
// visitor's decision.
func (c *Charter) changed(r *http.Request, l *localized, a answer) consent.Screen {
	s := consent.Screen{
		Language: l.words.tag.String(), Control: string(a.control), Pressed: a.pressed, Host: c.hosts.keep(hostOf(r)), Changed: true,
	}
	if dir := direction(l.words.tag); dir != "ltr" {
		s.Direction = dir
	}
	return s
}
