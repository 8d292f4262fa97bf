package main

import (
	_ "embed"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"golang.org/x/text/language"
)

//go:embed theme.css
var style []byte

// theme is the part of the charter's settings that the design takes.
func theme() charter.Config {
	return charter.Config{
		Name:   "Maison Tournesol",
		Layout: charter.BottomBox,
		Button: true,
		Style:  append(charter.DefaultStyle(), style...),
		Categories: map[consent.Category]charter.Category{
			consent.Personalisation: {
				Title: consent.Text{language.English: "Your taste", language.French: "Vos goûts"},
				About: consent.Text{
					language.English: "They remember which bowls you have looked at, to show you others that go with them. They need your consent.",
					language.French:  "Ils retiennent les bols que vous avez regardés, pour vous en montrer qui vont avec. Ils nécessitent votre consentement.",
				},
				For: consent.Text{language.English: "to show you what goes with your bowls", language.French: "à vous montrer ce qui va avec vos bols"},
			},
		},
	}
}
