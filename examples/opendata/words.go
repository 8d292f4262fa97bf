package main

import "github.com/cookiecharter/consent"

// words are the sentences of the home page. Those about consent are the
// charter's.
var words = map[string]consent.Text{
	"title":        text("Données ouvertes de Valombre", "Open data of Valombre"),
	"lead":         text("Ce que la ville mesure appartient à tous : quatre jeux de données, une API, et une charte des cookies que le serveur applique lui-même.", "What the town measures belongs to everyone: four datasets, an API, and a cookie charter that the server itself enforces."),
	"skip":         text("Aller au contenu", "Skip to the content"),
	"sign in":      text("Se connecter", "Sign in"),
	"sign out":     text("Se déconnecter", "Sign out"),
	"your name":    text("Votre nom", "Your name"),
	"signed in as": text("Connecté en tant que", "Signed in as"),
	"language":     text("Langue", "Language"),
	"colophon":     text("Valombre n'existe pas ; ses cookies, si.", "Valombre does not exist; its cookies do."),

	"panel":                          text("Cette réponse même", "This very response"),
	"panel lead":                     text("Le serveur a voulu poser ces cookies en vous envoyant cette page.", "The server wanted to set these cookies as it sent you this page."),
	"panel check":                    text("Pour vérifier : les outils de développement de votre navigateur montrent les cookies qu'il garde.", "To check: your browser's developer tools show the cookies that it keeps."),
	"sent":                           text("envoyé", "sent"),
	"removed":                        text("retiré", "removed"),
	"exempt":                         text("nécessaire, sans consentement", "necessary, no consent asked"),
	"anonymous":                      text("statistiques anonymes, sans consentement", "anonymous statistics, no consent asked"),
	"consented":                      text("vous avez accepté", "you have consented"),
	string(consent.ReasonUndeclared): text("personne ne l'a déclaré", "nobody declared it"),
	string(consent.ReasonUndecided):  text("vous n'avez pas encore choisi", "you have not chosen yet"),
	string(consent.ReasonRefused):    text("vous avez refusé", "you have refused"),
	string(consent.ReasonObjected):   text("vous vous y opposez", "you object to it"),

	"choice":      text("Votre choix", "Your choice"),
	"chosen on":   text("Vous avez choisi le", "You chose on"),
	"not chosen":  text("Vous n'avez pas encore choisi. D'ici là, rien de ce qui demande votre consentement n'est posé.", "You have not chosen yet. Until you do, nothing that needs your consent is set."),
	"allowed":     text("autorisé", "allowed"),
	"not allowed": text("non autorisé", "not allowed"),

	"map":      text("La ville sur un plan", "The town on a map"),
	"map lead": text("Le plan vient d'un autre fournisseur, qui pose son propre cookie. Il n'apparaît qu'avec votre consentement.", "The map comes from another provider, which sets a cookie of its own. It appears only with your consent."),
	"map of":   text("Plan de Valombre, par Atlas Exemple", "Map of Valombre, by Atlas Exemple"),

	"datasets": text("Jeux de données", "Datasets"),
	"records":  text("enregistrements", "records"),
	"api":      text("Appeler l'API", "Call the API"),
	"api why":  text("Cet appel demande le jeton du cookie csrftoken.", "This call asks for the token of the csrftoken cookie."),
}
