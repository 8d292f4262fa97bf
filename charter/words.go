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

// words holds the sentences of the charter in one language. A file in languages/
// has its form.
type words struct {
	tag language.Tag

	// The charter's page. {site} is the name of the site, or ThisSite.
	Title       string
	Intro       string // {site}: what the page is for
	ThisSite    string // begins a sentence if the site has no name
	Updated     string // {date}: when the charter was last changed
	WhatTitle   string
	What        string // explains cookies
	KindsTitle  string // the title of the tables
	DeleteTitle string
	Delete      string // how a visitor deletes cookies in the browser

	Settings string // the title of the form, and the text of the link to it

	// The banner. {site} is as above, {settings} is Settings, and {purposes} and
	// {presumed} are the purposes of categories, each a For, as a list.
	AskTitle    string
	Ask         string // under an opt-in law
	AskOptOut   string // under a law that allows all of {presumed} until the visitor refuses
	AskUK       string // under a law that allows some, {presumed}, and asks for the rest, {purposes}
	ForCategory string // the For of a {category} of the site's own that has none
	Refuse      string
	Accept      string
	Choose      string
	Save        string

	Saved     string // confirms a decision
	Working   string // replaces Saved until the answer of a slow server comes
	Stale     string // a page still does what the visitor no longer allows
	Reload    string // the button that ends this
	Change    string // the link in the confirmation: where to change the decision
	Close     string // the button of the confirmation
	Undecided string
	Decided   string // {date}: the day of the decision
	Allowed   string // {providers}: those that the visitor allows
	Nothing   string // replaces Allowed if the visitor allows none
	Objected  string // follows if the visitor objects to anonymous statistics

	// Presumed is shown above the form before an answer under an opt-out law. The
	// texts about categories are written for opt-in laws, and may say that a
	// category needs consent. This sentence says that it does not yet, so that
	// nobody has to write those texts twice. {allow} is Allow.
	Presumed string
	GPC      string // {refused} stands for the categories that are refused, since the browser sends Sec-GPC (Global Privacy Control)

	GPCHonored string // the same in a few words, next to the link and after a decision
	GPCExcept  string // replaces GPCHonored if the visitor allows some of what it refuses all the same: {providers}

	NotRecorded string // replaces the status if a consent could not be recorded
	NotKept     string // replaces the confirmation if the browser has not kept the decision
	Unverified  string // replaces the status if the browser has not said that the form was the site's
	Reference   string // precedes the reference under which decisions are recorded

	Embedded string // replaces content; {provider} stands for the provider that it would contact
	Show     string // the button that allows {provider} and shows the content
	Visit    string // the link to the content at {provider}

	// The form.
	None        string // for a category without declarations
	Always      string // replaces the answers of a category that needs no consent
	Allow       string // the answers for a category
	Reject      string
	Some        string // the third one: each provider by itself
	Providers   string // the title of a category's providers and cookies
	ObjectTitle string // anonymous statistics
	ObjectAbout string
	Object      string // the box of the objection to them

	// The tables.
	Provider string
	Policy   string // the link to a privacy policy
	Service  string
	Name     string
	Purpose  string
	Lifetime string

	// The kinds of what is no cookie.
	LocalStorage   string
	SessionStorage string
	IndexedDB      string
	CacheStorage   string
	Other          string

	Deleted string // the lifetime of what no browser deletes by itself
	Tab     string // the lifetime of session storage

	AskAccount      string // precedes the question, and stands above each form, if the visitor is signed in: the choice holds for the account
	AccountHere     string // after a sign-in: the choices of the account hold here; Change follows
	AccountConflict string // follows if something else had been decided in this browser
	AccountPurpose  string // for the library's own cookie that remembers it

	// The page of the visitor's records.
	Records            string // its title, and the text of the link to it
	RecordsIntro       string // what it shows
	RecordsNone        string // replaces the decisions if the visitor has taken none
	RecordsMissing     string // the same if they have, and there is no record of it
	RecordsFailed      string // the same if the records cannot be read
	RecordsMore        string // {count}: how many of the decisions are shown, if there are more
	RecordsFile        string // the link to the receipt
	RecordsFileAbout   string // what the receipt is
	RecordsHow         string // the title of what the visitor did, which is one of the next seven
	RecordsBanner      string
	RecordsForm        string
	RecordsPlaceholder string
	RecordsObjection   string
	RecordsGPC         string // the browser's Global Privacy Control; the site has asked for no more
	RecordsAccount     string
	RecordsOther       string // the record does not say
	RecordsLaw         string // the title of the law under which the visitor was asked, which is one of the next four
	RecordsOptIn       string
	RecordsUK          string
	RecordsOptOut      string
	RecordsNoRegime    string
	RecordsAllowed     string // {providers} of one category
	RecordsRefused     string
	RecordsSignal      string // follows "Global Privacy Control" if the browser sent it
	Screen             string // the title of what was on the screen
	ScreenUnknown      string // replaces it
	ScreenBraces       string // explains names in braces
	ScreenOwnAnswers   string // explains boxes that are empty
	ScreenCut          string // says that there was more
	ScreenPressed      string // follows the button that was pressed

	OwnProvider string // for the library's own cookie: the site
	OwnService  string
	OwnPurpose  string

	Categories map[consent.Category]categoryWords

	Session string            // the lifetime of a cookie that ends with the browser's session
	Units   map[string]counts // by the names of units

	Date   string   // {day}, {month} and {year}, in the order of the language
	Months []string // from January on, in the form that a date has

	// Lists, as CLDR's list patterns have them: of two, and the end of a longer one.
	// The rest of it is joined by commas, in every language of this package.
	ListTwo string // {first} and {last}
	ListEnd string
}

