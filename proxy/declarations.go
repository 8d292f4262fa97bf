package main

import (
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

const (
	day   = 24 * time.Hour
	month = 30 * day
	year  = 365 * day
)

// cookies are all the cookies of the site behind the proxy: those of an
// open-data portal on Django, and the usual ones of audience measurement and
// advertising. Make them those of your site. What is not declared here reaches
// no browser.
var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Opendatasoft",
		Service:  text("Authentification (front et back office)", "Authentication (front and back office)"),
		Name:     "sessionid", // consentvet: set elsewhere, by the platform
		Purpose:  text("Reconnaître l'utilisateur connecté d'une page à l'autre.", "Remember the signed-in user from page to page."),
		Category: consent.Necessary,
		Lifetime: 14 * day,
	},
	consent.Cookie{
		Provider: "Opendatasoft",
		Service:  text("Choix de la langue (pied de page)", "Language choice (foot of the page)"),
		Name:     "django_language", // consentvet: set elsewhere, by the platform
		Purpose:  text("Se souvenir de la langue choisie.", "Remember the language that was chosen."),
		Category: consent.Necessary,
		Lifetime: year,
	},
	consent.Cookie{
		Provider: "Opendatasoft",
		Service:  text("API et formulaires, protection CSRF", "API and forms, CSRF protection"),
		Name:     "csrftoken", // consentvet: set elsewhere, by the platform
		Purpose:  text("Vérifier qu'un envoi vient bien de ce site.", "Check that what is sent comes from this site."),
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

	audience("Matomo", "_pk_id*", 13*month, "Reconnaître un visiteur qui revient.", "Recognise a visitor who comes back."),
	audience("Matomo", "_pk_ses*", 30*time.Minute, "Réunir les pages d'une même visite.", "Keep the pages of one visit together."),
	audience("Matomo", "_pk_ref*", 6*month, "Se souvenir du site d'où vient le visiteur.", "Remember the site that the visitor came from."),
	audience("Google Analytics", "_ga", 2*year, "Reconnaître un visiteur qui revient.", "Recognise a visitor who comes back."),
	audience("Google Analytics", "_ga_*", 2*year, "Réunir les pages d'une même visite.", "Keep the pages of one visit together."),
	audience("Google Analytics", "_gid", day, "Distinguer les visiteurs de la journée.", "Tell the visitors of a day apart."),
	audience("Google Analytics", "_gat*", time.Minute, "Limiter le nombre d'appels.", "Limit the number of calls."),
	audience("Hotjar", "_hj*", year, "Reconstituer le parcours d'un visiteur dans la page.", "Follow what a visitor does on a page."),

	advertising("Google Ads", "_gcl_*", 3*month, "Relier une visite à la publicité qui l'a amenée.", "Link a visit to the advertisement that led to it."),
	advertising("Meta", "_fbp", 3*month, "Choisir les publicités affichées ici et ailleurs.", "Choose the advertisements shown here and elsewhere."),
	advertising("Meta", "_fbc", 3*month, "Relier une visite à la publicité qui l'a amenée.", "Link a visit to the advertisement that led to it."),
	advertising("Microsoft Advertising", "_uetsid", day, "Réunir les pages vues après une publicité.", "Keep the pages seen after an advertisement together."),
	advertising("Microsoft Advertising", "_uetvid", 13*month, "Reconnaître un visiteur d'un site à l'autre.", "Recognise a visitor from site to site."),
	advertising("LinkedIn", "li_fat_id", month, "Relier une visite à la publicité qui l'a amenée.", "Link a visit to the advertisement that led to it."),
	advertising("TikTok", "_ttp", 13*month, "Choisir les publicités affichées ici et ailleurs.", "Choose the advertisements shown here and elsewhere."),
	advertising("Criteo", "cto_bundle", 13*month, "Choisir les publicités affichées ici et ailleurs.", "Choose the advertisements shown here and elsewhere."),
)

func audience(provider, name string, lifetime time.Duration, french, english string) consent.Cookie {
	return consent.Cookie{ // consentvet: set elsewhere, by a script in the page
		Provider: provider,
		Service:  text("Mesure d'audience", "Audience measurement"),
		Name:     name,
		Purpose:  text(french, english),
		Category: consent.Statistics,
		Lifetime: lifetime,
	}
}

func advertising(provider, name string, lifetime time.Duration, french, english string) consent.Cookie {
	return consent.Cookie{ // consentvet: set elsewhere, by a script in the page
		Provider: provider,
		Service:  text("Publicité", "Advertising"),
		Name:     name,
		Purpose:  text(french, english),
		Category: consent.ThirdParty,
		Lifetime: lifetime,
	}
}

func text(french, english string) consent.Text {
	return consent.Text{language.French: french, language.English: english}
}
