package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cookiecharter/consent"
)

// The IRIs of the guide's profiles, and of UUIDs (RFC 9562, section 4).
const (
	profile = "https://w3id.org/dpv/schema/dpv-27560#"
	urn     = "urn:uuid:"
)

func (k key) urn() string { return urn + k.String() }

// A shownBy is what a record tells of its notice.
type shownBy struct{ Control, Pressed string }

// readShownBy reads a notice. One that a site has made by itself names no control.
func readShownBy(content []byte) (s shownBy) {
	var screen struct {
		Version          int
		Control, Pressed string
	}
	if json.Unmarshal(content, &screen) == nil && screen.Version == 1 {
		s = shownBy{screen.Control, screen.Pressed}
	}
	return s
}

// A visitorSoFar is what a visitor had answered before the record that comes next.
type visitorSoFar struct {
	id    string      // of the last record
	time  time.Time   // of the last decision
	given map[of]bool // for what they had given their consent then
}

// An of is what an answer is about.
type of struct {
	category consent.Category
	provider string
}

// A recordMaker makes consent records in the name of an issuer.
type recordMaker struct{ issuer Issuer }

// record makes the record of a decision, and takes note of it in visit.
func (m *recordMaker) record(e *Entry, shown shownBy, visit *visitorSoFar) ldRecord {
	r := ldRecord{
		ID: urn + e.ID, Type: "dpv:ConsentRecord", ConformsTo: profile + "record", Identifier: e.ID, HasIdentifier: e.ID,
		Subject:    ldSubject{subjectID(e.Reference), "dpv:DataSubject", e.Reference},
		Notices:    m.notices(e),
		Controller: m.issuer.Controller.URL,
		Control:    ldAt{Type: []string{"dpv:ProvideConsent", "dpv:WithdrawConsent"}, At: m.issuer.Settings},
		Right:      ldAt{[]string{"dpv:DataSubjectRight"}, "The rights of the data subject", m.rights()},
	}
	if visit.id != "" {
		r.Replaces = urn + visit.id
	}
	r.Jurisdiction = m.jurisdiction(e.Regime)
	if e.Time.Sub(visit.time) >= m.issuer.Lifetime {
		visit.given = nil // it has expired
	}
	given := make(map[of]bool)
	for _, a := range e.Answers {
		p := m.process(a.Category)
		p.Recipient = m.recipientID(a.Provider)
		about := of{a.Category, a.Provider}
		before := visit.given[about]
		m.answer(&p, e, a, shown, before)
		r.Processes = append(r.Processes, p)
		given[about] = a.Allowed && (before || !e.Regime.Presumes(a.Category, e.GPC))
	}
	if e.Objection || len(e.Answers) == 0 {
		r.Processes = append(r.Processes, objection(e.Objection))
	}
	visit.id, visit.time, visit.given = e.ID, e.Time, given
	return r
}

// answer says in a process what the visitor has answered. before says that their consent
// stood when they did.
func (m *recordMaker) answer(p *ldProcess, e *Entry, a consent.Answer, shown shownBy, before bool) {
	status := ldStatus{Time: ldTime(e.Time), Duration: span(m.issuer.Lifetime), By: subjectID(e.Reference), Method: method(e.Action, shown)}
	// Who had consented before, under another regime, has still.
	presumed := e.Regime.Presumes(a.Category, e.GPC) && !before
	if presumed {
		// Who says nothing has not refused here. That is a right to refuse, and no consent.
		p.Involvement = "dpv:OptingOutFromProcess"
		p.Description = "Under the regime " + e.Regime.String() + " this was allowed until the visitor refuses."
	} else if e.Action == "" { // nobody says that there was an act
		p.LegalBasis = "dpv:Consent"
	} else {
		p.LegalBasis = "dpv:ExpressedConsent"
	}
	switch {
	case !a.Allowed && before:
		status.Type = []string{"dpv:ConsentWithdrawn"}
	case !a.Allowed:
		status.Type = []string{"dpv:ConsentRefused"}
	case presumed: // an act, or a box that was ticked already
		status.Type = []string{"dpv:ConsentUnknown"}
	case before:
		status.Type = []string{"dpv:RenewedConsentGiven"}
	default:
		status.Type = []string{"dpv:ConsentGiven"}
	}
	p.Status = &status
}

