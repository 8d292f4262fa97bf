// Package drafts declares cookies whose texts somebody has still to write.
package drafts

import (
	"net/http"
	"os"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

const todoProvider = "TODO: who sets it"

var registry = consent.MustRegistry(
	// TODO: comments are for those who write.
	consent.Cookie{
		Provider: "TODO: who sets it and answers for it", // want `the provider of cookie "visitor" still says TODO`
		Service:  consent.Text{language.English: "TODO"}, // want `the service of cookie "visitor" still says TODO`
		Name:     "visitor",
		Purpose:  consent.Text{language.English: "TODO: what it is for, in words for visitors"}, // want `the purpose of cookie "visitor" still says TODO`
		Category: consent.FirstParty,
		Lifetime: time.Hour,
	},
	consent.Cookie{
		Provider: "Shop",
		Name:     "basket",
		Purpose: consent.Text{
			language.English: "Keeps what you have chosen. TODO lists too.",
			language.French:  " TODO: traduire", // want `the purpose of cookie "basket" still says TODO`
		},
	},
	consent.Cookie{Provider: todoProvider, Name: "constant"}, // want `the provider of cookie "constant" still says TODO`
	consent.Cookie{Provider: "Todo", Name: "done", Purpose: consent.Text{language.English: "Todo list"}},
	consent.Cookie{Provider: "TODO", Name: "answered"},                                 // consentvet: ignore
	consent.Cookie{Name: "sorted", Category: "TODO: choose its category"},              // want `the category of cookie "sorted" still says TODO`
	consent.Cookie{Name: "item", Kind: consent.LocalStorage, Purpose: english("TODO")}, // want `the purpose of cookie "item" still says TODO`
)

var providers = []consent.Provider{
	{Name: "Shop", LegalName: "TODO: the company", Country: "FR", Policy: "https://shop.example/privacy"}, // want `the legal name of provider "Shop" still says TODO`
	{Name: "AdCo", LegalName: "AdCo Ltd", Country: "TODO", Policy: "TODO"},                                // want `the country of provider "AdCo" still says TODO` `the policy of provider "AdCo" still says TODO`
}

var single = consent.Cookie{Name: "single", Purpose: english("TODO")} // want `the purpose of cookie "single" still says TODO`

func english(text string) consent.Text { return consent.Text{language.English: text} }

func necessary(name, provider string, purpose consent.Text) consent.Cookie {
	return consent.Cookie{Provider: provider, Name: name, Purpose: purpose}
}

func advert(name string) consent.Cookie {
	return consent.Cookie{Name: name, Purpose: consent.Text{language.English: "TODO"}} // want `the purpose of cookie "left" still says TODO` `the purpose of cookie "right" still says TODO`
}

func more() []consent.Cookie {
	cookies := []consent.Cookie{
		{Name: "listed", Purpose: consent.Text{language.English: "TODO"}}, // want `the purpose of cookie "listed" still says TODO`
		{Name: "beside", Purpose: consent.Text{language.English: "Done."}},
		{Name: "helped", Purpose: english("TODO")}, // want `the purpose of cookie "helped" still says TODO`
		{Name: "and done", Purpose: english("Done.")},
		necessary("given", "TODO", consent.Text{language.English: "Done."}), // want `the provider of cookie "given" still says TODO`
		necessary("given done", "Shop", english("Done.")),
		necessary("given text", "Shop", consent.Text{language.English: "TODO"}), // want `the purpose of cookie "given text" still says TODO`
		necessary("given twice", "Shop", english("TODO too")),                   // want `the purpose of a cookie still says TODO`
		advert("left"),
		advert("right"),
	}
	for _, row := range []struct{ name, purpose string }{
		{"one", "Done."},
		{"two", "TODO"}, // want `the purpose of a cookie still says TODO`
	} {
		cookies = append(cookies, consent.Cookie{Name: row.name, Purpose: consent.Text{language.English: row.purpose}})
	}
	cookies = append(cookies, consent.Cookie{
		Name:     os.Getenv("NAME"), // consentvet: ignore
		Provider: "TODO",            // want `the provider of a cookie still says TODO`
	})
	c := consent.Cookie{Name: "assigned"}
	c.Provider = "TODO" // want `the provider of cookie "assigned" still says TODO`
	c.Purpose = make(consent.Text)
	c.Purpose[language.English] = "TODO" // want `the purpose of cookie "assigned" still says TODO`
	return append(cookies, c)
}

func set(w http.ResponseWriter) {
	for _, name := range []string{
		"visitor", "basket", "constant", "sorted", "done", "answered", "single", "listed", "beside", "helped", "and done",
		"given", "given done", "given text", "given twice", "left", "right", "one", "two", "assigned",
	} {
		http.SetCookie(w, &http.Cookie{Name: name})
	}
}
