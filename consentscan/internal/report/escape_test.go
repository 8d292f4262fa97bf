package report_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/report"
)

func TestNoFormHoldsWhatSteersATerminal(t *testing.T) {
	for _, output := range outputs {
		if output.file == "report.color.txt" {
			continue // which has the colours of its own
		}
		for _, text := range hostile {
			for _, r := range written(t, output.write, hostileReport(text)) {
				if r != '\n' && r != '\t' && !strconv.IsPrint(r) {
					t.Errorf("%s of %.20q holds %q", output.file, text, r)
					break
				}
			}
		}
	}
}

func TestANameMakesNoLineOfItsOwn(t *testing.T) {
	text := written(t, outputs[0].write, hostileReport("\r\nerror fake: line"))
	assert.Contains(t, text, `\r`)
	for line := range strings.SplitSeq(text, "\n") {
		assert.False(t, strings.HasPrefix(line, "error fake"), line)
	}
}

func TestWhatIsToBeCopiedIsNotShortened(t *testing.T) {
	r := sample()
	r.Findings[2].Mend = "Write " + strings.Repeat("x", 1000) + "."
	for _, output := range []int{0, 4, 6} {
		assert.Contains(t, written(t, outputs[output].write, r), r.Findings[2].Mend[6:])
	}
}

func TestThePageHoldsNoMarkupOfTheSite(t *testing.T) {
	count := func(r report.Report) (elements, attributes map[string]int) {
		elements, attributes = make(map[string]int), make(map[string]int)
		tokens := html.NewTokenizer(strings.NewReader(written(t, report.HTML, r)))
		for {
			switch tokens.Next() {
			case html.ErrorToken:
				require.ErrorIs(t, tokens.Err(), io.EOF)
				return elements, attributes
			case html.StartTagToken, html.SelfClosingTagToken:
				token := tokens.Token()
				elements[token.Data]++
				for _, a := range token.Attr {
					attributes[a.Key]++
					if a.Key == "href" {
						assert.Regexp(t, `^(#[a-z]+|https://github\.com/cookiecharter/consent/blob/main/docs/rules\.md(#[a-z-]+)?)$`, a.Val)
					}
					if a.Key == "src" {
						assert.Regexp(t, `^data:image/png;base64,[A-Za-z0-9+/=]*$`, a.Val)
					}
				}
			}
		}
	}
	elements, attributes := count(hostileReport("harmless"))
	require.Positive(t, elements["article"])
	require.Zero(t, elements["script"])
	for _, text := range hostile {
		e, a := count(hostileReport(text))
		assert.Equal(t, elements, e, text)
		assert.Equal(t, attributes, a, text)
	}
}

func TestProgramsReadNamesAsTheyAre(t *testing.T) {
	for _, text := range hostile {
		var got struct {
			Findings []struct{ Name string }
			Events   []struct{ Name string }
		}
		require.NoError(t, json.Unmarshal([]byte(written(t, outputs[3].write, hostileReport(text))), &got))
		want := strings.ToValidUTF8(text, "\uFFFD")
		if text == "\xff\xfe" {
			want = "\uFFFD\uFFFD" // each byte
		}
		assert.Equal(t, want, got.Findings[0].Name)
		assert.Equal(t, want, got.Events[0].Name)
	}
}

func TestAMessageForCodeHostsHoldsNoLink(t *testing.T) {
	for _, text := range []string{"[click](https://evil.example)", `\[click\](https://evil.example)`, `a\](https://evil.example)`} {
		var log struct {
			Runs []struct {
				Results []struct{ Message struct{ Text string } }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(written(t, outputs[4].write, hostileReport(text))), &log))
		for _, result := range log.Runs[0].Results {
			// As the standard reads it: a backslash takes away the meaning of what follows.
			for rest := result.Message.Text; rest != ""; rest = rest[1:] {
				if rest[0] == '\\' {
					rest = rest[1:]
				} else {
					assert.NotContains(t, "[]", rest[:1], result.Message.Text)
				}
			}
		}
	}
}

func TestDeclarationsOfHostileNamesCompile(t *testing.T) {
	for _, text := range hostile {
		source := written(t, outputs[8].write, hostileReport(text))
		file, err := parser.ParseFile(token.NewFileSet(), "cookies.go", source, 0)
		require.NoError(t, err, source)
		assert.Len(t, file.Decls, 2, "an import and a variable: %s", source)
	}
}

func TestAPathOfTheSiteIsNoOtherHost(t *testing.T) {
	r := sample()
	for page, want := range map[string]string{
		"//evil.example/path":       "https://staging.example.org//evil.example/path",
		"/a%2Fb?token=secret":       "https://staging.example.org/a%2Fb",
		"/a b\x1b":                  "https://staging.example.org/a%20b%1B",
		"/100%":                     "https://staging.example.org/100%25",
		"https://u:p@example.org/a": "https://example.org/a",
		"javascript:alert(1)":       "https://staging.example.org/javascript:alert(1)",
	} {
		r.Findings = []finding.Finding{{Check: finding.Undeclared, Level: finding.Note, Places: []finding.Place{{Stage: "new", Page: page}}}}
		var log struct {
			Runs []struct {
				Results []struct {
					Locations []struct {
						PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					}
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(written(t, outputs[4].write, r)), &log))
		assert.Equal(t, want, log.Runs[0].Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI, page)
	}
}
