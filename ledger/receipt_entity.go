package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// An ldEntity is somebody whom records name.
type ldEntity struct {
	ID         string     `json:"@id,omitempty"`
	Type       string     `json:"@type"`
	Name       string     `json:"dpv:hasName"`
	Identifier string     `json:"dpv:hasIdentifier"`
	Contact    *ldContact `json:"schema:contactPoint,omitempty"`
	Address    *ldAddress `json:"schema:address,omitempty"`
	URL        string     `json:"schema:url,omitempty"`
	Location   []string   `json:"dpv:hasLocation,omitempty"`
	Officer    *ldEntity  `json:"dpv:hasDataProtectionOfficer,omitempty"`
}

type ldContact struct {
	Type  string `json:"@type"`
	Email string `json:"schema:email,omitempty"`
	Phone string `json:"schema:telephone,omitempty"`
	URL   string `json:"schema:url,omitempty"`
}

type ldAddress struct {
	Type   string `json:"@type"`
	Street string `json:"schema:streetAddress"`
}

// recipientID is how a document calls who gets the data of a provider.
func (m *recordMaker) recipientID(provider string) string {
	if provider == m.issuer.Controller.Name {
		return m.issuer.Controller.URL
	}
	sum := sha256.Sum256([]byte(provider))
	return "_:provider-" + hex.EncodeToString(sum[:8])
}

// entities returns the controller, and the recipients of these providers.
func (m *recordMaker) entities(providers map[string]bool) []ldEntity {
	controller := entityOf(m.issuer.Controller)
	controller.ID, controller.Type, controller.Identifier = m.issuer.Controller.URL, "dpv:DataController", m.issuer.Controller.URL
	if officer := m.issuer.DataProtectionOfficer; officer != (Party{}) {
		o := entityOf(officer)
		o.Type, o.Identifier = "dpv:DataProtectionOfficer", officer.Email
		controller.Officer = &o
	}
	all := []ldEntity{controller}
	for _, provider := range slices.Sorted(maps.Keys(providers)) {
		if provider == m.issuer.Controller.Name {
			continue
		}
		e := ldEntity{Name: provider}
		for _, r := range m.issuer.Recipients {
			if r.Provider != provider {
				continue
			}
			e = entityOf(r.party())
			if r.Country != "" {
				e.Location = prefixed([]string{r.Country})
			}
		}
		e.ID, e.Type, e.Identifier = m.recipientID(provider), "dpv:Recipient", provider
		all = append(all, e)
	}
	return all
}

func entityOf(p Party) ldEntity {
	e := ldEntity{Name: p.Name, URL: p.URL}
	if p.Email+p.Phone+p.URL != "" {
		e.Contact = &ldContact{Type: "schema:ContactPoint", Email: p.Email, Phone: p.Phone}
		if p.Email+p.Phone == "" {
			e.Contact.URL = p.URL
		}
	}
	if p.Address != "" {
		e.Address = &ldAddress{"schema:PostalAddress", p.Address}
	}
	return e
}
