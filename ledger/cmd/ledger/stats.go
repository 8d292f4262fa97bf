package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cookiecharter/consent/ledger"
)

func stats(ctx context.Context, c *call) error {
	grouping := ledger.Grouping{By: []ledger.Dimension{ledger.ByDay, ledger.ByCategory}}
	in := new(zone)
	c.flags.Func("by", "what to count apart, as `words` with commas: one of day, week and month, and any of category, provider, language, action and regime (default day,category)", func(s string) error {
		grouping.By = nil
		for word := range strings.SplitSeq(s, ",") {
			grouping.By = append(grouping.By, ledger.Dimension(strings.TrimSpace(word)))
		}
		return nil
	})
	c.flags.Var(in, "tz", "time `zone` of days, weeks and months, such as Europe/Paris")
	format := c.flags.String("format", "text", "text, csv or json")
	file := c.flags.String("chart", "", "`file` to draw the acceptance rate to, .svg")
	of, err := c.period(in)
	if err != nil {
		return err
	}
	grouping.Location = in.Location
	write, known := statsFormats[*format]
	if !known {
		return fmt.Errorf("cannot write %q: text, csv and json are the formats: %w", *format, errUsage)
	}
	if err := checkChart(*file, grouping); err != nil {
		return err
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	counted, err := c.ledger.Stats(ctx, of, grouping, c.progress)
	if err != nil {
		return err
	}
	if err := write(c.out, grouping, counted); err != nil || *file == "" {
		return err
	}
	return draw(counted, grouping, in, *file)
}

// statsFormats write what was counted.
var statsFormats = map[string]func(io.Writer, ledger.Grouping, []ledger.Stat) error{
	"text": writeTable, "csv": writeCSV, "json": writeJSON,
}

// label returns what a group is called in one dimension.
func label(d ledger.Dimension, s ledger.Stat) string {
	switch d {
	case ledger.ByDay:
		return s.Start.Format(time.DateOnly)
	case ledger.ByWeek:
		year, week := s.Start.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	case ledger.ByMonth:
		return s.Start.Format("2006-01")
	case ledger.ByCategory:
		return string(s.Category)
	case ledger.ByProvider:
		return s.Provider
	case ledger.ByLanguage:
		return s.Language
	case ledger.ByAction:
		return string(s.Action)
	default:
		return s.Regime
	}
}

func writeTable(w io.Writer, g ledger.Grouping, counted []ledger.Stat) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, d := range g.By {
		fmt.Fprintf(table, "%s\t", strings.ToUpper(string(d)))
	}
	fmt.Fprintln(table, "DECISIONS\tACCEPTED\tPARTLY\tRATE")
	for _, s := range counted {
		for _, d := range g.By {
			text := label(d, s)
			if text == "" {
				text = "-" // a column of spaces could not be told
			}
			fmt.Fprintf(table, "%s\t", text)
		}
		fmt.Fprintf(table, "%d\t%d\t%d\t%.1f %%\n", s.Decided, s.Accepted, s.Partly, 100*s.Rate())
	}
	return table.Flush()
}

func writeCSV(w io.Writer, g ledger.Grouping, counted []ledger.Stat) error {
	table := csv.NewWriter(w)
	var names []string
	for _, d := range g.By {
		names = append(names, string(d))
	}
	if err := table.Write(append(names, "decisions", "accepted", "partly", "rate")); err != nil {
		return err
	}
	for _, s := range counted {
		var cells []string
		for _, d := range g.By {
			cells = append(cells, label(d, s))
		}
		cells = append(cells, strconv.FormatInt(s.Decided, 10), strconv.FormatInt(s.Accepted, 10), strconv.FormatInt(s.Partly, 10), rate(s))
		if err := table.Write(cells); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

// rate returns the rate in digits, between 0 and 1.
func rate(s ledger.Stat) string { return strconv.FormatFloat(s.Rate(), 'f', 4, 64) }

// writeJSON writes a list with an object for each group, whose keys are those of the CSV.
func writeJSON(w io.Writer, g ledger.Grouping, counted []ledger.Stat) error {
	all := make([]map[string]any, len(counted))
	for i, s := range counted {
		all[i] = map[string]any{"decisions": s.Decided, "accepted": s.Accepted, "partly": s.Partly, "rate": json.Number(rate(s))}
		for _, d := range g.By {
			all[i][string(d)] = label(d, s)
		}
	}
	lines := json.NewEncoder(w)
	lines.SetIndent("", "  ")
	return lines.Encode(all)
}
