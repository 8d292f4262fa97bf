package main

import "github.com/cookiecharter/consent"

// words are the sentences of the page.
var words = map[string]consent.Text{
	"title":    text("Données ouvertes de Valombre", "Open data of Valombre"),
	"lead":     text("Ce que la ville mesure appartient à tous : quatre jeux de données, une API, et une charte des cookies que le serveur applique lui-même.", "What the town measures belongs to everyone: four datasets, an API, and a cookie charter that the server itself enforces."),
	"datasets": text("Jeux de données", "Datasets"),
	"records":  text("enregistrements", "records"),
	"api":      text("Appeler l'API", "Call the API"),
	"api why":  text("Cet appel demande le jeton du cookie csrftoken.", "This call asks for the token of the csrftoken cookie."),

	"sign in":       text("Se connecter", "Sign in"),
	"sign out":      text("Se déconnecter", "Sign out"),
	"your name":     text("Votre nom", "Your name"),
	"signed in as":  text("Connecté en tant que", "Signed in as"),
	"language":      text("Langue", "Language"),
	"skip":          text("Aller au contenu", "Skip to the content"),
	"to the choice": text("Préférences de cookies", "Cookie preferences"),

	"ask title":  text("Vos cookies, votre choix", "Your cookies, your choice"),
	"ask":        text("Certains cookies de ce site demandent votre accord. Sans lui, le serveur ne les envoie pas.", "Some of this site's cookies need your consent. Without it the server does not send them."),
	"accept":     text("Tout accepter", "Accept all"),
	"refuse":     text("Tout refuser", "Refuse all"),
	"choose":     text("Choisir", "Choose"),
	"save":       text("Enregistrer ce choix", "Save this choice"),
	"always":     text("Toujours actifs", "Always active"),
	"allow":      text("J'accepte", "I accept"),
	"object":     text("Je m'oppose aussi aux statistiques anonymes", "I also object to anonymous statistics"),
	"decided at": text("Votre choix date du", "You chose on"),
	"undecided":  text("vous n'avez pas encore choisi", "you have not chosen yet"),

	"necessary":         text("Nécessaires", "Necessary"),
	"statistics":        text("Statistiques", "Statistics"),
	"first-party":       text("Internes", "Internal"),
	"third-party":       text("Tiers", "Third-party"),
	"about necessary":   text("Paniers, connexion, réglages de l'interface : le service que vous demandez en dépend. Aucun accord n'est demandé.", "Baskets, logins, interface settings: the service that you ask for depends on them. No consent is asked."),
	"about statistics":  text("Mesure d'audience. Sans accord lorsqu'elle est anonyme et que personne ne peut être retrouvé, avec votre accord sinon.", "Audience measurement. Without consent where it is anonymous and nobody can be found again, with your consent otherwise."),
	"about first-party": text("Déposés par ce site au-delà du nécessaire : comportement, suggestions. Avec votre accord.", "Set by this site beyond what is necessary: behaviour, suggestions. With your consent."),
	"about third-party": text("Déposés par ou pour un autre site. Avec votre accord.", "Set by or for another site. With your consent."),

	"charter":  text("Charte des cookies", "Cookie charter"),
	"provider": text("Fournisseur", "Provider"),
	"service":  text("Service et emplacement", "Service and place"),
	"cookie":   text("Nom du cookie", "Cookie name"),
	"purpose":  text("Finalité", "Purpose"),

	"panel":      text("Cette réponse même", "This very response"),
	"panel lead": text("Le serveur a voulu poser ces cookies en vous envoyant cette page.", "The server wanted to set these cookies as it sent you this page."),
	"sent":       text("envoyé", "sent"),
	"removed":    text("retiré", "removed"),
	"exempt":     text("nécessaire, sans accord", "necessary, no consent asked"),
	"anonymous":  text("statistiques anonymes, sans accord", "anonymous statistics, no consent asked"),
	"consented":  text("vous avez accepté", "you have consented"),
	"undeclared": text("personne ne l'a déclaré", "nobody declared it"),
	"refused":    text("vous avez refusé", "you have refused"),
	"objected":   text("vous vous y opposez", "you object to it"),
	"unreadable": text("ligne illisible", "unreadable line"),
	"outcome":    text("Sort", "Outcome"),
	"reason":     text("Pourquoi", "Why"),
	"colophon":   text("Valombre n'existe pas ; ses cookies, si.", "Valombre does not exist; its cookies do."),
}
