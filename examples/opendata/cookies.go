package main

import (
	"net/http"
	"time"

	"github.com/cookiecharter/consent"
)

const (
	day   = 24 * time.Hour
	month = 30 * day
	year  = 365 * day
)

// cookies are all the cookies of the portal: the four of its platform, and what
// else it would like to set. The middleware and the charter are made of them.
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
		Lifetime: 6 * month,
	},
	consent.Cookie{
		Provider:  "Valombre",
		Service:   text("Compteur de visites", "Visit counter"),
		Name:      "visits",
		Purpose:   text("Compter les visites du jour, sans pouvoir retrouver personne.", "Count the visits of the day, without finding anybody again."),
		Category:  consent.Statistics,
		Lifetime:  day,
		Anonymous: true,
	},
	consent.Cookie{
		Provider: "Matomo",
		Service:  text("Mesure d'audience", "Audience measurement"),
		Name:     "_pk_id*",
		Purpose:  text("Reconnaître un visiteur qui revient.", "Recognise a visitor who comes back."),
		Category: consent.Statistics,
		Lifetime: 13 * month,
	},
	consent.Cookie{
		Provider: "Valombre",
		Service:  text("Suggestions de jeux de données", "Suggested datasets"),
		Name:     "profile",
		Purpose:  text("Proposer des jeux de données proches de ceux déjà consultés.", "Suggest datasets like those already looked at."),
		Category: consent.FirstParty,
		Lifetime: 3 * month,
	},
	consent.Cookie{
		Provider: "Régie Exemple",
		Service:  text("Bandeau publicitaire", "Advertising banner"),
		Name:     "ad_id",
		Purpose:  text("Choisir les publicités affichées ici et ailleurs.", "Choose the advertisements shown here and elsewhere."),
		Category: consent.ThirdParty,
		Lifetime: month,
	},
	consent.Cookie{
		Provider: atlasProvider,
		Service:  text("Plan de la ville", "Map of the town"),
		Name:     "atlas_view",
		Purpose:  text("Relier les plans consultés ici et sur d'autres sites.", "Link the maps looked at here and on other sites."),
		Category: consent.ThirdParty,
		Lifetime: month,
	},
)

// cookie makes a cookie that lives as long as its declaration says, so that
// what visitors read is true.
func cookie(name, value string) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", SameSite: http.SameSiteLaxMode}
	for _, declared := range cookies.Lookup(name) {
		c.MaxAge = int(declared.Lifetime.Seconds())
	}
	return c
}

// value returns the value of a cookie of the request, "" where there is none.
func value(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
