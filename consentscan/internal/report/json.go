package report

import (
	"io"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

const (
	// jsonVersion is raised if a field goes or changes its meaning. New fields raise nothing.
	jsonVersion = 1

	jsonSchema = "https://raw.githubusercontent.com/cookiecharter/consent/main/consentscan/schema/report.schema.json"
)

// The types below are what schema/report.schema.json describes.
type (
	jsonReport struct {
		Schema  string `json:"$schema"`
		Version int    `json:"version"`

		Site    string   `json:"site"`
		Hosts   []string `json:"hosts"`
		Browser string   `json:"browser"`
		Started string   `json:"started"`
		Seconds float64  `json:"seconds"`

		Counts   jsonCounts    `json:"counts"`
		Findings []jsonFinding `json:"findings"`
		Gone     []Known       `json:"gone"`
		Stages   []jsonStage   `json:"stages"`
		Problems []jsonProblem `json:"problems"`
		Events   []jsonEvent   `json:"events,omitempty"`
	}
	jsonCounts struct {
		Errors    int `json:"errors"`
		Warnings  int `json:"warnings"`
		Notes     int `json:"notes"`
		Baselined int `json:"baselined"`
	}
	jsonFinding struct {
		Check       finding.Check `json:"check"`
		Level       finding.Level `json:"level"`
		Kind        string        `json:"kind"`
		Name        string        `json:"name"`
		Host        string        `json:"host,omitempty"`
		Provider    string        `json:"provider,omitempty"`
		Category    string        `json:"category,omitempty"`
		Message     string        `json:"message"`
		Mend        string        `json:"mend,omitempty"`
		Rule        string        `json:"rule"`
		Source      string        `json:"source,omitempty"`
		Stages      []string      `json:"stages"`
		Places      []jsonPlace   `json:"places"`
		More        int           `json:"more,omitempty"`
		Fingerprint string        `json:"fingerprint"`
	}
	jsonPlace struct {
		Stage  string `json:"stage"`
		Page   string `json:"page"`
		Frame  string `json:"frame,omitempty"`
		How    string `json:"how,omitempty"`
		Script string `json:"script,omitempty"`
		Line   int    `json:"line,omitempty"`
	}
	jsonStage struct {
		Name     string         `json:"name"`
		Answered bool           `json:"answered"`
		Earlier  string         `json:"earlier,omitempty"`
		Living   bool           `json:"living,omitempty"`
		Regime   consent.Regime `json:"regime"`
		GPC      bool           `json:"gpc,omitempty"`
		Pages    []string       `json:"pages"`
		Skipped  string         `json:"skipped,omitempty"`
		Kept     *bool          `json:"kept,omitempty"`
	}
	jsonProblem struct {
		Stage string `json:"stage,omitempty"`
		Page  string `json:"page,omitempty"`
		Text  string `json:"text"`
	}
	jsonEvent struct {
		Act        seen.Act        `json:"act"`
		Stage      string          `json:"stage"`
		Kind       seen.Kind       `json:"kind,omitempty"`
		Name       string          `json:"name,omitempty"`
		Host       string          `json:"host,omitempty"`
		Third      bool            `json:"third,omitempty"`
		Cloaked    string          `json:"cloaked,omitempty"`
		Transport  seen.Transport  `json:"transport,omitempty"`
		Page       string          `json:"page,omitempty"`
		Frame      string          `json:"frame,omitempty"`
		Leaving    bool            `json:"leaving,omitempty"`
		By         jsonCause       `json:"by,omitzero"`
		Attributes *jsonAttributes `json:"attributes,omitempty"`
		SetCookie  string          `json:"setCookie,omitempty"`
		Reason     string          `json:"reason,omitempty"`
		Hash       string          `json:"hash,omitempty"`
	}
	jsonCause struct {
		Header string `json:"header,omitempty"`
		Script string `json:"script,omitempty"`
		Line   int    `json:"line,omitempty"`
		Column int    `json:"column,omitempty"`
		Worker string `json:"worker,omitempty"`
	}
	jsonAttributes struct {
		Domain      string  `json:"domain"`
		HostOnly    bool    `json:"hostOnly,omitempty"`
		Path        string  `json:"path"`
		Seconds     float64 `json:"seconds"`
		HTTPOnly    bool    `json:"httpOnly,omitempty"`
		Secure      bool    `json:"secure,omitempty"`
		SameSite    string  `json:"sameSite,omitempty"`
		Partitioned bool    `json:"partitioned,omitempty"`
	}
)

// JSON writes the report for programs, as schema/report.schema.json describes it. events
// adds each event that the findings rest on.
func JSON(w io.Writer, r Report, events bool) error {
	report := jsonReport{
		Schema: jsonSchema, Version: jsonVersion,
		Site: r.Scan.Site, Hosts: list(r.Scan.Hosts), Browser: r.Scan.Browser,
		Started: r.Scan.Started.UTC().Format(time.RFC3339), Seconds: seconds(r.Scan.Took),
		Counts:   jsonCounts{r.of(finding.Error), r.of(finding.Warning), r.of(finding.Note), r.Baselined},
		Findings: []jsonFinding{}, Gone: list(r.Gone), Stages: []jsonStage{}, Problems: []jsonProblem{},
	}
	for _, f := range r.sorted() {
		report.Findings = append(report.Findings, newFinding(f))
	}
	for _, s := range r.Scan.Stages {
		report.Stages = append(report.Stages, jsonStage{s.Name, s.Answered, s.Earlier, s.Living, s.Regime, s.GPC, list(s.Pages), s.Skipped, s.Kept})
	}
	for _, p := range r.Scan.Problems {
		report.Problems = append(report.Problems, jsonProblem(p))
	}
	if events {
		for _, e := range r.Scan.Events {
			report.Events = append(report.Events, newEvent(e))
		}
	}
	text, err := encode(report, true)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

func newFinding(f finding.Finding) jsonFinding {
	places := []jsonPlace{}
	for _, p := range f.Places {
		places = append(places, jsonPlace(p))
	}
	return jsonFinding{
		Check: f.Check, Level: f.Level, Kind: f.Kind, Name: f.Name, Host: f.Host, Provider: f.Provider, Category: f.Category,
		Message: f.Message, Mend: f.Mend, Rule: ruleOf(f), Source: f.Source,
		Stages: list(f.Stages), Places: places, More: f.More, Fingerprint: f.Fingerprint,
	}
}

func newEvent(e seen.Event) jsonEvent {
	event := jsonEvent{
		Act: e.Act, Stage: e.Stage, Kind: e.Kind, Name: e.Name, Host: e.Host, Third: e.Third, Cloaked: e.Cloaked,
		Transport: e.Transport, Page: e.Page, Frame: e.Frame, Leaving: e.Leaving, By: jsonCause(e.By),
		SetCookie: e.Line, Reason: e.Reason, Hash: e.Hash,
	}
	if a := e.Attributes; a != nil {
		event.Attributes = &jsonAttributes{a.Domain, a.HostOnly, a.Path, seconds(a.Lifetime), a.HTTPOnly, a.Secure, a.SameSite, a.Partitioned}
	}
	return event
}

// seconds returns a duration to the millisecond.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// list returns a list that JSON writes as one, also if it is empty.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
