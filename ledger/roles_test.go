package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

// work is what each role of the README's list does.
var work = map[string]func(url string) error{
	"site": func(url string) error {
		ctx := context.Background()
		l, err := ledger.Open(ctx, url, config)
		if err != nil {
			return err
		}
		a := visitor()
		first, second, refusal := yes(a), yes(a), no(a)
		second.Time = first.Time.Add(time.Second)
		second.Previous, refusal.Previous = first.Time, second.Time
		errs := []error{l.Record(ctx, first), l.Record(ctx, second)}
		l.RecordLater(refusal)
		users, err := l.Users(secret)
		errs = append(errs, err, users.Link(ctx, a, first.Time, "42"), users.Link(ctx, a, second.Time, "42"))
		_, err = users.Latest(ctx, "42")
		errs = append(errs, err)
		_, err = l.History(ctx, a)
		errs = append(errs, err, l.Ready(ctx))
		patience, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		return errors.Join(append(errs, l.Close(patience))...)
	},
	"reader": func(url string) error {
		ctx := context.Background()
		l, err := ledger.OpenReadOnly(ctx, url, config)
		if err != nil {
			return err
		}
		_, verified := l.Verify(ctx, nil)
		_, seen := l.History(ctx, alice)
		_, counted := l.Stats(ctx, ledger.Period{}, ledger.Grouping{}, nil)
		return errors.Join(verified, seen, counted,
			l.Export(ctx, new(bytes.Buffer), ledger.CSV, ledger.Period{}, nil), l.Export(ctx, new(bytes.Buffer), ledger.JSONLines, ledger.Period{}, nil),
			l.ExportReceipts(ctx, new(bytes.Buffer), town, ledger.Period{}, nil), l.Close(ctx))
	},
	"tending": func(url string) error {
		ctx := context.Background()
		l, err := ledger.OpenExisting(ctx, url, config)
		if err != nil {
			return err
		}
		_, purged := l.Purge(ctx, time.Now().Add(-time.Hour), nil)
		_, forgotten := l.Forget(ctx, bob)
		return errors.Join(purged, forgotten, l.Close(ctx))
	},
}

// A grant is one right of one role.
type grant struct{ right, object string }

func (g grant) String() string { return g.right + " ON " + g.object }

// grants reads the README's list of what each role needs.
func grants(t *testing.T) map[string][]grant {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	found := make(map[string][]grant)
	for _, statement := range regexp.MustCompile(`(?m)^GRANT (.*) ON (.*) TO (\w+);`).FindAllStringSubmatch(string(readme), -1) {
		rights, columns, _ := strings.Cut(strings.TrimSuffix(statement[1], ")"), " (")
		for _, right := range strings.Split(rights, ", ") {
			for _, column := range strings.Split(columns, ", ") {
				for _, object := range strings.Split(statement[2], ", ") {
					one := right
					if column != "" {
						one += " (" + column + ")"
					}
					found[statement[3]] = append(found[statement[3]], grant{one, object})
				}
			}
		}
	}
	return found
}

func TestEachRoleNeedsExactlyWhatTheREADMEGrants(t *testing.T) {
	listed := grants(t)
	for role, does := range work {
		t.Run(role, func(t *testing.T) {
			owner := postgres(t)
			schema := owner[strings.LastIndex(owner, "=")+1:]
			who := role + schema
			l := begin(t, owner)
			before := func() {
				old := yes(visitor())
				old.Time = old.Time.Add(-48 * time.Hour)
				keep(t, l, yes(alice))
				keep(t, l, yes(bob))
				keep(t, l, old)
			}
			before()
			execute(t, owner, "CREATE ROLE "+who+" LOGIN")
			as := strings.Replace(owner, "postgres@", who+"@", 1)
			give := func(all []grant) {
				for _, taken := range []string{"ALL ON ALL TABLES IN SCHEMA", "ALL ON SCHEMA"} {
					execute(t, owner, fmt.Sprintf("REVOKE %s %s FROM %s", taken, schema, who))
				}
				execute(t, owner, "ALTER ROLE "+who+" RESET ALL")
				for _, g := range all {
					execute(t, owner, fmt.Sprintf("GRANT %s ON %s TO %s", g.right, strings.Replace(g.object, "SCHEMA public", "SCHEMA "+schema, 1), who))
				}
			}
			all := listed[role]
			require.NotEmpty(t, all)
			give(all)
			require.NoError(t, does(as))
			for i, less := range all {
				before()
				give(append(append([]grant(nil), all[:i]...), all[i+1:]...))
				assert.Error(t, does(as), "without %v", less)
			}
			give(all)
			before()
			assert.NoError(t, does(as))
			verified(t, l)
		})
	}
}
