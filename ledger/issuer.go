package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/attribute"
	"github.com/cookiecharter/consent/internal/document"
	"github.com/cookiecharter/consent/ledger/internal/dpv"
)

// An Issuer says of a site what a record of consent has to tell and the ledger cannot know:
// who answers for it, how long what is collected is kept and where. See [Ledger.Receipts],
// and [ReadIssuer] for the same as a file. Fields without "optional" have to be there.
type Issuer struct {
	Controller    Party  `json:"controller,omitempty"`    // who decides on the processing; all but Phone
	PrivacyPolicy string `json:"privacyPolicy,omitempty"` // the address of the page
	Settings      string `json:"settings,omitempty"`      // the address of the page on which a visitor changes or withdraws a decision, such as the charter's
	Rights        string `json:"rights,omitempty"`        // optional: the address of the page on which a visitor uses their rights; "" means PrivacyPolicy

	DataProtectionOfficer Party `json:"dataProtectionOfficer,omitempty"` // optional; then with a Name and an Email

	Lifetime     time.Duration `json:"lifetime,omitempty"`     // how long a decision stands, in whole days: consent.Config has the same
	Retention    time.Duration `json:"retention,omitempty"`    // how long what is collected is kept, in whole days
	StoredIn     []string      `json:"storedIn,omitempty"`     // where: codes of ISO 3166, "EU" or "EEA"
	PersonalData []string      `json:"personalData,omitempty"` // optional: what is collected, by names of the vocabulary such as "pd:BrowsingBehaviour"; none means that it is not said

	Jurisdictions []Jurisdiction `json:"jurisdictions,omitempty"` // for each regime that the site has; consent.UK is in GB without one
	Categories    []Processing   `json:"categories,omitempty"`    // optional: what differs in a category
	Recipients    []Recipient    `json:"recipients,omitempty"`    // for each provider; of one that is not here, a record has the name alone
}

// A Party is somebody whom a record of consent names.
type Party struct {
	Name    string `json:"name,omitempty"`    // by law
	Address string `json:"address,omitempty"` // for letters
	Email   string `json:"email,omitempty"`
	Phone   string `json:"phone,omitempty"`
	URL     string `json:"url,omitempty"`
}

// A Jurisdiction says in which places a regime is the law.
type Jurisdiction struct {
	Regime consent.Regime `json:"regime"`
	Places []string       `json:"places"` // codes of ISO 3166, such as "FR" or "US-CA", or "EU" or "EEA"
}

// A Processing says what is done in one category, if that differs from the [Issuer]'s or is
// not known of the category. An empty field takes the Issuer's.
type Processing struct {
	Category     consent.Category `json:"category"`
	Purposes     []string         `json:"purposes,omitempty"` // by names of the vocabulary, such as "dpv:Advertising"
	PersonalData []string         `json:"personalData,omitempty"`
	Retention    time.Duration    `json:"retention,omitempty"`
	StoredIn     []string         `json:"storedIn,omitempty"`
}

// A Recipient is who gets the data that a provider collects. Its Name, Address and one of
// Email, Phone and URL have to be there.
type Recipient struct {
	Provider string `json:"provider"` // as the declarations have it
	Name     string `json:"name,omitempty"`
	Address  string `json:"address,omitempty"`
	Email    string `json:"email,omitempty"`
	Phone    string `json:"phone,omitempty"`
	URL      string `json:"url,omitempty"`
	Country  string `json:"country,omitempty"` // optional: where it is, by ISO 3166-1
}

// party returns the recipient as somebody whom a record names.
func (r *Recipient) party() Party { return Party{r.Name, r.Address, r.Email, r.Phone, r.URL} }

// An IssuerError is one mistake in an [Issuer].
type IssuerError struct {
	Field  string // such as "controller.name" or "recipients[2].url"
	Reason string
}

// Error names the field and says what is wrong.
func (e *IssuerError) Error() string { return "ledger: " + e.Field + ": " + e.Reason }

// ReadIssuer reads an issuer from JSON, whose fields have the names that the tags of
// [Issuer] give. Durations are written "13 months", of 30 days each, or "180 days". The
// error joins every mistake, each with its field, and its line if it is one of JSON.
func ReadIssuer(from io.Reader) (Issuer, error) {
	var issuer Issuer
	var content bytes.Buffer
	read, err := document.Read(io.TeeReader(from, &content), &issuer)
	if err != nil {
		return Issuer{}, err
	}
	written := read.Err()
	if written == nil {
		if err := issuer.check(); err != nil {
			return Issuer{}, err
		}
		return issuer, nil
	}
	if !json.Valid(content.Bytes()) { // it breaks off, and what is missing may have come
		return Issuer{}, written
	}
	wrong := []error{written}
	// A field that could not be read is wrong once.
	unreadable := func(field string) bool {
		return slices.ContainsFunc(written.(interface{ Unwrap() []error }).Unwrap(), func(err error) bool {
			mistake, is := errors.AsType[*document.Mistake](err)
			return is && (field == mistake.Path || strings.HasPrefix(field, mistake.Path+".") || strings.HasPrefix(field, mistake.Path+"["))
		})
	}
	for _, mistake := range issuer.mistakes() {
		if !unreadable(mistake.Field) {
			wrong = append(wrong, mistake)
		}
	}
	return Issuer{}, errors.Join(wrong...)
}

