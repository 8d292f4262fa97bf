package main

import (
	"net/http"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// spoken are the languages of the portal, its own first. The charter speaks
// more: a visitor who reads neither is asked for consent in words of their own.
var spoken = []language.Tag{language.French, language.English}

var spokenMatcher = language.NewMatcher(spoken)

// text is a text in the languages of the portal.
func text(french, english string) consent.Text {
	return consent.Text{language.French: french, language.English: english}
}

func chooseLanguage(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	tag := spokenTag(r.PostForm.Get("language"))
	if tag == (language.Tag{}) {
		http.Error(w, "language: fr or en", http.StatusBadRequest)
		return
	}
	http.SetCookie(w, cookie("django_language", tag.String()))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// chosenLanguage returns the language that the visitor has chosen, the zero Tag
// where there is none. The charter follows it too.
func chosenLanguage(r *http.Request) language.Tag {
	return spokenTag(value(r, "django_language"))
}

// languageOf returns the language that the visitor has chosen, else the one of
// the portal's that the browser asks for.
func languageOf(r *http.Request) language.Tag {
	if tag := chosenLanguage(r); tag != (language.Tag{}) {
		return tag
	}
	_, i := language.MatchStrings(spokenMatcher, r.Header.Get("Accept-Language"))
	return spoken[i]
}

func spokenTag(name string) language.Tag {
	for _, tag := range spoken {
		if tag.String() == name {
			return tag
		}
	}
	return language.Tag{}
}
