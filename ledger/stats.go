package ledger

import (
	"context"
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
// 1; 0 where there was none.
func (s Stat) Rate() float64 {
	if s.Decided == 0 {
		return 0
	}
	return float64(s.Accepted) / float64(s.Decided)
}

// Stats counts the decisions of a period by day, then by category. It counts
// decisions, not visitors: who decides twice counts twice, and who was forgotten or
// purged not at all. It keeps none of the records in memory. Progress, if not nil, is
// called now and then with the number of records read. The error is the database's.
func (l *Ledger) Stats(ctx context.Context, period Period, progress func(records int64)) ([]Stat, error) {
	type cell struct {
		day      int64
		category consent.Category
	}
	const dayLength = 24 * 60 * 60 * 1000
	cells := make(map[cell]*Stat)
	err := l.entries(ctx, period, progress, func(e *Entry) error {
		day := e.Time.UnixMilli() / dayLength
		for i := 0; i < len(e.Answers); {
			category, given, allowed := e.Answers[i].Category, 0, 0
			for ; i < len(e.Answers) && e.Answers[i].Category == category; i++ {
				given++
				if e.Answers[i].Allowed {
					allowed++
				}
			}
			s := cells[cell{day, category}]
			if s == nil {
				s = &Stat{Day: time.UnixMilli(day * dayLength).UTC(), Category: category}
				cells[cell{day, category}] = s
			}
			s.Decided++
			switch allowed {
			case given:
				s.Accepted++
			case 0:
			default:
				s.Partly++
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot count: %w", err)
	}
	stats := make([]Stat, 0, len(cells))
	for _, s := range cells {
		stats = append(stats, *s)
	}
	slices.SortFunc(stats, func(a, b Stat) int {
		if byDay := a.Day.Compare(b.Day); byDay != 0 {
			return byDay
		}
		return strings.Compare(string(a.Category), string(b.Category))
	})
	return stats, nil
}
