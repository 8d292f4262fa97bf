package main

import (
	"net/http"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/examples/internal/drive"
)

// A session is in the context of requests that have come through its middleware. If the
// charter stands in front of that, its pages speak the browser's language.
func TestACharterInsideOfTheSessionsSpeaksTheLanguageOfTheSession(t *testing.T) {
	signedIn := scs.New()
	languageOf := func(r *http.Request) language.Tag {
		if tag, ok := signedIn.Get(r.Context(), "language").(string); ok {
			return language.Make(tag)
		}
		return language.Tag{}
	}
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{secret()}, Insecure: true})
	require.NoError(t, err)
	site, err := charter.New(charter.Config{Middleware: mw, LanguageOf: languageOf})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /fr", func(w http.ResponseWriter, r *http.Request) { signedIn.Put(r.Context(), "language", "fr") })

	handler := mw.Wrap(signedIn.LoadAndSave(site.Wrap(mux)))
	server := drive.Serve(t, handler)
	visitor := drive.New(t, server.Client())
	assert.Equal(t, "en", visitor.Get(server.URL+"/cookies/").Header.Get("Content-Language"))
	visitor.Get(server.URL + "/fr")
	assert.Equal(t, "fr", visitor.Get(server.URL+"/cookies/").Header.Get("Content-Language"))
}
