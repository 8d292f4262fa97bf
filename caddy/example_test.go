package consentcaddy_test

import (
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	consentcaddy "github.com/cookiecharter/consent/caddy"
)

func ExampleHandler() {
	var h consentcaddy.Handler
	err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser(`consent {
		declarations cookies.yaml
		key {env.CONSENT_KEY}
		inject
		layout card
	}`))
	if err != nil {
		panic(err) // every mistake, with its line
	}
	settings, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		panic(err)
	}
	fmt.Println(string(settings))
	// Output:
	// {
	//   "declarations": "cookies.yaml",
	//   "keys": [
	//     "{env.CONSENT_KEY}"
	//   ],
	//   "inject": true,
	//   "layout": "card"
	// }
}

func ExampleCategory() {
	h := consentcaddy.Handler{Categories: map[consent.Category]consentcaddy.Category{
		"chat": {
			Title: consent.Text{language.French: "Messagerie", language.English: "Chat"},
			About: consent.Text{language.French: "Pour nous parler.", language.English: "To talk to us."},
		},
	}}
	settings, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(settings))
	// Output:
	// {"categories":{"chat":{"title":{"en":"Chat","fr":"Messagerie"},"about":{"en":"To talk to us.","fr":"Pour nous parler."}}}}
}
