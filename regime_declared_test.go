package consent_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

// One decision, and then other declarations, another revision and another regime.
func TestNothingIsInventedForRandomDeclarations(t *testing.T) {
	categories := []consent.Category{consent.Statistics, consent.FirstParty, consent.ThirdParty}
	type party struct {
		c consent.Category
		p string
	}
	draw := func(rnd *rand.Rand) (cookies []consent.Cookie, has map[party]bool) {
		has = map[party]bool{}
		for _, c := range categories {
			for _, p := range []string{"A", "B", "C"} {
				if rnd.IntN(2) == 0 {
					has[party{c, p}] = true
					cookies = append(cookies, consent.Cookie{Provider: p, Name: string(c) + p, Purpose: text("x"), Category: c})
				}
			}
		}
		return cookies, has
	}
	seen := map[string]bool{}
	for seed := range uint64(1000) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		first, declared := draw(rnd)
		second, later := draw(rnd)
		if len(first) == 0 || len(second) == 0 {
			continue
		}
		taken, now := consent.Regime(rnd.IntN(4)), consent.Regime(rnd.IntN(4))
		raised := rnd.IntN(5) == 0
		regime := func(r consent.Regime) func(*http.Request) consent.Regime { return everywhere(r) }
		before := middleware(t, func(c *consent.Config) { c.Registry, c.Regime = consent.MustRegistry(first...), regime(taken) })
		after := middleware(t, func(c *consent.Config) {
			c.Registry, c.Regime = consent.MustRegistry(second...), regime(now)
			if raised {
				c.Revision = 1
			}
		})
		choice, yes := consent.RefuseAll(), map[party]bool{}
		for p := range declared {
			if rnd.IntN(2) == 0 {
				choice, yes[p] = choice.WithProviders(p.c, p.p), true
			}
		}
		cookies := decide(t, before, choice)
		presumes := func(r consent.Regime, c consent.Category) bool {
			return r == consent.OptOut || r == consent.NoRegime || r == consent.UK && c == consent.Statistics
		}
		serve(t, after, cookies, func(_ http.ResponseWriter, r *http.Request) {
			prefs := consent.FromContext(r.Context())
			for p := range later {
				joined, refusedPart := raised, false
				for q := range later {
					joined = joined || q.c == p.c && !declared[q]
				}
				for q := range declared {
					refusedPart = refusedPart || q.c == p.c && !yes[q]
				}
				allNo := len(yes) == 0
				firm := yes[p] && (!presumes(taken, p.c) || presumes(now, p.c)) && !joined
				want := firm || presumes(now, p.c) && !refusedPart && !allNo && !(declared[p] && !yes[p])
				if got := prefs.AllowsProvider(p.c, p.p); got != want {
					what := fmt.Sprintf("allowed %v, not %v", got, want)
					if !seen[what] {
						seen[what] = true
						t.Errorf("%s: %v; declared %v, yes %v under %v; now %v under %v, raised: %v", what, p, declared, yes, taken, later, now, raised)
					}
				}
			}
		})
	}
	assert.Empty(t, seen)
}
