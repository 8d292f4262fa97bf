package charter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// saying returns a site that asks in this language for purposes of its own, in that order.
func saying(t *testing.T, tag language.Tag, purposes ...string) *site {
	t.Helper()
	var cookies []consent.Cookie
	categories := make(map[consent.Category]charter.Category)
	for i, purpose := range purposes {
		category := consent.Category("own-" + string(rune('a'+i)))
		cookies = append(cookies, consent.Cookie{Provider: "P", Name: string(category), Purpose: text("x"), Category: category})
		categories[category] = charter.Category{Title: consent.Text{tag: "T"}, About: consent.Text{tag: "A"}, For: consent.Text{tag: purpose}}
	}
	s := newSite(t, func(c *charter.Config) { c.Middleware, c.Categories = newMiddleware(t, cookies...), categories })
	s.accept = tag.String()
	return s
}

func TestPurposesAreListedAsTheLanguageListsThem(t *testing.T) {
	for _, test := range []struct {
		tag      language.Tag
		purposes []string
		want     string
	}{
		{language.English, []string{"to a"}, "others to a. You"},
		{language.English, []string{"to a", "to b"}, "others to a and to b. You"},
		{language.English, []string{"to a", "to b", "to c"}, "others to a, to b and to c. You"},
		{language.German, []string{"für A", "für B"}, "für A und für B"},
		{language.German, []string{"für A", "für B", "für C", "für D"}, "für A, für B, für C und für D"},
		{language.Spanish, []string{"medir", "mostrar"}, "medir y mostrar"},
		{language.Spanish, []string{"medir", "identificar"}, "medir e identificar"},
		{language.Spanish, []string{"medir", "Íntegra"}, "medir e Íntegra"},
		{language.Spanish, []string{"medir", "mostrar", "hilar"}, "medir, mostrar e hilar"},
		{language.Spanish, []string{"medir", "hielo"}, "medir y hielo"},
		{language.Spanish, []string{"verso", "hiato"}, "verso y hiato"},
		{language.Spanish, []string{"medir", "hablar"}, "medir y hablar"},
		{language.Spanish, []string{"identificar", "medir"}, "identificar y medir"},
		{language.LatinAmericanSpanish, []string{"medir", "identificar"}, "medir e identificar"},
		{language.Italian, []string{"misurare", "identificare"}, "misurare e "},
	} {
		s := saying(t, test.tag, test.purposes...)
		asked := s.asked()
		if assert.Len(t, asked, 1) {
			assert.Contains(t, asked[0], test.want, test.tag)
		}
	}
}

func TestAPurposeThatNoLanguageHasIsSaidInItsOwn(t *testing.T) {
	s := saying(t, language.Arabic, "للقياس", `<b>"&`)
	s.accept = "en"
	assert.Contains(t, s.get("/"), `also uses others <span lang="ar" dir="rtl">للقياس</span> and <span lang="ar" dir="rtl">&lt;b&gt;&#34;&amp;</span>. You can`)
}

func TestProvidersAreListedAsTheLanguageListsThem(t *testing.T) {
	for accept, want := range map[string]string{
		"en": `You allow: Matomo, Plausible and <b>"Ad" & Co</b>.`,
		"de": `Matomo, Plausible und <b>"Ad" & Co</b>`,
		"es": `Matomo, Plausible y <b>"Ad" & Co</b>`,
	} {
		s := newSite(t, func(c *charter.Config) { c.Middleware = newMiddleware(t, declared()[:5]...) })
		s.accept = accept
		s.do("POST", "/cookies/", map[string][]string{"choice": {"accept"}})
		assert.Contains(t, s.said(), want)
	}
}

func TestDaysAreWrittenAsTheLanguageWritesThem(t *testing.T) {
	first, second := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		accept string
		day    time.Time
		want   string
	}{
		{"en", first, "1 March 2026"},
		{"fr", first, "1er mars 2026"},
		{"fr", second, "2 mars 2026"},
		{"fr-CA", first, "1er mars 2026"},
		{"de", first, "1. März 2026"},
		{"es", first, "1 de marzo de 2026"},
		{"hu", first, "2026. március 1."},
	} {
		s := newSite(t, func(c *charter.Config) { c.Updated = test.day })
		s.accept = test.accept
		assert.Equal(t, []string{test.want}, found(s.get("/cookies/"), `<p class="charter-meta">.*?<time datetime="2026-03-0\dT12:00:00Z">([^<]*)</time>`), test.accept)
	}
}
