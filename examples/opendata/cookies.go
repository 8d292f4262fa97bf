package main

import (
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

const year = 365 * 24 * time.Hour

// cookies is the portal's charter: the four cookies of its platform, and what
// else the portal would like to set.
var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Opendatasoft",
		Service:  text("Authentification (front et back office)", "Authentication (front and back office)"),
		Name:     "sessionid",
		Purpose:  text("Reconnaître l'utilisateur connecté d'une page à l'autre.", "Remember the signed-in user from page to page."),
		Category: consent.Necessary,
	},
	consent.Cookie{
		Provider: "Opendatasoft",
		Service:  text("Choix de la langue (pied de page)", "Language choice (foot of the page)"),
		Name:     "django_language",
		Purpose:  text("Se souvenir de la langue choisie.", "Remember the language that was chosen."),
		Category: consent.Necessary,
		Lifetime: year,
	},
	consent.Cookie{
		Provider: "Opendatasoft",
		Service:  text("API, protection CSRF", "API, CSRF protection"),
		Name:     "csrftoken",
		Purpose:  text("Récupérer des données par des appels d'API.", "Fetch data by API calls."),
		Category: consent.Necessary,
		Lifetime: year,
	},
	consent.Cookie{
		Provider: "Opendatasoft",
		Service:  text("Choix des préférences de cookies", "Choice of cookie preferences"),
		Name:     consent.CookieName,
		Purpose:  text("Se souvenir de votre choix concernant les cookies.", "Remember your choice about cookies."),
		Category: consent.Necessary,
		Lifetime: 180 * 24 * time.Hour,
	},
	consent.Cookie{
		Provider:  "Valombre",
		Service:   text("Compteur de visites", "Visit counter"),
		Name:      "visits",
		Purpose:   text("Compter les visites du jour, sans pouvoir retrouver personne.", "Count the visits of the day, without finding anybody again."),
		Category:  consent.Statistics,
		Lifetime:  24 * time.Hour,
		Anonymous: true,
	},
	consent.Cookie{
		Provider: "Matomo",
		Service:  text("Mesure d'audience", "Audience measurement"),
		Name:     "_pk_id*",
		Purpose:  text("Reconnaître un visiteur qui revient.", "Recognise a visitor who comes back."),
		Category: consent.Statistics,
		Lifetime: 13 * 30 * 24 * time.Hour,
	},
	consent.Cookie{
		Provider: "Valombre",
		Service:  text("Suggestions de jeux de données", "Suggested datasets"),
		Name:     "profile",
		Purpose:  text("Proposer des jeux de données proches de ceux déjà consultés.", "Suggest datasets like those already looked at."),
		Category: consent.FirstParty,
		Lifetime: 90 * 24 * time.Hour,
	},
	consent.Cookie{
		Provider: "Régie Exemple",
		Service:  text("Bandeau publicitaire", "Advertising banner"),
		Name:     "ad_id",
		Purpose:  text("Choisir les publicités affichées ici et ailleurs.", "Choose the advertisements shown here and elsewhere."),
		Category: consent.ThirdParty,
		Lifetime: 30 * 24 * time.Hour,
	},
)

func text(french, english string) consent.Text {
	return consent.Text{language.French: french, language.English: english}
}
