package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
)

var (
	site      = policy.Party{Category: "first-party", Provider: "Site"}
	host      = policy.Party{Category: "necessary", Provider: "Site"}
	visits    = policy.Party{Category: "statistics", Provider: "Site"}
	matomo    = policy.Party{Category: "statistics", Provider: "Matomo"}
	plausible = policy.Party{Category: "statistics", Provider: "Plausible"}
	adCo      = policy.Party{Category: "third-party", Provider: "AdCo"}
)

// declared is a site, in no order.
func declared() []policy.Declaration {
	return []policy.Declaration{
		{Number: 0, Party: host, Name: "sessionid", Need: policy.Nothing},
		{Number: 1, Party: plausible, Name: "plausible", Need: policy.Consent},
		{Number: 2, Party: visits, Name: "visits", Need: policy.NoObjection},
		{Number: 3, Party: adCo, Name: "ad", Need: policy.Consent},
		{Number: 4, Party: matomo, Name: "_pk_id*", Need: policy.Consent},
		{Number: 5, Party: matomo, Name: "_pk_ses*", Need: policy.Consent},
		{Number: 6, Party: site, Name: "profile", Need: policy.Consent},
	}
}

// without returns the site without what these parties declare.
func without(parties ...policy.Party) []policy.Declaration {
	var kept []policy.Declaration
	for _, d := range declared() {
		gone := false
		for _, p := range parties {
			gone = gone || d.Party == p
		}
		if !gone {
			kept = append(kept, d)
		}
	}
	return kept
}

// decided is the time of every decision here.
var decided = time.UnixMilli(1_800_000_000_000)

// answer makes a decision of these parties' answers.
func answer(yes, no []policy.Party) *decision.Decision {
	given := make(map[decision.Mark]decision.Answer)
	for _, p := range yes {
		given[decision.MarkOf(p.Category, p.Provider)] = decision.Yes
	}
	for _, p := range no {
		given[decision.MarkOf(p.Category, p.Provider)] = decision.No
	}
	return &decision.Decision{Time: decided, Answers: decision.MakeAnswers(given)}
}

func TestPartiesAreSortedAndEachOnce(t *testing.T) {
	declarations := append(declared(), declared()...)
	p := policy.New(declarations)
	assert.Equal(t, []policy.Party{site, matomo, plausible, adCo}, p.Parties(), "by category, then by provider; only what needs consent")
	assert.Len(t, p.Undecided().Answers(), 4)
}

func TestAPolicyDoesNotChangeWhatItIsGiven(t *testing.T) {
	declarations := declared()
	policy.New(declarations)
	assert.Equal(t, declared(), declarations)
}

func TestMatchPrefersTheMostSpecificName(t *testing.T) {
	p := policy.New([]policy.Declaration{
		{Number: 0, Name: "*"}, {Number: 1, Name: "_ga*"}, {Number: 2, Name: "_ga_*"}, {Number: 3, Name: "_ga"}, {Number: 4, Name: "*_id"},
	})
	for name, want := range map[string]int{"_ga": 3, "_gat": 1, "_ga_X": 2, "a_id": 4, "_ga_id": 2, "": 0, "other": 0, "_GA": 0} {
		rule := p.Match(name)
		if assert.NotNil(t, rule, name) {
			assert.Equal(t, want, rule.Declarations[0].Number, name)
		}
	}
	p = policy.New(declared())
	for _, name := range []string{"", "sessioni", "sessionid2", "SESSIONID", "_pk_"} {
		assert.Nil(t, p.Match(name), name)
	}
}

func TestARuleHoldsAllThatDeclareTheName(t *testing.T) {
	a := policy.Declaration{Number: 0, Party: host, Name: "shared", Places: []policy.Place{{Domain: "a.example", Path: "/a"}}, Lifetime: time.Hour}
	b := policy.Declaration{Number: 1, Party: adCo, Name: "shared", Need: policy.Consent}
	p := policy.New([]policy.Declaration{a, {Number: 2, Name: "other"}, b})
	assert.Equal(t, []policy.Declaration{a, b}, p.Match("shared").Declarations, "in the order in which they were given")
}

func TestBelowHoldsNamesWithAPathOfTheirOwn(t *testing.T) {
	at := func(name string, paths ...string) policy.Declaration {
		d := policy.Declaration{Name: name, Party: policy.Party{Provider: paths[0]}}
		for _, path := range paths {
			d.Places = append(d.Places, policy.Place{Path: path})
		}
		return d
	}
	p := policy.New([]policy.Declaration{at("z", "/shop"), at("root", "/"), at("a", "/", "/me"), at("pattern*", "/shop"), at("z", "/shop/2")})
	assert.Equal(t, []string{"a", "z"}, p.Below())
}

