package main

import (
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A choice is what the page says in short of the visitor's; the whole of it,
// and the form to change it, are the charter's.
type choice struct {
	Decided  bool
	At       string
	Services []service
}

// A service is one that the visitor has a say in.
type service struct {
	Name, Provider string
	Allowed        bool
}

func choiceOf(prefs consent.Preferences, lang language.Tag) choice {
	c := choice{Decided: prefs.Decided(), At: prefs.DecidedAt().UTC().Format("2006-01-02 15:04 UTC")}
	for _, declared := range cookies.Cookies() {
		if declared.Category == consent.Necessary {
			continue
		}
		name, _ := declared.Service.In(lang)
		c.Services = append(c.Services, service{name, declared.Provider, prefs.AllowsProvider(declared.Category, declared.Provider)})
	}
	return c
}
