package charter

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/document"
)

// readDeclarations takes from the registry what pages show of it.
func (c *Charter) readDeclarations() (err error) {
	c.details = make(map[string]consent.Provider)
	for _, p := range c.mw.Registry().Providers() {
		c.details[p.Name] = p
	}
	c.providers = make(map[string]bool)
	for _, cookie := range c.mw.Registry().Cookies() {
		c.providers[allowValue(cookie.Category, cookie.Provider)] = true
	}
	c.cookies = c.declaredCookies()
	c.presumed, err = presumptions(c.mw, c.allCategories())
	return err
}

// checkCategories returns a mistake for each category of the site's own without a text.
func (c *Charter) checkCategories() (mistakes []error) {
	for _, category := range c.allCategories() {
		own := c.categories[category]
		if !slices.Contains(libraryCategories, category) && (len(own.Title) == 0 || len(own.About) == 0) {
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Categories[%q]: is no category of the library; %s. One of the site's own needs a Title and an About", category, document.Nearest(string(category), libraryNames())))
		}
	}
	return mistakes
}

// declaredCookies returns the site's declarations, and those of the library's own
// cookies that the site has not declared.
func (c *Charter) declaredCookies() []consent.Cookie {
	cookies := c.mw.Registry().Cookies()
	for _, own := range c.ownCookies() {
		if !slices.ContainsFunc(cookies, func(c consent.Cookie) bool { return c.Name == own.Name && c.Kind == consent.HTTPCookie }) {
			lifetime := time.Duration(own.MaxAge) * time.Second
			cookies = append(cookies, consent.Cookie{Name: own.Name, Category: consent.Necessary, Lifetime: lifetime})
		}
	}
	return cookies
}

// ownCookies returns the library's own cookies: the preferences, and what remembers who is
// signed in if the site has accounts.
func (c *Charter) ownCookies() []http.Cookie {
	own := []http.Cookie{c.mw.Cookie()}
	if c.account != nil {
		own = append(own, account.Attributes(own[0]))
	}
	return own
}

// allCategories returns the first categories of the library, also those without a
// declaration, then all others in the order of their declarations. A site that asks by
// purpose gets none that are empty: its third parties may be under another name.
func (c *Charter) allCategories() []consent.Category {
	isDeclared := func(category consent.Category) bool {
		return slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool { return cookie.Category == category })
	}
	categories := slices.Clone(libraryCategories[:alwaysShown])
	if slices.ContainsFunc(libraryCategories[alwaysShown:], isDeclared) {
		categories = slices.DeleteFunc(categories, func(category consent.Category) bool { return !isDeclared(category) })
	}
	for _, cookie := range c.cookies {
		if !slices.Contains(categories, cookie.Category) {
			categories = append(categories, cookie.Category)
		}
	}
	return categories
}

// libraryCategories are those that need no text of the site. The charter shows the
// first of them even if nothing is declared in them.
var libraryCategories = []consent.Category{
	consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty,
	consent.AudienceMeasurement, consent.Personalisation, consent.Advertising, consent.SocialNetworks,
	consent.EmbeddedMedia, consent.Chat, consent.Appearance,
}

const alwaysShown = 4

func libraryNames() []string {
	names := make([]string, len(libraryCategories))
	for i, category := range libraryCategories {
		names[i] = string(category)
	}
	return names
}