func TestOnlyWhatIsNecessaryNeedsNothing(t *testing.T) {
	const nothing, objection, consent = policy.Nothing, policy.NoObjection, policy.Consent
	for _, test := range []struct {
		needs []policy.Need
		want  bool
	}{
		{[]policy.Need{nothing}, true},
		{[]policy.Need{nothing, nothing}, true},
		{[]policy.Need{objection}, false},
		{[]policy.Need{consent}, false},
		{[]policy.Need{nothing, objection}, false},
		{[]policy.Need{consent, nothing}, false},
	} {
		var declarations []policy.Declaration
		for i, need := range test.needs {
			declarations = append(declarations, policy.Declaration{Party: policy.Party{Category: "c", Provider: fmt.Sprint(i)}, Name: "n", Need: need})
		}
		p := policy.New(declarations)
		assert.Equal(t, test.want, p.Match("n").NeedsNothing(), test.needs)
	}
}

func TestACategoryIsDeclaredIfAnythingIsDeclaredInIt(t *testing.T) {
	p := policy.New(declared())
	all := p.Resolve(answer([]policy.Party{site, matomo}, []policy.Party{plausible, adCo}), 0, nil)
	for name, want := range map[string][]policy.Answer{
		"first-party": {policy.Yes},
		"statistics":  {policy.Yes, policy.No},
		"third-party": {policy.No},
		"necessary":   {},
	} {
		scope, declared := p.Category(name)
		assert.True(t, declared, name)
		assert.Equal(t, want, all.Of(scope), name)
	}
	for _, name := range []string{"", "other", "Statistics"} {
		_, declared := p.Category(name)
		assert.False(t, declared, name)
	}
}

func TestAProviderIsDeclaredWithinItsCategory(t *testing.T) {
	p := policy.New(declared())
	all := p.Resolve(answer([]policy.Party{site, matomo}, []policy.Party{plausible, adCo}), 0, nil)
	for party, want := range map[policy.Party][]policy.Answer{
		site: {policy.Yes}, matomo: {policy.Yes}, plausible: {policy.No}, adCo: {policy.No}, host: {}, visits: {},
	} {
		scope, declared := p.Provider(party)
		assert.True(t, declared, party)
		assert.Equal(t, want, all.Of(scope), party)
	}
	for _, party := range []policy.Party{{}, {Category: "third-party", Provider: "Matomo"}, {Category: "statistics", Provider: "matomo"}} {
		_, declared := p.Provider(party)
		assert.False(t, declared, party)
	}
}

func TestAMarkIsOfWhatNeedsConsent(t *testing.T) {
	p := policy.New(declared())
	for _, party := range p.Parties() {
		mark, needsConsent := p.Mark(party)
		assert.True(t, needsConsent, party)
		assert.Equal(t, decision.MarkOf(party.Category, party.Provider), mark, party)
	}
	for _, party := range []policy.Party{host, visits, {}, {Category: "third-party", Provider: "Matomo"}} {
		mark, needsConsent := p.Mark(party)
		assert.False(t, needsConsent, party)
		assert.Zero(t, mark, party)
	}
}

func TestTheZeroPolicyDeclaresNothing(t *testing.T) {
	var zero policy.Policy
	for name, p := range map[string]policy.Policy{"zero": zero, "of nothing": policy.New(nil)} {
		t.Run(name, func(t *testing.T) {
			assert.Nil(t, p.Match("sessionid"))
			assert.Empty(t, p.Parties())
			_, declared := p.Category("statistics")
			assert.False(t, declared)
			_, declared = p.Provider(matomo)
			assert.False(t, declared)
			_, needsConsent := p.Mark(matomo)
			assert.False(t, needsConsent)
			for _, g := range []*policy.Grants{
				p.Undecided(), p.Resolve(answer([]policy.Party{matomo}, nil), 0, nil), p.Presume(p.Undecided(), optOut(p, "third-party")),
			} {
				assert.True(t, g.Decided(), "nobody is asked where nothing needs consent")
				assert.Equal(t, policy.Undeclared, g.Judge(p.Match("sessionid")))
				assert.Nil(t, p.Origins(g))
			}
		})
	}
}

func TestTenThousandDeclarationsAreJudgedEachByItsOwnAnswer(t *testing.T) {
	const categories, providers, each = 10, 100, 10
	var declarations []policy.Declaration
	var yes, no []policy.Party
	for i := range categories * providers * each {
		party := policy.Party{Category: fmt.Sprintf("c%d", i%categories), Provider: fmt.Sprintf("p%d", i/categories%providers)}
		declarations = append(declarations, policy.Declaration{Number: i, Party: party, Name: fmt.Sprintf("name%d_*", i), Need: policy.Consent})
		if i/categories%2 == 0 {
			yes = append(yes, party)
		} else {
			no = append(no, party)
		}
	}
	p := policy.New(declarations)
	require.Len(t, p.Parties(), categories*providers)
	g := p.Resolve(answer(yes, no), 0, nil)
	assert.True(t, g.Decided())
	for i := range declarations {
		rule := p.Match(fmt.Sprintf("name%d_a", i))
		require.NotNil(t, rule, i)
		require.Equal(t, i, rule.Declarations[0].Number)
		want := policy.Consented
		if i/categories%2 == 1 {
			want = policy.Refused
		}
		require.Equal(t, want, g.Judge(rule), i)
	}
}
