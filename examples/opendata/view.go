package main

import (
	"html/template"
	"net/http"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/cookiecharter/consent"
)

// A view is what the home page shows.
type view struct {
	Lang     string
	Name     string // of who is signed in
	Token    string // of the csrftoken cookie
	Choice   choice
	Fates    []fate
	Datasets []dataset

	// Of the charter.
	Head, Script, Banner, Link template.HTML

	Map template.HTML // or the charter's placeholder for it

	say     func(string) string
	numbers *message.Printer
}

// Say returns a sentence in the visitor's language.
func (v view) Say(key string) string { return v.say(key) }

// Number writes a number as the visitor's language does.
func (v view) Number(n int) string { return v.numbers.Sprint(n) }

func (p *portal) view(r *http.Request, token string, tried []string, banner template.HTML) view {
	lang := languageOf(r)
	say := speaker(lang)
	return view{
		Lang:     lang.String(),
		Name:     p.who.nameOf(r),
		Token:    token,
		Choice:   choiceOf(consent.FromContext(r.Context()), lang),
		Fates:    fates(r, tried, say),
		Datasets: datasets(lang),
		Head:     p.charter.Head(r),
		Script:   p.charter.Script(r),
		Banner:   banner,
		Link:     p.charter.Link(r),
		Map:      p.charter.Placeholder(r, consent.ThirdParty, atlasProvider, atlasFrame(say("map of"))),
		say:      say,
		numbers:  message.NewPrinter(lang),
	}
}

// speaker returns what says a sentence in one language.
func speaker(lang language.Tag) func(key string) string {
	return func(key string) string {
		sentence, _ := words[key].In(lang)
		return sentence
	}
}
