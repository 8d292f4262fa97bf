package main

import (
	"net/http"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/cookiecharter/consent"
)

// A view is what the page shows.
type view struct {
	Lang      string
	Name      string // of who is signed in
	Token     string // of the csrftoken cookie
	Decided   bool
	DecidedAt string
	Objects   bool
	Datasets  []dataset
	Kinds     []kind
	Fates     []fate

	say     func(string) string
	numbers *message.Printer
}

// Number writes a number as the visitor's language does.
func (v view) Number(n int) string { return v.numbers.Sprint(n) }

// Say returns a sentence in the visitor's language.
func (v view) Say(key string) string { return v.say(key) }

// A kind is one category, with what is declared in it.
type kind struct {
	Category       consent.Category
	Title, About   string
	Asked, Allowed bool
	Cookies        []entry
}

// An entry is one row of the charter's table.
type entry struct{ Provider, Service, Name, Purpose string }

type dataset struct {
	Title   string `json:"title"`
	About   string `json:"about"`
	Records int    `json:"records"`
}

func (p *portal) view(r *http.Request, token string, tried []string) view {
	lang := languageOf(r)
	prefs := consent.FromContext(r.Context())
	say := func(key string) string {
		sentence, _ := words[key].In(lang)
		return sentence
	}
	v := view{
		Lang:     lang.String(),
		Name:     p.nameOf(r),
		Token:    token,
		Decided:  prefs.Decided(),
		Objects:  !prefs.AllowsCookie("visits"),
		Datasets: datasets(lang),
		Fates:    fates(r, tried, say),
		say:      say,
		numbers:  message.NewPrinter(lang),
	}
	if at := prefs.DecidedAt(); !at.IsZero() {
		v.DecidedAt = at.UTC().Format("2006-01-02 15:04 UTC")
	}
	for _, category := range []consent.Category{consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty} {
		k := kind{Category: category, Title: say(string(category)), About: say("about " + string(category))}
		k.Asked = category != consent.Necessary
		k.Allowed = prefs.Decided() && prefs.Allows(category)
		if category == consent.Statistics {
			// The anonymous ones have a box of their own.
			k.Allowed = prefs.AllowsProvider(category, "Matomo")
		}
		for _, c := range cookies.Cookies() {
			if c.Category == category {
				service, _ := c.Service.In(lang)
				purpose, _ := c.Purpose.In(lang)
				k.Cookies = append(k.Cookies, entry{c.Provider, service, c.Name, purpose})
			}
		}
		v.Kinds = append(v.Kinds, k)
	}
	return v
}

func datasets(lang language.Tag) []dataset {
	var all []dataset
	for _, d := range []struct {
		title, about consent.Text
		records      int
	}{
		{text("Arbres de la ville", "Trees of the town"), text("Essence, âge et place de chaque arbre public.", "Species, age and place of every public tree."), 18402},
		{text("Stations de vélos", "Bicycle stations"), text("Vélos disponibles, minute par minute.", "Bicycles at hand, minute by minute."), 214},
		{text("Menus des cantines", "School menus"), text("Ce que mangent les écoles, semaine après semaine.", "What the schools eat, week after week."), 1560},
		{text("Qualité de l'air", "Air quality"), text("Onze capteurs, une mesure par heure depuis 2012.", "Eleven sensors, one reading an hour since 2012."), 1204500},
	} {
		title, _ := d.title.In(lang)
		about, _ := d.about.In(lang)
		all = append(all, dataset{title, about, d.records})
	}
	return all
}
