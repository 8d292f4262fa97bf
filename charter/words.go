package charter

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// words are all the sentences of the charter in one language, as a file in
// languages/ holds them.
type words struct {
	tag language.Tag

	Title    string // of the charter's page
	Intro    string // what a cookie is, and what the page is for
	Settings string // of the form, and of the link in every footer

	AskTitle string // of the banner
	Ask      string // {purposes} stands for what consent is asked for
	Refuse   string
	Accept   string
	Choose   string
	Save     string

	Saved     string // the confirmation
	Change    string // where to change it
	Close     string
	Undecided string
	Decided   string // {date} stands for when

	Always   string // in place of a box, for what is exempt
	Object   string // the box against anonymous statistics
	Provider string
	Service  string
	Name     string
	Purpose  string
	Lifetime string

	OwnProvider string // the site, as the one who sets the library's own cookie
	OwnService  string
	OwnPurpose  string

	Categories map[consent.Category]struct{ Title, About string }

	Session string            // a lifetime until the browser is closed
	Units   map[string]counts // minute, hour, day, month, year
}

// counts are the forms of a counted word by CLDR's plural categories: zero,
// one, two, few, many, other. {n} stands for the number.
type counts map[string]string

//go:embed languages/*.json
var languageFiles embed.FS

// speak reads the sentences of every language and prepares the choice between
// them.
func (c *Charter) speak() error {
	entries, err := languageFiles.ReadDir("languages")
	if err != nil {
		return err
	}
	var tags []language.Tag
	for _, entry := range entries {
		source, err := languageFiles.ReadFile("languages/" + entry.Name())
		if err != nil {
			return err
		}
		var w words
		if err := json.Unmarshal(source, &w); err != nil {
			return fmt.Errorf("charter: languages/%s: %w", entry.Name(), err)
		}
		w.tag = language.Make(strings.TrimSuffix(entry.Name(), ".json"))
		tags = append(tags, w.tag)
		// Drawn when it is first asked for: a site has visitors of few languages.
		c.drawings = append(c.drawings, sync.OnceValue(func() *drawing { return c.draw(&w) }))
	}
	c.matcher = language.NewMatcher(tags)
	if _, _, confidence := c.matcher.Match(c.site); confidence == language.No {
		return fmt.Errorf("charter: Config.Language: %q: there are no sentences in it", c.site)
	}
	return nil
}

// drawingFor returns the drawing in the language that serves a request best.
func (c *Charter) drawingFor(r *http.Request) *drawing {
	// What a browser sends in bad form says nothing.
	wanted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if c.languageOf != nil {
		if tag := c.languageOf(r); tag != (language.Tag{}) {
			wanted = append([]language.Tag{tag}, wanted...)
		}
	}
	_, i, confidence := c.matcher.Match(wanted...)
	if confidence == language.No {
		_, i, _ = c.matcher.Match(c.site)
	}
	return c.drawings[i]()
}

// lifetime says a duration in the largest unit that it is a whole number of;
// below an hour, in minutes.
func (w *words) lifetime(d time.Duration) string {
	if d == 0 {
		return w.Session
	}
	const day = 24 * time.Hour
	for _, unit := range []struct {
		name   string
		length time.Duration
	}{{"year", 365 * day}, {"month", 30 * day}, {"day", day}, {"hour", time.Hour}} {
		if d%unit.length == 0 {
			return w.count(unit.name, int(d/unit.length))
		}
	}
	switch {
	case d > day:
		return w.count("day", int((d+day/2)/day))
	case d > time.Hour:
		return w.count("hour", int((d+time.Hour/2)/time.Hour))
	default:
		return w.count("minute", int((d+time.Minute-1)/time.Minute))
	}
}

// count says a number of units, in the form that the language has for it.
func (w *words) count(unit string, n int) string {
	form := w.Units[unit][formNames[plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)]]
	return strings.ReplaceAll(form, "{n}", fmt.Sprint(n))
}

var formNames = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}
