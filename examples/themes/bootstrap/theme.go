package main

import (
	"embed"
	"html/template"

	"github.com/cookiecharter/consent/charter"
)

//go:embed templates
var templates embed.FS

//go:embed theme.css
var style []byte

// theme is the part of the charter's settings that the design takes.
func theme() charter.Config {
	return charter.Config{
		Name:      "Tidewater",
		Templates: template.Must(template.ParseFS(templates, "templates/*.html")),
		Style:     style, // in place of the charter's own, which ends the rules of every other sheet
	}
}
