package charter

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

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

	AskTitle  string // of the banner
	Ask       string // {purposes} stands for what consent is asked for
	AskOptOut string // in its place, where the law is opt-out; {purposes} stands for what is allowed until it is refused
	Refuse    string
	Accept    string
	Choose    string
	Save      string

	Saved     string // the confirmation
	Change    string // where to change it
	Close     string
	Undecided string
	Decided   string // {date} stands for when
	Allowed   string // {providers} stands for those that the visitor allows
	Nothing   string // in its place, where that is nobody

	// Presumed stands above the form where the law is opt-out and nothing is
	// answered yet. What is written about a category, by us or by the site,
	// is written for visitors who are asked first, and may say that the category
	// needs consent: this one sentence says where that does not hold, so that
	// no text is needed twice. After an answer it is true again.
	Presumed string
	GPC      string // third parties are refused by Global Privacy Control

	NotRecorded string // in place of the status, where a consent could not be recorded
	Reference   string // before the reference under which decisions are recorded

	Embedded string // in place of content; {provider} stands for who would be contacted
	Show     string // the button that allows {provider}

	None     string // of a category in which the site declares nothing
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

	Categories map[consent.Category]categoryWords

	Session string            // a lifetime until the browser is closed
	Units   map[string]counts // minute, hour, day, month, year
}

type categoryWords struct{ Title, About string }

// counts are the forms of a counted word by CLDR's plural categories: zero,
// one, two, few, many, other. {n} stands for the number.
type counts map[string]string

//go:embed languages/*.json
var languageFiles embed.FS

// speak reads the sentences of every language, this package's and the site's,
// and prepares the choice between them.
func (c *Charter) speak(site fs.FS) error {
	all := make(map[language.Tag]*words)
	var mistakes []error
	for _, source := range []fs.FS{ours(), site} {
		if source == nil {
			continue
		}
		names, err := fs.Glob(source, "*.json")
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Languages: %w", err))
		} else if len(names) == 0 {
			mistakes = append(mistakes, errors.New(`charter: Config.Languages: no file such as "fr.json" at its root (fs.Sub?)`))
		}
		for _, name := range names {
			w, err := readWords(source, name, all)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("charter: Config.Languages: %s: %w", name, err))
				continue
			}
			all[w.tag] = w
		}
	}
	tags := slices.SortedFunc(maps.Keys(all), func(a, b language.Tag) int { return strings.Compare(a.String(), b.String()) })
	for _, tag := range tags {
		// Drawn when it is first asked for: a site has visitors of few languages.
		c.drawings = append(c.drawings, sync.OnceValue(func() *drawing { return c.draw(all[tag]) }))
	}
	c.matcher = language.NewMatcher(tags)
	if _, _, confidence := c.matcher.Match(c.site); confidence == language.No {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.Language: %q: there are no sentences in it", c.site))
	}
	return errors.Join(mistakes...)
}

func ours() fs.FS {
	files, err := fs.Sub(languageFiles, "languages")
	if err != nil {
		panic(err) // for a path that is none
	}
	return files
}

// readWords reads one file. What it leaves out stays as it is in known.
func readWords(source fs.FS, name string, known map[language.Tag]*words) (*words, error) {
	tag, err := language.Parse(strings.TrimSuffix(name, ".json"))
	if err != nil {
		return nil, err
	}
	file, err := fs.ReadFile(source, name)
	if err != nil {
		return nil, err
	}
	w := words{tag: tag}
	before := known[tag]
	if before != nil {
		w = *before
		w.Categories, w.Units = nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&w); err != nil {
		return nil, err
	}
	if err := w.checkKeys(); err != nil {
		return nil, err
	}
	if before != nil {
		w.keep(before)
	}
	return &w, w.check()
}

// keep takes from before what w does not say.
func (w *words) keep(before *words) {
	categories := maps.Clone(before.Categories)
	for name, told := range w.Categories {
		categories[name] = categoryWords{
			Title: cmp.Or(told.Title, before.Categories[name].Title),
			About: cmp.Or(told.About, before.Categories[name].About),
		}
	}
	units := maps.Clone(before.Units)
	for unit, forms := range w.Units {
		units[unit] = maps.Clone(before.Units[unit])
		maps.Copy(units[unit], forms)
	}
	w.Categories, w.Units = categories, units
}

// drawingFor returns the drawing in the language that serves a request best.
func (c *Charter) drawingFor(r *http.Request) *drawing {
	wanted := acceptedBy(r)
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

// maxAccept bounds how much of an Accept-Language is read; browsers send some ten
// languages.
const maxAccept = 1 << 10

// acceptedBy returns the languages of a request's Accept-Language. What is in bad form,
// or no language that is known, is left out; the rest counts.
func acceptedBy(r *http.Request) []language.Tag {
	field := r.Header.Get("Accept-Language")
	if len(field) > maxAccept {
		field = field[:strings.LastIndexByte(field[:maxAccept], ',')+1]
	}
	tags, _, err := language.ParseAcceptLanguage(field)
	if err == nil {
		return tags
	}
	good := slices.DeleteFunc(strings.Split(field, ","), func(entry string) bool {
		_, _, err := language.ParseAcceptLanguage(entry)
		return err != nil
	})
	tags, _, _ = language.ParseAcceptLanguage(strings.Join(good, ","))
	return tags
}
