package demo

import (
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

const day = 24 * time.Hour

func text(english, french string) consent.Text {
	return consent.Text{language.English: english, language.French: french}
}

var everywhere = text("Every page", "Toutes les pages")

// cookiesOf declares the cookies of a site, by purpose.
func cookiesOf(site string) *consent.Registry {
	return consent.MustRegistry(
		consent.Cookie{
			Provider: site, Name: "session", Category: consent.Necessary, Service: everywhere,
			Purpose: text("Keeps you signed in from page to page.", "Maintient votre connexion de page en page."),
		},
		consent.Cookie{
			Provider: site, Name: "visits", Category: consent.Statistics, Anonymous: true, Lifetime: day, Service: everywhere,
			Purpose: text("Counts how often each page is opened, without telling visitors apart.", "Compte les ouvertures de chaque page, sans distinguer les visiteurs."),
		},
		consent.Cookie{
			Provider: "Matomo", Name: "_pk_id*", Category: consent.AudienceMeasurement, Lifetime: 390 * day, Service: everywhere,
			Purpose: text("Recognises a visitor who comes back.", "Reconnaît un visiteur qui revient."),
		},
		consent.Cookie{
			Provider: site, Name: "recent", Category: consent.Personalisation, Lifetime: 90 * day, Service: text("Suggestions", "Suggestions"),
			Purpose: text("Suggests what is close to what you have looked at.", "Suggère ce qui ressemble à ce que vous avez consulté."),
		},
		consent.Cookie{
			Provider: "Vimeo", Name: "vuid", Category: consent.EmbeddedMedia, Lifetime: 730 * day, Service: text("Films", "Films"),
			Purpose: text("Measures how films are watched.", "Mesure la façon dont les films sont regardés."),
		},
		consent.Cookie{
			Provider: "Dailymotion", Name: "dmvk", Category: consent.EmbeddedMedia, Service: text("Films", "Films"),
			Purpose: text("Tells the visits to its player apart.", "Distingue les visites de son lecteur."),
		},
	)
}
