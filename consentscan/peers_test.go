package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/judge"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
)

// Sites with the banners of others, as their documentation sets them up, one of whose
// scripts waits for the visitor.
var peers = []struct {
	name, head, gated string
	leaves            bool // the cookie lies there after a withdrawal
}{
	{"vanilla-cookieconsent", `<link rel="stylesheet" href="/npm/vanilla-cookieconsent/dist/cookieconsent.css"><script type="module">
import "/npm/vanilla-cookieconsent/dist/cookieconsent.umd.js";
CookieConsent.run({
  categories: {necessary: {enabled: true, readOnly: true}, analytics: {autoClear: {cookies: [{name: /^_pk_id/}], reloadPage: true}}},
  language: {default: "en", translations: {en: {
    consentModal: {title: "We use cookies", description: "…", acceptAllBtn: "Accept all", acceptNecessaryBtn: "Reject all", showPreferencesBtn: "Manage"},
    preferencesModal: {title: "Manage", acceptAllBtn: "Accept all", acceptNecessaryBtn: "Reject all", savePreferencesBtn: "Accept current selection", sections: [
      {title: "Necessary", description: "…", linkedCategory: "necessary"}, {title: "Analytics", description: "…", linkedCategory: "analytics"}]}}}}});
</script>`, `<script type="text/plain" data-category="analytics">%s</script>`, false},
	{"klaro", `<script src="/pages/klaro.js"></script><script defer src="/npm/klaro/dist/klaro.js"></script>`,
		`<script type="text/plain" data-type="application/javascript" data-name="matomo">%s</script>`, false},
	{"orejime", `<script src="/pages/orejime.js"></script><link href="/npm/orejime/dist/orejime-standard.css" rel="stylesheet"><script defer src="/npm/orejime/dist/orejime-standard-en.js"></script>`,
		`<template data-purpose="statistics"><script>%s</script></template>`, true},
	{"tarteaucitron", `<script src="/npm/tarteaucitronjs/tarteaucitron.min.js"></script><script src="/pages/tarteaucitron.js"></script>`,
		`<script>tarteaucitron.services.statistics.js = () => { %s };</script>`, false},
}

const counts = `document.cookie = "_pk_id.1.1fff=1; max-age=999; path=/"`

func TestSitesWithTheBannersOfOthersAreJudgedByWhatTheyDo(t *testing.T) {
	chromium(t)
	registry := consent.MustRegistry(consent.Cookie{
		Provider: "Matomo", Name: "_pk_id*", Category: consent.Statistics, Lifetime: time.Hour,
		Purpose: consent.Text{language.English: "Recognises a visitor who comes back."},
	})
	for _, peer := range peers {
		t.Run(peer.name, func(t *testing.T) {
			t.Parallel()
			gated := fmt.Sprintf(peer.gated, counts)
			var left []string
			if peer.leaves {
				left = []string{`left-behind "_pk_id*"`}
			}
			assert.Equal(t, left, findingsOf(t, peer.name, registry, peer.head, gated), "the script waits")
			assert.Equal(t, append(left, `stored-without-consent "_fbp"`), findingsOf(t, peer.name, registry, peer.head, gated+`<script>document.cookie = "_fbp=1"</script>`))
		})
	}
}

func findingsOf(t *testing.T, name string, registry *consent.Registry, head, body string) (list []string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/npm/", http.StripPrefix("/npm/", http.FileServer(packages(t))))
	mux.Handle("/pages/", http.StripPrefix("/pages/", http.FileServer(http.Dir("../dev/bench/pages"))))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Site</title><link rel="icon" href="data:,">%s<h1>Site</h1><a href="/two">two</a>%s`, head, body)
	})
	result, err := scan.Run(t.Context(), scan.Options{URL: serve(t, mux), Registry: registry})
	require.NoError(t, err)
	assert.Equal(t, name, result.Banner)
	for _, stage := range result.Stages {
		assert.Empty(t, stage.Skipped, stage.Name)
	}
	for _, f := range judge.Judge(result.Scan, registry, judge.Options{OwnCookies: result.OwnCookies}) {
		list = append(list, fmt.Sprintf("%s %q", f.Check, f.Name))
		t.Logf("%s: %s %v", f.Check, f.Message, f.Places)
	}
	return list
}
