package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/internal/document"
)

// baselineVersion is that of the file's format.
const baselineVersion = 1

// A Baseline is what a site knows already and mends step by step. The zero Baseline knows
// nothing.
type Baseline struct{ findings []Known }

// A Known is a finding in a baseline. Its Fingerprint is what counts; the other fields are
// for whoever reads the file.
type Known struct {
	Check       finding.Check `json:"check"`
	Kind        string        `json:"kind"`
	Name        string        `json:"name"`
	Host        string        `json:"host"`
	Fingerprint string        `json:"fingerprint"`
}

// String returns it in words, without control characters.
func (k Known) String() string {
	text := fmt.Sprintf(`%s: %s "%s"`, k.Check, show(k.Kind), show(k.Name))
	if k.Host != "" && k.Host != k.Name {
		text += " of " + show(k.Host)
	}
	return text
}

// WriteBaseline writes a baseline that knows these findings: JSON, sorted, and a line for
// each, so that a difference can be read.
func WriteBaseline(w io.Writer, findings []finding.Finding) error {
	var known []Known
	for _, f := range findings {
		known = append(known, Known{f.Check, f.Kind, f.Name, f.Host, f.Fingerprint})
	}
	slices.SortFunc(known, func(a, b Known) int {
		return cmp.Or(strings.Compare(string(a.Check), string(b.Check)), strings.Compare(a.Kind, b.Kind),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Host, b.Host), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"version\": %d,\n  \"findings\": [", baselineVersion)
	for i, k := range slices.Compact(known) {
		line, err := encode(k, false)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n    ")
		b.Write(bytes.TrimSpace(line))
	}
	if len(known) > 0 {
		b.WriteString("\n  ")
	}
	b.WriteString("]\n}\n")
	_, err := w.Write(b.Bytes())
	return err
}

// ReadBaseline reads what [WriteBaseline] has written, up to 16 MB. The error joins every
// mistake, each with its line.
func ReadBaseline(from io.Reader) (Baseline, error) {
	var given struct {
		Version  uint64  `json:"version"`
		Findings []Known `json:"findings"`
	}
	read, err := document.Read(from, &given)
	if err != nil {
		return Baseline{}, err
	}
	var mistakes []error
	for i, k := range given.Findings {
		if k.Fingerprint == "" {
			mistakes = append(mistakes, &missing{i})
		}
	}
	read.Reject("findings", errors.Join(mistakes...), func(err error) (int, string, string) {
		m, _ := errors.AsType[*missing](err)
		return m.index, "Fingerprint", m.Error()
	})
	if err := read.Err(); err != nil {
		return Baseline{}, err
	}
	if given.Version != baselineVersion {
		return Baseline{}, fmt.Errorf("the baseline has version %d, and this program reads version %d", given.Version, baselineVersion)
	}
	return Baseline{given.Findings}, nil
}

// A missing fingerprint is a mistake of a baseline.
type missing struct{ index int }

func (*missing) Error() string { return "is missing or empty; it says which finding is meant" }

// Apply returns the findings that the baseline does not know, how many it knows, and what
// of it was not found any more, so that it can be taken out.
func (b Baseline) Apply(findings []finding.Finding) (fresh []finding.Finding, known int, gone []Known) {
	found := make(map[string]bool)
	in := make(map[string]bool)
	for _, k := range b.findings {
		in[k.Fingerprint] = true
	}
	for _, f := range findings {
		found[f.Fingerprint] = true
		if in[f.Fingerprint] {
			known++
		} else {
			fresh = append(fresh, f)
		}
	}
	for _, k := range b.findings {
		if !found[k.Fingerprint] {
			found[k.Fingerprint] = true // a merge of two branches may have left it twice
			gone = append(gone, k)
		}
	}
	return fresh, known, gone
}
