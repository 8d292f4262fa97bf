package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// A Stat says how the decisions of one day answered for one category.
type Stat struct {
	Day      time.Time // in UTC, at midnight
	Category consent.Category
	Decided  int64 // decisions that answered for the category
	Accepted int64 // those that allow all its providers
	Partly   int64 // those that allow some of them and not others
}

// Rate returns the share of decisions that allow the whole category, between 0 and
// 1; 0 if there was none.
func (s Stat) Rate() float64 {
	if s.Decided == 0 {
		return 0
	}
	return float64(s.Accepted) / float64(s.Decided)
}

// takenHere leaves out what was decided on another device, and counts there.
const takenHere = " AND action <> '" + string(consent.ByAccount) + "'"

// Stats counts the decisions of a period by day, then by category. It counts
// decisions, not visitors: who decides twice counts twice, who was forgotten or
// purged not at all, and what a Restore has carried to another device not again. It keeps none of the records in memory. Progress, if not nil, is
// called now and then with the number of records read. The error is the database's.
func (l *Ledger) Stats(ctx context.Context, period Period, progress func(records int64)) ([]Stat, error) {
	if err := l.readable(); err != nil {
		return nil, err
	}
	type cell struct {
		day      int64
		category consent.Category
	}
	const dayLength = 24 * 60 * 60 * 1000
	cells := make(map[cell]*Stat)
	read := make(map[string][]verdict)
	count := int64(0)
	// add counts each record of a query once, or takes it off.
	add := func(query string, once int64) error {
		from, until := period.keys()
		rows, err := l.db.QueryContext(ctx, l.db.sql(query), l.db.key(from), l.db.key(until))
		return each(rows, err, func(rows *sql.Rows) error {
			var id key
			var text sql.RawBytes
			if err := rows.Scan(&id, &text); err != nil {
				return err
			}
			if count++; progress != nil && count%10_000 == 0 {
				progress(count)
			}
			verdicts, known := read[string(text)]
			if !known {
				var err error
				if verdicts, err = judge(text); err != nil {
					return fmt.Errorf("the answers of the record %v cannot be read: %w", id, err)
				}
				if len(read) < maxRead {
					read[string(text)] = verdicts
				}
			}
			day := id.time() / dayLength
			for _, v := range verdicts {
				s := cells[cell{day, v.category}]
				if s == nil {
					s = &Stat{Day: time.UnixMilli(day * dayLength).UTC(), Category: v.category}
					cells[cell{day, v.category}] = s
				}
				s.Decided += once
				switch v.allowed {
				case v.given:
					s.Accepted += once
				case 0:
				default:
					s.Partly += once
				}
			}
			return nil
		})
	}
	err := add(`SELECT id, answers FROM consent_record WHERE id >= $1 AND id < $2 AND forgotten IS NULL AND act IS NULL`+takenHere, 1)
	if err == nil {
		// A consent that did not count is no decision: what counts of it comes next.
		err = add(`SELECT id, answers FROM consent_record WHERE forgotten IS NULL AND id IN
			(SELECT previous FROM consent_record WHERE id >= $1 AND id < $2 AND remainder)`+takenHere, -1)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot count: %w", err)
	}
	stats := make([]Stat, 0, len(cells))
	for _, s := range cells {
		if s.Decided > 0 {
			stats = append(stats, *s)
		}
	}
	slices.SortFunc(stats, func(a, b Stat) int {
		if byDay := a.Day.Compare(b.Day); byDay != 0 {
			return byDay
		}
		return strings.Compare(string(a.Category), string(b.Category))
	})
	return stats, nil
}

// maxRead is how many different answers are remembered, of which most sites have a
// few.
const maxRead = 1000

// A verdict says how many answers were given for a category, and how many of them
// allow.
type verdict struct {
	category       consent.Category
	given, allowed int
}

// judge reads the answers of a record.
func judge(text []byte) ([]verdict, error) {
	var answers []consent.Answer
	if err := json.Unmarshal(text, &answers); err != nil {
		return nil, err
	}
	var verdicts []verdict
	for _, a := range answers {
		i := slices.IndexFunc(verdicts, func(v verdict) bool { return v.category == a.Category })
		if i < 0 {
			i = len(verdicts)
			verdicts = append(verdicts, verdict{category: a.Category})
		}
		verdicts[i].given++
		if a.Allowed {
			verdicts[i].allowed++
		}
	}
	return verdicts, nil
}