// objection is the process of anonymous statistics, which need no consent, and for which
// the ledger knows no provider.
func objection(objects bool) ldProcess {
	p := ldProcess{Type: "dpv:Process", Purpose: purposeOf(consent.Statistics, nil), Involvement: "dpv:ObjectingToProcess"}
	if objects {
		p.Description = "Anonymous statistics, to which the visitor objects."
	} else {
		p.Description = "Anonymous statistics, to which the visitor does not object."
	}
	return p
}

// notices returns what the visitor was shown, and the site's privacy policy.
func (m *recordMaker) notices(e *Entry) []ldNotice {
	policy := ldNotice{ID: m.issuer.PrivacyPolicy, Type: "dpv:PrivacyNotice"}
	if e.Notice == "" && e.Language == "" {
		return []ldNotice{policy}
	}
	shown := ldNotice{Type: "dpv:ConsentNotice", Language: e.Language}
	if sum, err := hex.DecodeString(e.Notice); err == nil && len(sum) == sha256.Size {
		shown.ID = "ni:///sha-256;" + base64.RawURLEncoding.EncodeToString(sum) // which names it by its sum (RFC 6920, section 3)
		shown.Identifier = e.Notice
	}
	return []ldNotice{shown, policy}
}

func (m *recordMaker) rights() string {
	if m.issuer.Rights != "" {
		return m.issuer.Rights
	}
	return m.issuer.PrivacyPolicy
}

// jurisdiction returns where a regime is the law, as far as that is known.
func (m *recordMaker) jurisdiction(regime consent.Regime) []string {
	for _, j := range m.issuer.Jurisdictions {
		if j.Regime == regime {
			return prefixed(j.Places)
		}
	}
	if regime == consent.UK {
		return []string{"loc:GB"}
	}
	return nil
}

func prefixed(places []string) []string {
	names := make([]string, len(places))
	for i, place := range places {
		names[i] = placePrefix + place
	}
	return names
}

// process returns what is done in a category.
func (m *recordMaker) process(category consent.Category) ldProcess {
	is := Processing{PersonalData: m.issuer.PersonalData, Retention: m.issuer.Retention, StoredIn: m.issuer.StoredIn}
	for _, differs := range m.issuer.Categories {
		if differs.Category != category {
			continue
		}
		is.Purposes = differs.Purposes
		if len(differs.PersonalData) > 0 {
			is.PersonalData = differs.PersonalData
		}
		if differs.Retention != 0 {
			is.Retention = differs.Retention
		}
		if len(differs.StoredIn) > 0 {
			is.StoredIn = differs.StoredIn
		}
	}
	p := ldProcess{Type: "dpv:Process", Purpose: purposeOf(category, is.Purposes), PersonalData: "dpv:PersonalData"}
	if len(is.PersonalData) > 0 {
		p.PersonalData = is.PersonalData
	}
	kept := span(is.Retention)
	p.Storage = []ldStorage{{Type: "dpv:StorageDuration", Duration: &kept}, {Type: "dpv:StorageLocation", Location: prefixed(is.StoredIn)}}
	return p
}

// purposes are the purposes of the vocabulary that fit a category by its own name. Other
// categories say who collects, and not what for, or have no word there.
var purposes = map[consent.Category]string{
	consent.Statistics:          "dpv:ServiceUsageAnalytics",
	consent.AudienceMeasurement: "dpv:ServiceUsageAnalytics",
	consent.Personalisation:     "dpv:Personalisation",
	consent.Advertising:         "dpv:Advertising",
	consent.Chat:                "dpv:CommunicationManagement",
	consent.Appearance:          "dpv:UserInterfacePersonalisation",
}

func purposeOf(category consent.Category, named []string) ldPurpose {
	if fits := purposes[category]; fits != "" && len(named) == 0 {
		named = []string{fits}
	}
	return ldPurpose{"dpv:Purpose", string(category), named}
}

// method says how a visitor has decided.
func method(action consent.Action, shown shownBy) string {
	how := map[consent.Action]string{
		consent.ByBanner:      "in the banner",
		consent.ByForm:        "in the form with the settings",
		consent.ByPlaceholder: "by the button of embedded content",
		consent.ByObjection:   "by an objection in the form with the settings",
		consent.ByGPC:         "by the browser's Global Privacy Control, which the site has saved",
		consent.ByAccount:     "in another browser: it comes from the visitor's account",
	}[action]
	switch {
	case how == "": // an action of the site's own, or none
		how = string(action)
	case shown.Control == "program":
		how += ", posted by a program"
	case shown.Pressed != "":
		how += fmt.Sprintf(", button %q", shown.Pressed)
	}
	return how
}