// check joins every mistake, each an [*IssuerError].
func (i *Issuer) check() error {
	var wrong []error
	for _, mistake := range i.mistakes() {
		wrong = append(wrong, mistake)
	}
	return errors.Join(wrong...)
}

func (i *Issuer) mistakes() []*IssuerError {
	var c issuerChecker
	c.controller(&i.Controller)
	c.address("privacyPolicy", i.PrivacyPolicy, true)
	c.address("settings", i.Settings, true)
	c.address("rights", i.Rights, false)
	if officer := i.DataProtectionOfficer; officer != (Party{}) {
		c.text("dataProtectionOfficer.name", officer.Name)
		c.text("dataProtectionOfficer.email", officer.Email)
		c.address("dataProtectionOfficer.url", officer.URL, false)
	}
	c.days("lifetime", i.Lifetime, true)
	c.days("retention", i.Retention, true)
	c.places("storedIn", i.StoredIn, true)
	c.names("personalData", i.PersonalData, dpv.PersonalData)
	c.jurisdictions(i.Jurisdictions)
	c.categories(i.Categories)
	c.recipients(i.Recipients)
	return c.found
}

// An issuerChecker collects mistakes.
type issuerChecker struct{ found []*IssuerError }

func (c *issuerChecker) wrong(field, reason string, args ...any) {
	c.found = append(c.found, &IssuerError{field, fmt.Sprintf(reason, args...)})
}

func (c *issuerChecker) text(field, s string) {
	if strings.TrimSpace(s) == "" {
		c.wrong(field, "is missing")
	}
}

func (c *issuerChecker) address(field, s string, must bool) {
	if s == "" {
		if must {
			c.wrong(field, "is missing")
		}
	} else if err := attribute.CheckAddress(s); err != nil {
		c.wrong(field, "%q %v", s, err)
	}
}

func (c *issuerChecker) controller(p *Party) {
	c.text("controller.name", p.Name)
	c.text("controller.address", p.Address)
	c.text("controller.email", p.Email)
	c.address("controller.url", p.URL, true) // by which records call the controller
}

const aDay = 24 * time.Hour

func (c *issuerChecker) days(field string, d time.Duration, must bool) {
	switch {
	case d == 0 && must:
		c.wrong(field, "is missing")
	case d < 0 || d%aDay != 0:
		c.wrong(field, "%v is no number of whole days", d)
	}
}

func (c *issuerChecker) names(field string, names []string, kind dpv.Kind) {
	for i, name := range names {
		if dpv.KindOf(name) != kind {
			c.wrong(fmt.Sprintf("%s[%d]", field, i), "%q is no %s that DPV 2.3 has", name, kind)
		}
	}
}

func (c *issuerChecker) places(field string, places []string, must bool) {
	if must && len(places) == 0 {
		c.wrong(field, "is missing")
	}
	for i, place := range places {
		if dpv.KindOf(placePrefix+place) != dpv.Place {
			c.wrong(fmt.Sprintf("%s[%d]", field, i), "%q is no code of ISO 3166, EU or EEA", place)
		}
	}
}

// placePrefix stands before a code of ISO 3166 in the vocabulary.
const placePrefix = "loc:"

func (c *issuerChecker) jurisdictions(all []Jurisdiction) {
	if len(all) == 0 {
		c.wrong("jurisdictions", "is missing")
	}
	for i, j := range all {
		in := fmt.Sprintf("jurisdictions[%d].", i)
		if _, err := j.Regime.MarshalText(); err != nil {
			c.wrong(in+"regime", "%v", err)
		} else if slices.ContainsFunc(all[:i], func(other Jurisdiction) bool { return other.Regime == j.Regime }) {
			c.wrong(in+"regime", "%v stands here twice", j.Regime)
		}
		c.places(in+"places", j.Places, true)
	}
}

func (c *issuerChecker) categories(all []Processing) {
	for i, p := range all {
		in := fmt.Sprintf("categories[%d].", i)
		c.text(in+"category", string(p.Category))
		if slices.ContainsFunc(all[:i], func(other Processing) bool { return other.Category == p.Category }) {
			c.wrong(in+"category", "%q stands here twice", p.Category)
		}
		c.names(in+"purposes", p.Purposes, dpv.Purpose)
		c.names(in+"personalData", p.PersonalData, dpv.PersonalData)
		c.days(in+"retention", p.Retention, false)
		c.places(in+"storedIn", p.StoredIn, false)
	}
}

func (c *issuerChecker) recipients(all []Recipient) {
	for i, r := range all {
		in := fmt.Sprintf("recipients[%d].", i)
		c.text(in+"provider", r.Provider)
		if slices.ContainsFunc(all[:i], func(other Recipient) bool { return other.Provider == r.Provider }) {
			c.wrong(in+"provider", "%q stands here twice", r.Provider)
		}
		c.text(in+"name", r.Name)
		c.text(in+"address", r.Address)
		if r.Email+r.Phone+r.URL == "" {
			c.wrong(in+"email", "is missing, and so are phone and url: one of them is needed")
		}
		c.address(in+"url", r.URL, false)
		if err := attribute.CheckCountry(r.Country); r.Country != "" && (err != nil || r.Country == "EU" || dpv.KindOf(placePrefix+r.Country) != dpv.Place) {
			c.wrong(in+"country", "%q is no code of ISO 3166-1", r.Country)
		}
	}
}
