package charter

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/cookiecharter/consent"
)

// exportName is below the charter's path.
const exportName = "charter.json"

// export serves the charter in the form of [consent.ReadRegistry], for programs: all that
// is declared, in all its languages, with the revision and the laws that the library
// knows. It is the same for every visitor, so that every cache may keep it for an hour.
func (c *Charter) export(w http.ResponseWriter, r *http.Request) {
	document, err := c.document()
	if err != nil {
		c.failed(r, err)
		http.Error(w, "the declarations cannot be written", http.StatusInternalServerError)
		return
	}
	document.serve(w, r, "public, max-age=3600")
}

// newDocument makes what export serves.
func (c *Charter) newDocument() (asset, error) {
	cookies := c.mw.Registry().Cookies()
	for _, own := range c.cookies[len(cookies):] { // those of the library that the site has not declared
		cookies = append(cookies, c.declareOwn(own.Name))
	}
	registry, err := consent.NewRegistry(cookies...)
	if err == nil {
		registry, err = registry.WithProviders(c.mw.Registry().Providers()...)
	}
	if err != nil {
		return asset{}, fmt.Errorf("charter: %s: %w", exportName, err)
	}
	var content map[string]json.RawMessage
	declarations, err := registry.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(declarations, &content)
	}
	if err != nil {
		return asset{}, fmt.Errorf("charter: %s: %w", exportName, err)
	}
	content["revision"] = fmt.Appendf(nil, "%d", c.mw.Revision())
	content["regimes"], _ = json.Marshal(regimes) // each has a name
	written, err := json.MarshalIndent(content, "", "  ")
	return newAsset("charter", ".json", "application/json", written), err
}

// declareOwn declares a cookie of the library in every language of the charter.
func (c *Charter) declareOwn(name string) consent.Cookie {
	own := c.mw.Cookie()
	_, site, _ := c.matcher.Match(c.defaultLanguage)
	cookie := consent.Cookie{
		Provider: c.localized[site]().words.OwnProvider, Name: name, Category: consent.Necessary,
		Lifetime: time.Duration(own.MaxAge) * time.Second, Domain: own.Domain, Path: own.Path,
		Service: consent.Text{}, Purpose: consent.Text{},
	}
	for _, localized := range c.localized {
		w := localized().words
		cookie.Service[w.tag], cookie.Purpose[w.tag] = w.OwnService, c.ownPurpose(name, w)
	}
	return cookie
}

// ownPurpose returns what a cookie of the library is for.
func (c *Charter) ownPurpose(name string, w *words) string {
	if name == c.mw.Cookie().Name {
		return w.OwnPurpose
	}
	return w.AccountPurpose
}
