package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

const (
	// maxPictures is how many bytes of pictures a page holds; in it they take a third more.
	maxPictures = 20 << 20

	// maxRows is how many findings, tracers or hosts a page lists. The JSON has all.
	maxRows = 1000

	// maxOpen is how many places of a finding are shown before one opens the rest.
	maxOpen = 3
)

var (
	//go:embed page.html
	pageText string

	//go:embed page.css
	pageStyle string

	page = template.Must(template.New("page").Funcs(template.FuncMap{"show": show, "say": say, "lines": sayLines, "moment": moment, "several": several}).Parse(pageText))
)

// A view is what the page's template shows.
type view struct {
	Title   string
	Policy  string
	Style   template.CSS
	Scan    *seen.Scan
	Took    string
	Iso     string
	Counts  []count
	Summary string
	Known   int
	Gone    []Known

	Stages   []stageRow
	Problems []string
	Groups   []group
	Left     int // findings that are left out
	Tracers  []thing
	Hosts    []thing
	LeftRows int // of Tracers and Hosts
	Pictures []picture
	LeftPics int
	MaxMB    int
}

type count struct {
	Level finding.Level
	N     int
	Of    string // what there are N of
}

type stageRow struct {
	Name, About, Skipped           string
	Pages, Cookies, Entries, Hosts int
	Faults, Errors                 int
	NotKept                        bool
}

type group struct {
	Title, Plain string
	Findings     []shownFinding
}

type shownFinding struct {
	finding.Finding
	Declared   string
	RuleURL    string
	Open, Rest []finding.Place
}

type picture struct {
	ID, Stage, Page, Alt string
	Source               template.URL
}

// HTML writes the report as one page for whoever answers for the site. It loads nothing,
// runs nothing and says so in its Content-Security-Policy. Pictures beyond 20 MB in sum are
// left out, and the page says so.
func HTML(w io.Writer, r Report) error {
	hash := sha256.Sum256([]byte(pageStyle))
	v := view{
		Title:  "Consent scan of " + show(r.Scan.Site),
		Policy: "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:  template.CSS(pageStyle), Scan: r.Scan,
		Took: inWords(r.Scan.Took), Iso: r.Scan.Started.UTC().Format(time.RFC3339),
		Summary: r.summary(), Known: r.Baselined, Gone: r.Gone, MaxMB: maxPictures >> 20,
	}
	for _, level := range levels {
		n := r.of(level)
		v.Counts = append(v.Counts, count{level, n, plural(n, string(level))})
	}
	for _, s := range r.Scan.Stages {
		v.Stages = append(v.Stages, r.row(s))
	}
	for _, p := range r.Scan.Problems {
		v.Problems = append(v.Problems, problemSays(p))
	}
	v.Groups, v.Left = r.groups()
	v.Tracers, v.Hosts, v.LeftRows = r.things()
	v.Pictures, v.LeftPics = pictures(r.Scan.Stages)
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return err
	}
	_, err := b.WriteTo(w)
	return err
}

// row counts what a stage has shown.
func (r *Report) row(s seen.Stage) stageRow {
	row := stageRow{Name: show(s.Name), About: about(s), Skipped: show(s.Skipped), Pages: len(s.Pages), NotKept: s.Kept != nil && !*s.Kept}
	cookies, entries, hosts := make(map[identity]bool), make(map[identity]bool), make(map[identity]bool)
	for _, e := range r.Scan.Events {
		id := identity{e.Kind, e.Name, e.Host}
		switch {
		case e.Stage != s.Name:
		case e.Act == seen.Contacted:
			hosts[identity{host: e.Host}] = true
		case e.Act != seen.Stored && e.Act != seen.Kept:
		case e.Kind == seen.Cookie:
			cookies[id] = true
		default:
			entries[id] = true
		}
	}
	row.Cookies, row.Entries, row.Hosts = len(cookies), len(entries), len(hosts)
	for _, f := range r.Findings {
		if !slices.Contains(f.Stages, s.Name) {
			continue
		}
		row.Faults++
		if f.Level == finding.Error {
			row.Errors++
		}
	}
	return row
}

// An identity tells one tracer or host from another.
type identity struct {
	kind seen.Kind
	name string
	host string
}

// about says in words what a visitor in this stage has done.
func about(s seen.Stage) string {
	var parts []string
	switch {
	case s.Earlier != "" && s.Living:
		parts = append(parts, "was “"+show(s.Earlier)+"” before; no page was loaded since")
	case s.Earlier != "":
		parts = append(parts, "was “"+show(s.Earlier)+"” before")
	case s.Living:
		parts = append(parts, "no page was loaded since the answer")
	case !s.Answered:
		parts = append(parts, "has not answered")
	}
	switch s.Regime {
	case consent.OptIn:
	case consent.UK:
		parts = append(parts, "under the law of the United Kingdom")
	case consent.OptOut:
		parts = append(parts, "under a law by which one opts out")
	default:
		parts = append(parts, "where no law asks for consent")
	}
	if s.GPC {
		parts = append(parts, "the browser asks not to be tracked (Sec-GPC)")
	}
	return strings.Join(parts, "; ")
}

// groups returns the findings by what they are about, the gravest first.
func (r *Report) groups() (all []group, left int) {
	findings := r.sorted()
	if left = max(0, len(findings)-maxRows); left > 0 {
		findings = findings[:maxRows]
	}
	for _, f := range findings {
		c := checkOf(f.Check)
		i := slices.IndexFunc(all, func(g group) bool { return g.Title == c.title })
		if i < 0 {
			i = len(all)
			all = append(all, group{Title: c.title, Plain: c.plain})
		}
		n := min(len(f.Places), maxOpen)
		if len(f.Places) == maxOpen+1 {
			n = maxOpen + 1 // a button for one line would take as much room
		}
		all[i].Findings = append(all[i].Findings, shownFinding{
			Finding: f, Declared: joined(f.Provider, f.Category), RuleURL: ruleOf(f), Open: f.Places[:n], Rest: f.Places[n:],
		})
	}
	return all, left
}

// pictures returns the pictures of all stages, as many as there is room for.
func pictures(stages []seen.Stage) (all []picture, left int) {
	size := 0
	for _, s := range stages {
		for _, p := range s.Pictures {
			if size += len(p.PNG); left > 0 || size > maxPictures {
				left++
				continue
			}
			all = append(all, picture{
				Stage: show(s.Name), Page: show(p.Page),
				Alt: "The page " + show(p.Page) + " as a visitor in the state “" + show(s.Name) + "” sees it.",
				// Base64 of bytes: nothing of the site's text is in it.
				Source: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(p.PNG)),
			})
		}
	}
	return all, left
}
