package ledger

import (
	"encoding/json"
	"fmt"
	"time"
)

// An ldReceipt is a dpv:ConsentReceipt.
type ldReceipt struct {
	Context       json.RawMessage `json:"@context"`
	ID            string          `json:"@id"`
	Type          string          `json:"@type"`
	ConformsTo    string          `json:"dct:conformsTo"`
	Identifier    string          `json:"dct:identifier"`
	HasIdentifier string          `json:"dpv:hasIdentifier"` // the guide names both
	Created       ldTime          `json:"dct:created"`
	Publisher     string          `json:"dct:publisher"`
	Recipient     string          `json:"schema:recipient"`
	Records       []ldRecord      `json:"dpv:hasRecordOfActivity"`
	Entities      []ldEntity      `json:"dpv:hasEntity"`
}

// An ldRecord is a dpv:ConsentRecord. Its fields stand in the order of the guide.
type ldRecord struct {
	ID            string      `json:"@id"`
	Type          string      `json:"@type"`
	ConformsTo    string      `json:"dct:conformsTo"`
	Identifier    string      `json:"dct:identifier"`
	HasIdentifier string      `json:"dpv:hasIdentifier"`
	Replaces      string      `json:"dct:replaces,omitempty"`
	Subject       ldSubject   `json:"dpv:hasDataSubject"`
	Notices       []ldNotice  `json:"dpv:hasNotice"`
	Processes     []ldProcess `json:"dpv:hasProcess"`
	Controller    string      `json:"dpv:hasDataController"`
	Control       ldAt        `json:"dpv:hasConsentControl"`
	Jurisdiction  []string    `json:"dpv:hasJurisdiction,omitempty"`
	Right         ldAt        `json:"dpv:hasRight"`
}

type ldSubject struct {
	ID         string `json:"@id"`
	Type       string `json:"@type"`
	Identifier string `json:"dct:identifier"`
}

type ldNotice struct {
	ID         string `json:"@id,omitempty"`
	Type       string `json:"@type"`
	Identifier string `json:"dct:identifier,omitempty"`
	Language   string `json:"dct:language,omitempty"`
}

// An ldAt is what is done at an address.
type ldAt struct {
	Type  []string `json:"@type"`
	Title string   `json:"dct:title,omitempty"`
	At    string   `json:"dpv:isExercisedAt"`
}

type ldProcess struct {
	Type         string      `json:"@type"`
	Description  string      `json:"dct:description,omitempty"`
	Purpose      ldPurpose   `json:"dpv:hasPurpose"`
	PersonalData any         `json:"dpv:hasPersonalData,omitempty"`
	Storage      []ldStorage `json:"dpv:hasStorageCondition,omitempty"`
	Recipient    string      `json:"dpv:hasRecipient,omitempty"`
	LegalBasis   string      `json:"dpv:hasLegalBasis,omitempty"`
	Involvement  string      `json:"dpv:hasEntityInvolvement,omitempty"`
	Status       *ldStatus   `json:"dpv:hasConsentStatus,omitempty"`
}

type ldPurpose struct {
	Type    string   `json:"@type"`
	Title   string   `json:"dct:title"`
	Broader []string `json:"skos:broader,omitempty"`
}

type ldStorage struct {
	Type     string      `json:"@type"`
	Duration *ldDuration `json:"dpv:hasDuration,omitempty"`
	Location []string    `json:"dpv:hasLocation,omitempty"`
}

type ldDuration struct {
	Type  string `json:"@type"`
	Value string `json:"rdf:value"` // ISO 8601
}

type ldStatus struct {
	Type     []string   `json:"@type"`
	Time     ldTime     `json:"dpv:isIndicatedAtTime"`
	Duration ldDuration `json:"dpv:hasDuration"`
	By       string     `json:"dpv:isIndicatedBy"`
	Method   string     `json:"dpv:hasIndicationMethod,omitempty"`
}

// An ldTime is a moment in UTC (ISO 8601).
type ldTime time.Time

func (t ldTime) MarshalText() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

// span returns a duration of whole days.
func span(d time.Duration) ldDuration {
	return ldDuration{"dpv:TemporalDuration", fmt.Sprintf("P%dD", d/aDay)}
}

// subjectID is how a document calls a visitor, by a name that holds in it alone.
func subjectID(reference string) string { return "_:visitor-" + reference }
