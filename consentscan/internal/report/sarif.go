package report

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
)

const (
	sarifVersion = "2.1.0"
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

	// fingerprintName names how a fingerprint is made; a code host knows a finding again by both.
	fingerprintName = "consentscan/v1"
)

// A File is where the declarations stand in the site's source. Code hosts show a
// finding at a line of a file of theirs, and know no pages.
type File struct {
	Path string // relative to the root of the repository, with slashes
	Text []byte // what it holds: a finding is shown at the line with its name
}

// The types below are the part of SARIF 2.1.0 that is written, by the names of the standard.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		Name             string    `json:"name"`
		ShortDescription sarifText `json:"shortDescription"`
		FullDescription  sarifText `json:"fullDescription"`
		Help             sarifText `json:"help"`
		HelpURI          string    `json:"helpUri"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool                `json:"executionSuccessful"`
		Start               string              `json:"startTimeUtc"`
		End                 string              `json:"endTimeUtc"`
		Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        finding.Level     `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Related      []sarifLocation   `json:"relatedLocations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   sarifProperties   `json:"properties"`
	}
	sarifLocation struct {
		ID       int            `json:"id,omitempty"`
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name               string `json:"name"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
	sarifProperties struct {
		Kind     string   `json:"kind"`
		Name     string   `json:"name"`
		Host     string   `json:"host,omitempty"`
		Provider string   `json:"provider,omitempty"`
		Category string   `json:"category,omitempty"`
		Stages   []string `json:"stages"`
		Rule     string   `json:"rule"`
		Source   string   `json:"source,omitempty"`
	}
)

// SARIF writes the findings for code hosts, as SARIF 2.1.0. With the file in which the
// declarations stand, each finding is shown there, and the pages are related locations; if
// it is nil, the pages are where findings are.
func SARIF(w io.Writer, r Report, declarations *File) error {
	run := sarifRun{
		Tool:    sarifTool{sarifDriver{Name: "consentscan", Version: r.Version, InformationURI: home, Rules: rules()}},
		Results: []sarifResult{},
	}
	invocation := sarifInvocation{ExecutionSuccessful: true, Start: r.Scan.Started.UTC().Format(time.RFC3339), End: r.Scan.Started.Add(r.Scan.Took).UTC().Format(time.RFC3339)}
	for _, p := range r.Scan.Problems {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"warning", plain(problemSays(p))})
	}
	for _, s := range r.Scan.Stages {
		if s.Skipped != "" {
			invocation.Notifications = append(invocation.Notifications, sarifNotification{"note", plain(show(s.Name) + " " + stageSays(s))})
		}
	}
	run.Invocations = []sarifInvocation{invocation}
	for _, f := range r.sorted() {
		run.Results = append(run.Results, r.result(f, declarations))
	}
	text, err := encode(sarifLog{sarifSchema, sarifVersion, []sarifRun{run}}, true)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// rules returns a rule for each check.
func rules() (all []sarifRule) {
	for _, c := range checks {
		all = append(all, sarifRule{
			ID: string(c.name), Name: camel(string(c.name)),
			ShortDescription: plain(c.title), FullDescription: plain(c.plain), Help: plain(c.plain), HelpURI: ruleAddress(c.rule),
		})
	}
	return all
}

// camel returns "StoredWithoutConsent" of "stored-without-consent", as rules are named.
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func (r *Report) result(f finding.Finding, declarations *File) sarifResult {
	message := say(f.Message)
	if f.Mend != "" {
		message += "\nTo mend it: " + sayLines(f.Mend)
	}
	result := sarifResult{
		RuleID: string(f.Check), RuleIndex: slices.Index(Checks(), f.Check), Level: f.Level, Message: plain(message),
		Fingerprints: map[string]string{fingerprintName: f.Fingerprint},
		Properties: sarifProperties{
			Kind: f.Kind, Name: f.Name, Host: f.Host, Provider: f.Provider, Category: f.Category,
			Stages: list(f.Stages), Rule: ruleOf(f), Source: f.Source,
		},
	}
	var pages []sarifLocation
	for i, p := range f.Places {
		how := plain(cmp.Or(show(p.How), "seen here"))
		pages = append(pages, sarifLocation{
			ID:       i + 1,
			Physical: sarifPhysical{Artifact: sarifArtifact{URI: address(r.Scan, p.Page)}},
			Logical:  []sarifLogical{{show(p.Stage), show(p.Stage) + ": " + show(p.Page)}},
			Message:  &how,
		})
	}
	switch {
	case declarations != nil:
		result.Locations, result.Related = []sarifLocation{declarations.location(f)}, pages
	case len(pages) > 0:
		result.Locations, result.Related = pages[:1], pages[1:]
	default:
		result.Locations = []sarifLocation{{Physical: sarifPhysical{Artifact: sarifArtifact{URI: address(r.Scan, "/")}}}}
	}
	return result
}

// location returns the line of the file in which the name of a finding stands first,
// quoted as in Go and JSON; else the file's first line.
func (d *File) location(f finding.Finding) sarifLocation {
	line := 1
	if i := bytes.Index(d.Text, []byte(strconv.Quote(f.Name))); i >= 0 && f.Name != "" {
		line += bytes.Count(d.Text[:i], []byte("\n"))
	}
	return sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{URI: reference(d.Path), Base: "%SRCROOT%"}, Region: &sarifRegion{line}}}
}
