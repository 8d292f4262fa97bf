package main

import (
	"bytes"
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// results are what a run has measured. A part that did not run is nil.
type results struct {
	Machine       machine
	Before, After string // load averages
	Took          time.Duration
	Server        *serverResults
	Visitor       *visitorResults
}

type serverResults struct {
	Effort              serverEffort
	Costs               []priced
	Throughput          []raced
	Declarations, Lines figure
}

// A row is what was measured of one contestant.
type row struct {
	Priced priced
	Raced  raced
}

func (r *serverResults) Rows() []row {
	rows := make([]row, len(r.Costs))
	for i := range rows {
		rows[i] = row{r.Costs[i], r.Throughput[i]}
	}
	return rows
}

// A serverEffort is how long the server's part measures.
type serverEffort struct {
	CostRounds, FigureRounds, Pairs int
	CostEach, FigureEach, PairEach  time.Duration
}

type visitorResults struct {
	Rounds, HardRounds int
	Browser            string
	Sites              []visited
	Tagged             []taggedVisit
}

//go:embed results.md.tmpl
var layoutOfResults string

var resultsTemplate = template.Must(template.New("results").Funcs(template.FuncMap{
	"over": func(form string, s sample) string { return s.over(form) },
	"or": func(nothing string, names []string) string {
		if len(names) == 0 {
			return nothing
		}
		return "`" + strings.Join(names, "`, `") + "`"
	},
	"join": strings.Join,
	"hardships": func() (names []string) {
		for _, h := range hardships {
			names = append(names, h.name)
		}
		return names
	},
}).Parse(layoutOfResults))

// write makes RESULTS.md and its plots in a folder.
func (r results) write(folder string) error {
	var document bytes.Buffer
	if err := resultsTemplate.Execute(&document, r); err != nil {
		return err
	}
	if r.Server != nil {
		if err := r.Server.Declarations.draw(filepath.Join(folder, "declarations.png"), true); err != nil {
			return err
		}
		if err := r.Server.Lines.draw(filepath.Join(folder, "lines.png"), false); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "RESULTS.md"), document.Bytes(), 0o644)
}