// categoryWords describe a category. For says in a few words what it is for, as it
// follows "it uses others" in the question; necessary cookies are asked for nowhere.
type categoryWords struct{ Title, For, About string }

// counts holds the plural forms of a unit by CLDR's plural categories: zero, one,
// two, few, many, other. {n} stands for the number.
type counts map[string]string

//go:embed languages/*.json
var languageFiles embed.FS

// readLanguages reads the sentences of every language, first this package's and
// then the site's, and makes the matcher that chooses between them.
func (c *Charter) readLanguages(site fs.FS) error {
	all := make(map[language.Tag]*words)
	var mistakes []error
	for _, source := range []fs.FS{ownLanguages(), site} {
		if source == nil {
			continue
		}
		names, err := fs.Glob(source, "*.json")
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Languages: %w", err))
		} else if len(names) == 0 {
			// fs.Glob finds none too if the files lie in a folder.
			mistakes = append(mistakes, errors.New(`charter: Config.Languages: no file such as "fr.json" at its root (fs.Sub?)`))
		}
		for _, name := range names {
			w, err := readLanguage(source, name, all, c.allCategories())
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("charter: Config.Languages: %s: %w", name, err))
				continue
			}
			all[w.tag] = w
		}
	}
	tags := slices.SortedFunc(maps.Keys(all), func(a, b language.Tag) int { return strings.Compare(a.String(), b.String()) })
	for _, tag := range tags {
		// Localized at first use: the visitors of a site need few of the languages.
		c.languages, c.words = append(c.languages, tag), append(c.words, all[tag])
		c.localized = append(c.localized, sync.OnceValue(func() *localized { return c.localize(all[tag]) }))
	}
	c.matcher = language.NewMatcher(tags)
	if _, _, confidence := c.matcher.Match(c.defaultLanguage); confidence == language.No {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.Language: %q: there are no sentences in it", c.defaultLanguage))
	}
	return errors.Join(mistakes...)
}

func ownLanguages() fs.FS {
	files, err := fs.Sub(languageFiles, "languages")
	if err != nil {
		panic(err) // cannot happen: the path is valid
	}
	return files
}

// readLanguage reads one file. A sentence that the file leaves out is taken from the
// words of the same language in read, if there are any. The categories that are shown
// need texts.
func readLanguage(source fs.FS, name string, read map[language.Tag]*words, shown []consent.Category) (*words, error) {
	tag, err := language.Parse(strings.TrimSuffix(name, ".json"))
	if err != nil {
		return nil, err
	}
	file, err := fs.ReadFile(source, name)
	if err != nil {
		return nil, err
	}
	w := words{tag: tag}
	before := read[tag]
	if before != nil {
		w = *before
		w.Categories, w.Units = nil, nil // or the decoder would write into the maps of before
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
		w.fillFrom(before)
	}
	return &w, w.check(shown)
}

// fillFrom adds the categories and units of before that w does not have.
func (w *words) fillFrom(before *words) {
	categories := maps.Clone(before.Categories)
	for name, own := range w.Categories {
		categories[name] = categoryWords{
			Title: cmp.Or(own.Title, before.Categories[name].Title),
			For:   cmp.Or(own.For, before.Categories[name].For),
			About: cmp.Or(own.About, before.Categories[name].About),
		}
	}
	units := maps.Clone(before.Units)
	for unit, forms := range w.Units {
		units[unit] = maps.Clone(before.Units[unit])
		maps.Copy(units[unit], forms)
	}
	w.Categories, w.Units = categories, units
}

// localizedFor returns the charter in the language that suits a request best.
func (c *Charter) localizedFor(r *http.Request) *localized {
	wanted := acceptedLanguages(r)
	if c.languageOf != nil {
		if tag := c.languageOf(r); tag != (language.Tag{}) {
			wanted = append([]language.Tag{tag}, wanted...)
		}
	}
	_, i, confidence := c.matcher.Match(wanted...)
	if confidence == language.No {
		_, i, _ = c.matcher.Match(c.defaultLanguage)
	}
	return c.localized[i]()
}

// maxAccept is the number of bytes that are read of an Accept-Language: enough for
// the ten languages or so that browsers send.
const maxAccept = 1 << 10

// acceptedLanguages returns the languages of a request's Accept-Language in the order
// of preference. It leaves out malformed entries and unknown languages.
func acceptedLanguages(r *http.Request) []language.Tag {
	field := r.Header.Get("Accept-Language")
	if len(field) > maxAccept {
		field = field[:strings.LastIndexByte(field[:maxAccept], ',')+1]
	}
	tags, _, err := language.ParseAcceptLanguage(field)
	if err == nil {
		return tags
	}
	// One malformed entry is an error for the whole field: try each.
	good := slices.DeleteFunc(strings.Split(field, ","), func(entry string) bool {
		_, _, err := language.ParseAcceptLanguage(entry)
		return err != nil
	})
	tags, _, _ = language.ParseAcceptLanguage(strings.Join(good, ","))
	return tags
}
