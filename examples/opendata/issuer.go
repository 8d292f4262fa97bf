package main

import (
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// issuer is in whose name the portal gives visitors the receipts of their decisions.
var issuer = ledger.Issuer{
	Controller: ledger.Party{
		Name: "Ville de Valombre", Address: "1 place de la Mairie, Valombre", Email: "dpo@valombre.example", URL: "https://valombre.example",
	},
	PrivacyPolicy: "https://valombre.example/privacy",
	Settings:      "https://valombre.example/cookies/#settings",
	Lifetime:      180 * 24 * time.Hour, // the default of consent.Config
	Retention:     390 * 24 * time.Hour,
	StoredIn:      []string{"FR"},
	Jurisdictions: []ledger.Jurisdiction{{Regime: consent.OptIn, Places: []string{"FR"}}},
}
