package report_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// answered gives each TODO of a draft an answer.
func answered(draft string) string {
	return strings.NewReplacer(`"category": "TODO"`, `"category": "third-party"`, "TODO: ", "").Replace(draft)
}

func TestADraftDeclaresWhatNobodyDeclaredOnceItIsAnswered(t *testing.T) {
	draft := written(t, outputs[7].write, sample())
	_, err := consent.ReadRegistry(strings.NewReader(draft))
	require.ErrorContains(t, err, "TODO", "a draft reaches no visitor")
	registry, err := consent.ReadRegistry(strings.NewReader(answered(draft)))
	require.NoError(t, err)
	var names []string
	for _, c := range registry.Cookies() {
		names = append(names, c.Kind.String()+" "+c.Name)
	}
	assert.Equal(t, []string{"other /worker.js", "cookie campaign", "other chat.example.net", "localStorage theme"}, names)
	assert.Equal(t, 30*day, registry.Cookies()[1].Lifetime)
	assert.Equal(t, []string{"wss://chat.example.net"}, registry.Cookies()[2].Origins)
}

func TestNoHostOfThisMachineIsDeclared(t *testing.T) {
	for _, host := range []string{"localhost", "LOCALHOST", "localhost.", "tracker.localhost", "127.0.0.1", "192.168.1.9", "::1", "[::1]"} {
		r := report.Report{Scan: &seen.Scan{Site: "http://" + host, Events: []seen.Event{
			{Act: seen.Stored, Kind: seen.Cookie, Name: "a", Host: host, Page: "/", By: seen.Cause{Header: "http://" + host + "/"}, Attributes: &seen.Attributes{Domain: host, Path: "/", Lifetime: time.Hour}},
		}}}
		for _, origin := range []string{host, host + ":8080"} {
			r.Findings = append(r.Findings, finding.Finding{Check: finding.UndeclaredOrigin, Kind: "host", Name: origin, Host: origin})
		}
		for _, output := range outputs[7:9] {
			draft := written(t, output.write, r)
			assert.Contains(t, draft, `"a"`)
			assert.NotContains(t, strings.ToLower(draft), strings.ToLower(host), output.file)
			assert.NotContains(t, draft, "omain:")
		}
	}
}

func TestAPublicHostIsDeclared(t *testing.T) {
	r := report.Report{Scan: &seen.Scan{Site: "https://example.org", Events: []seen.Event{
		{Act: seen.Stored, Kind: seen.Cookie, Name: "a", Page: "/", Attributes: &seen.Attributes{Domain: "example.org", Path: "/"}},
		{Act: seen.Stored, Kind: seen.Cookie, Name: "b", Page: "/", Attributes: &seen.Attributes{Domain: "www.example.org", HostOnly: true, Path: "/"}},
	}}, Findings: []finding.Finding{{Check: finding.UndeclaredOrigin, Kind: "host", Name: "cdn.example:8443"}, {Check: finding.UndeclaredOrigin, Kind: "host", Name: "*.maps.example"}}}
	draft := written(t, outputs[7].write, r)
	assert.Contains(t, draft, `"domain": "example.org"`)
	assert.NotContains(t, draft, "www.example.org")
	assert.Contains(t, draft, `"https://cdn.example:8443"`)
	assert.Contains(t, draft, `"https://*.maps.example"`)
}

func TestAFormThatIsNoneIsAnError(t *testing.T) {
	var b bytes.Buffer
	assert.ErrorContains(t, report.Declarations(&b, sample(), "yaml", ""), `"yaml"`)
	assert.ErrorContains(t, report.Declarations(&b, sample(), "go", "no-name"), `"no-name" is no name of a package`)
	assert.Zero(t, b.Len())
	assert.NoError(t, report.Declarations(io.Discard, sample(), "go", ""))
}
