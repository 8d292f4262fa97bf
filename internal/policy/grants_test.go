package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
)

const (
	open     = policy.Open
	no       = policy.No
	noByGPC  = policy.NoByGPC
	yes      = policy.Yes
	presumed = policy.Presumed
	reopened = policy.Reopened
	ticked   = policy.Ticked
)

// optOut is the presumption of everything but one category, which Global Privacy
// Control refuses; "" for none.
func optOut(p policy.Policy, refused string) policy.Presumption {
	return p.Presumption(func(category string) policy.Answer {
		if category == refused {
			return noByGPC
		}
		return presumed
	})
}

// The answers below are those of site, matomo, plausible and adCo, in this order.

func TestResolveOpensAgainOnlyWhatHasGrown(t *testing.T) {
	everything := []policy.Party{site, matomo, plausible, adCo}
	for name, test := range map[string]struct {
		yes, no   []policy.Party
		revision  uint64 // of the decision; today's is 7
		declared  []policy.Declaration
		want      []policy.Answer
		isDecided bool
	}{
		"nothing has changed":            {everything, nil, 7, declared(), []policy.Answer{yes, yes, yes, yes}, true},
		"each has its own answer":        {everything[:2], everything[2:], 7, declared(), []policy.Answer{yes, yes, no, no}, true},
		"a provider joins after a yes":   {[]policy.Party{site, matomo, adCo}, nil, 7, declared(), []policy.Answer{yes, open, open, yes}, false},
		"a provider joins after a no":    {nil, []policy.Party{site, plausible, adCo}, 7, declared(), []policy.Answer{no, open, reopened, no}, false},
		"a category joins":               {[]policy.Party{site, matomo, plausible}, nil, 7, declared(), []policy.Answer{yes, yes, yes, open}, false},
		"a provider leaves":              {everything, nil, 7, without(plausible), []policy.Answer{yes, yes, yes}, true},
		"a provider that refused leaves": {everything[:2], everything[2:], 7, without(plausible), []policy.Answer{yes, yes, no}, true},
		"a category leaves":              {everything, nil, 7, without(site), []policy.Answer{yes, yes, yes}, true},
		"one joins where another leaves": {[]policy.Party{site, matomo}, []policy.Party{adCo}, 7, without(matomo), []policy.Answer{yes, open, no}, false},
		"an unknown provider":            {append(everything, policy.Party{Category: "statistics", Provider: "Gone"}), nil, 7, declared(), []policy.Answer{yes, yes, yes, yes}, true},
		"yes and no at once":             {everything, []policy.Party{matomo}, 7, declared(), []policy.Answer{yes, no, yes, yes}, true},
		"nothing was answered":           {nil, nil, 7, declared(), []policy.Answer{open, open, open, open}, false},
		"a lower revision":               {everything, nil, 6, declared(), []policy.Answer{open, open, open, open}, false},
		"a lower revision, refused":      {nil, everything, 0, declared(), []policy.Answer{reopened, reopened, reopened, reopened}, false},
		"a higher revision":              {everything, nil, 8, declared(), []policy.Answer{yes, yes, yes, yes}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := answer(test.yes, test.no)
			d.Revision, d.Objection, d.Reference = test.revision, true, [16]byte{1}
			p := policy.New(test.declared)
			g := p.Resolve(d, 7, nil)
			assert.Equal(t, test.want, g.Answers())
			assert.Equal(t, test.isDecided, g.Decided())
			assert.Equal(t, decided, g.DecidedAt)
			assert.Equal(t, [16]byte{1}, g.Reference)
			assert.True(t, g.Objection, "an objection stands through all of it")
			assert.Equal(t, policy.Objected, g.Judge(p.Match("visits")))
		})
	}
}

func TestResolveObjectsToNothingByItself(t *testing.T) {
	p := policy.New(declared())
	g := p.Resolve(answer(nil, []policy.Party{site, matomo, plausible, adCo}), 0, nil)
	assert.False(t, g.Objection)
	assert.Equal(t, policy.NotObjected, g.Judge(p.Match("visits")))
}

func TestWhoHasNotAnsweredIsOpen(t *testing.T) {
	p := policy.New(declared())
	g := p.Undecided()
	assert.Equal(t, []policy.Answer{open, open, open, open}, g.Answers())
	assert.True(t, g.DecidedAt.IsZero())
	assert.False(t, g.Objection)
	assert.Zero(t, g.Reference)
	assert.False(t, g.Decided())
}

func TestPresumeLeavesWhatIsSaid(t *testing.T) {
	p := policy.New(declared())
	some := answer([]policy.Party{adCo}, []policy.Party{site})
	some.Objection, some.Reference = true, [16]byte{1}
	for name, test := range map[string]struct {
		grants  *policy.Grants
		refused string
		want    []policy.Answer
	}{
		"nothing was said":           {p.Undecided(), "", []policy.Answer{presumed, presumed, presumed, presumed}},
		"GPC refuses one":            {p.Undecided(), "third-party", []policy.Answer{presumed, presumed, presumed, noByGPC}},
		"GPC refuses two":            {p.Undecided(), "statistics", []policy.Answer{presumed, noByGPC, noByGPC, presumed}},
		"GPC refuses what is not":    {p.Undecided(), "other", []policy.Answer{presumed, presumed, presumed, presumed}},
		"some was said":              {p.Resolve(some, 0, nil), "", []policy.Answer{no, presumed, presumed, yes}},
		"some was said against GPC":  {p.Resolve(some, 0, nil), "third-party", []policy.Answer{no, presumed, presumed, yes}},
		"GPC has refused it already": {p.Presume(p.Undecided(), optOut(p, "third-party")), "", []policy.Answer{presumed, presumed, presumed, noByGPC}},
	} {
		t.Run(name, func(t *testing.T) {
			before := append([]policy.Answer{}, test.grants.Answers()...)
			g := p.Presume(test.grants, optOut(p, test.refused))
			assert.Equal(t, test.want, g.Answers())
			assert.Equal(t, before, test.grants.Answers(), "others hold the grants from before")
			assert.Equal(t, test.grants.Objection, g.Objection)
			assert.Equal(t, test.grants.Reference, g.Reference)
			assert.Equal(t, test.grants.DecidedAt, g.DecidedAt)
			assert.False(t, g.Decided(), "what is presumed is no answer")
		})
	}
}

// A refusal counts under every law, and for what is new beside it.
func TestARefusalIsNeverLoosenedByAPresumption(t *testing.T) {
	p := policy.New(declared())
	for name, test := range map[string]struct {
		yes, no  []policy.Party
		revision uint64 // of the decision; today's is 7
		want     []policy.Answer
	}{
		"a provider joins who was refused":      {[]policy.Party{site, adCo}, []policy.Party{matomo}, 7, []policy.Answer{yes, reopened, open, yes}},
		"a provider joins one that is accepted": {[]policy.Party{site, matomo, adCo}, nil, 7, []policy.Answer{yes, presumed, presumed, yes}},
		"a category joins":                      {[]policy.Party{site}, []policy.Party{matomo, plausible}, 7, []policy.Answer{yes, no, no, presumed}},
		"a category joins a refusal of all":     {nil, []policy.Party{site, matomo, plausible}, 7, []policy.Answer{no, no, no, open}},
		"a lower revision, one refused":         {[]policy.Party{site, matomo, adCo}, []policy.Party{plausible}, 6, []policy.Answer{presumed, open, reopened, presumed}},
		"a lower revision, all refused":         {nil, []policy.Party{site, matomo, plausible, adCo}, 6, []policy.Answer{reopened, reopened, reopened, reopened}},
	} {
		d := answer(test.yes, test.no)
		d.Revision = test.revision
		g := p.Presume(p.Resolve(d, 7, optOut(p, "")), optOut(p, ""))
		assert.Equal(t, test.want, g.Answers(), name)
	}
	gpc := p.Presume(p.Resolve(answer(nil, []policy.Party{site}), 0, nil), optOut(p, "third-party"))
	assert.Equal(t, []policy.Answer{no, open, open, noByGPC}, gpc.Answers(), "what GPC refuses is refused all the same")
	d := answer(nil, []policy.Party{adCo})
	d.Revision = 6
	assert.Equal(t, policy.Refused, p.Resolve(d, 7, nil).Judge(p.Match("ad")), "asked again, and refused until then")
}

// A box that a law had ticked is no consent under another one.
func TestATickedYesCountsUnderALawThatPresumesIt(t *testing.T) {
	p := policy.New(declared())
	statistics := p.Presumption(func(category string) policy.Answer {
		if category == "statistics" {
			return presumed
		}
		return open
	})
	mark := func(p policy.Party) decision.Mark { return decision.MarkOf(p.Category, p.Provider) }
	d := &decision.Decision{Time: decided, Answers: decision.MakeAnswers(map[decision.Mark]decision.Answer{
		mark(site): decision.Ticked, mark(matomo): decision.Ticked, mark(plausible): decision.No, mark(adCo): decision.Yes,
	})}
	for name, test := range map[string]struct {
		law  policy.Presumption
		want []policy.Answer
	}{
		"the strictest": {nil, []policy.Answer{open, open, no, yes}},
		"one between":   {statistics, []policy.Answer{open, ticked, no, yes}},
		"the weakest":   {optOut(p, ""), []policy.Answer{ticked, ticked, no, yes}},
	} {
		assert.Equal(t, test.want, p.Resolve(d, 0, test.law).Answers(), name)
	}
}

// A category of which a part was refused stays so if that part is gone.
func TestNothingIsPresumedOfWhoComesIntoACategoryThatWasRefused(t *testing.T) {
	p := policy.New(declared())
	gone := policy.Party{Category: "third-party"}
	d := answer([]policy.Party{site}, []policy.Party{gone})
	g := p.Presume(p.Resolve(d, 0, optOut(p, "")), optOut(p, ""))
	assert.Equal(t, []policy.Answer{yes, presumed, presumed, open}, g.Answers())
	assert.False(t, g.Decided())
}

func TestOnlyAnAnswerForAllIsDecided(t *testing.T) {
	p := policy.New([]policy.Declaration{{Party: adCo, Name: "ad", Need: policy.Consent}})
	for name, test := range map[string]struct {
		grants *policy.Grants
		want   bool
	}{
		"open":                  {p.Undecided(), false},
		"presumed":              {p.Presume(p.Undecided(), optOut(p, "")), false},
		"yes":                   {p.Resolve(answer([]policy.Party{adCo}, nil), 0, nil), true},
		"no":                    {p.Resolve(answer(nil, []policy.Party{adCo}), 0, nil), true},
		"GPC in place of a no":  {p.Presume(p.Undecided(), optOut(p, "third-party")), true},
		"yes, and presume more": {p.Presume(p.Resolve(answer([]policy.Party{adCo}, nil), 0, nil), optOut(p, "third-party")), true},
	} {
		assert.Equal(t, test.want, test.grants.Decided(), name)
	}
}

func TestAnAnswerAllowsByConsentOrPresumption(t *testing.T) {
	for answer, want := range map[policy.Answer]bool{open: false, no: false, noByGPC: false, yes: true, presumed: true, reopened: false, ticked: true} {
		assert.Equal(t, want, answer.Allows(), answer)
	}
}

// Allows asks whether anything speaks against it, Consented whether somebody has
// said yes: they part where nothing needs consent, and at an objection.
func TestAllowsAndConsentedPartWhereNothingNeedsConsent(t *testing.T) {
	p := policy.New(declared())
	of := func(yes, no []policy.Party, objection bool) *policy.Grants {
		d := answer(yes, no)
		d.Objection = objection
		return p.Resolve(d, 0, nil)
	}
	category := func(name string) policy.Scope { s, _ := p.Category(name); return s }
	provider := func(party policy.Party) policy.Scope { s, _ := p.Provider(party); return s }
	both, everything := []policy.Party{matomo, plausible}, []policy.Party{site, matomo, plausible, adCo}
	for name, test := range map[string]struct {
		grants            *policy.Grants
		scope             policy.Scope
		allows, consented bool
	}{
		"what is necessary":                       {p.Undecided(), category("necessary"), true, false},
		"a provider of what is necessary":         {p.Undecided(), provider(host), true, false},
		"an anonymous statistic":                  {p.Undecided(), provider(visits), true, false},
		"an anonymous statistic, objected to":     {of(nil, nil, true), provider(visits), false, false},
		"statistics, undecided":                   {p.Undecided(), category("statistics"), false, false},
		"statistics, one of two":                  {of(both[:1], both[1:], false), category("statistics"), false, false},
		"statistics, the other of two":            {of(both[1:], both[:1], false), category("statistics"), false, false},
		"statistics, both":                        {of(both, nil, false), category("statistics"), true, true},
		"statistics, both, with an objection":     {of(both, nil, true), category("statistics"), false, true},
		"statistics, presumed":                    {p.Presume(p.Undecided(), optOut(p, "")), category("statistics"), true, true},
		"statistics, presumed, with an objection": {p.Presume(of(nil, nil, true), optOut(p, "")), category("statistics"), false, true},
		"statistics, refused by GPC":              {p.Presume(p.Undecided(), optOut(p, "statistics")), category("statistics"), false, false},
		"one provider":                            {of(both[:1], both[1:], true), provider(matomo), true, true},
		"the other provider":                      {of(both[:1], both[1:], true), provider(plausible), false, false},
		"third parties, with an objection":        {of(everything, nil, true), category("third-party"), true, true},
		"third parties, refused":                  {of(both, []policy.Party{adCo}, false), category("third-party"), false, false},
	} {
		assert.Equal(t, test.allows, test.grants.Allows(test.scope), name)
		assert.Equal(t, test.consented, test.grants.Consented(test.scope), name)
	}
}

func TestAnAnonymousStatisticOfOneProviderIsNoOtherProviders(t *testing.T) {
	anonymous := policy.Declaration{Party: matomo, Name: "count", Need: policy.NoObjection}
	d := answer([]policy.Party{matomo, plausible}, nil)
	d.Objection = true
	for order, declarations := range map[string][]policy.Declaration{
		"first": append([]policy.Declaration{anonymous}, declared()...), "last": append(declared(), anonymous),
	} {
		p := policy.New(declarations)
		g := p.Resolve(d, 0, nil)
		for party, want := range map[policy.Party]bool{matomo: false, plausible: true} {
			scope, _ := p.Provider(party)
			assert.Equal(t, want, g.Allows(scope), "%v, %s", party, order)
			assert.True(t, g.Consented(scope), party)
		}
	}
}

func TestJudgeGoesByTheStrictestDeclaration(t *testing.T) {
	const nothing, objection, consent = policy.Nothing, policy.NoObjection, policy.Consent
	type given struct {
		need   policy.Need
		answer policy.Answer
	}
	exempt, anonymous := given{need: nothing}, given{need: objection}
	accepted, refused, unanswered := given{consent, yes}, given{consent, no}, given{consent, open}
	for name, test := range map[string]struct {
		declarations []given
		objects      bool
		want         policy.Verdict
	}{
		"necessary":                           {[]given{exempt}, false, policy.Exempt},
		"necessary, with an objection":        {[]given{exempt}, true, policy.Exempt},
		"anonymous":                           {[]given{anonymous}, false, policy.NotObjected},
		"necessary and anonymous":             {[]given{exempt, anonymous}, false, policy.NotObjected},
		"anonymous and necessary":             {[]given{anonymous, exempt}, false, policy.NotObjected},
		"anonymous, with an objection":        {[]given{anonymous}, true, policy.Objected},
		"accepted":                            {[]given{accepted}, false, policy.Consented},
		"accepted, with an objection":         {[]given{accepted}, true, policy.Consented},
		"refused":                             {[]given{refused}, false, policy.Refused},
		"undecided":                           {[]given{unanswered}, false, policy.Undecided},
		"necessary and accepted":              {[]given{exempt, accepted}, false, policy.Consented},
		"accepted and necessary":              {[]given{accepted, exempt}, false, policy.Consented},
		"necessary and refused":               {[]given{exempt, refused}, false, policy.Refused},
		"refused and necessary":               {[]given{refused, exempt}, false, policy.Refused},
		"accepted and refused":                {[]given{accepted, refused}, false, policy.Refused},
		"refused and accepted":                {[]given{refused, accepted}, false, policy.Refused},
		"accepted and undecided":              {[]given{accepted, unanswered}, false, policy.Undecided},
		"undecided and accepted":              {[]given{unanswered, accepted}, false, policy.Undecided},
		"accepted and anonymous":              {[]given{accepted, anonymous}, false, policy.Consented},
		"accepted and anonymous, objected to": {[]given{accepted, anonymous}, true, policy.Objected},
		"anonymous and accepted, objected to": {[]given{anonymous, accepted}, true, policy.Objected},
		"the first that speaks against it":    {[]given{refused, unanswered, anonymous}, true, policy.Refused},
		"a refusal after what is open":        {[]given{unanswered, refused, anonymous}, true, policy.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			var declarations []policy.Declaration
			var yesses, noes []policy.Party
			for i, g := range test.declarations {
				party := policy.Party{Category: string(rune('a' + i)), Provider: "P"}
				declarations = append(declarations, policy.Declaration{Number: i, Party: party, Name: "n", Need: g.need})
				switch g.answer {
				case yes:
					yesses = append(yesses, party)
				case no:
					noes = append(noes, party)
				}
			}
			p := policy.New(declarations)
			d := answer(yesses, noes)
			d.Objection = test.objects
			assert.Equal(t, test.want, p.Resolve(d, 0, nil).Judge(p.Match("n")))
		})
	}
}

func TestJudgeByPresumption(t *testing.T) {
	p := policy.New(declared())
	g := p.Presume(p.Undecided(), optOut(p, "third-party"))
	assert.Equal(t, policy.Consented, g.Judge(p.Match("_pk_id.1")))
	assert.Equal(t, policy.Refused, g.Judge(p.Match("ad")), "a refusal, whoever sent it")
	assert.Equal(t, policy.Undeclared, g.Judge(nil))
}

func TestAVerdictSaysWhatFollowsFromIt(t *testing.T) {
	for verdict, want := range map[policy.Verdict]struct {
		passes, denied, byVisitor bool
		reason                    string
	}{
		policy.Exempt:     {true, false, false, ""},
		policy.Consented:  {true, false, false, ""},
		policy.Undeclared: {false, false, false, "undeclared"},
		policy.Undecided:  {false, true, false, "undecided"},
		policy.Refused:    {false, true, true, "refused"},
		policy.Objected:   {false, true, true, "objected"},
	} {
		assert.Equal(t, want.byVisitor, verdict.ByVisitor(), want.reason)
		assert.Equal(t, want.passes, verdict.Passes(), want.reason)
		assert.Equal(t, want.denied, verdict.Denied(), want.reason)
		assert.Equal(t, want.reason, verdict.Reason())
	}
}

func TestAnOriginIsAllowedWithAllThatMayAnswerThere(t *testing.T) {
	from := func(party policy.Party, need policy.Need, name string, origins ...string) policy.Declaration {
		return policy.Declaration{Party: party, Name: name, Need: need, Origins: origins}
	}
	const consent = policy.Consent
	for name, test := range map[string]struct {
		declared  []policy.Declaration
		objection bool
		want      []string
	}{
		"one that is accepted":   {[]policy.Declaration{from(matomo, consent, "a", "https://a.example")}, false, []string{"https://a.example"}},
		"one that is refused":    {[]policy.Declaration{from(adCo, consent, "a", "https://a.example")}, false, nil},
		"one that is not asked":  {[]policy.Declaration{from(plausible, consent, "a", "https://a.example")}, false, nil},
		"one that needs nothing": {[]policy.Declaration{from(host, policy.Nothing, "a", "https://a.example")}, true, []string{"https://a.example"}},
		"an anonymous one":       {[]policy.Declaration{from(visits, policy.NoObjection, "a", "https://a.example")}, false, []string{"https://a.example"}},
		"one objected to":        {[]policy.Declaration{from(visits, policy.NoObjection, "a", "https://a.example")}, true, nil},
		"each once and sorted": {[]policy.Declaration{
			from(matomo, consent, "a", "https://c.example", "https://a.example"), from(site, consent, "b", "https://b.example", "https://a.example"),
		}, false, []string{"https://a.example", "https://b.example", "https://c.example"}},
		"only the ones that pass": {[]policy.Declaration{
			from(matomo, consent, "a", "https://b.example", "https://a.example"), from(adCo, consent, "b", "https://b.example", "https://c.example"),
		}, false, []string{"https://a.example"}},
		"two names of one that is accepted": {[]policy.Declaration{
			from(matomo, consent, "a", "https://a.example"), from(matomo, consent, "b", "https://a.example"),
		}, false, []string{"https://a.example"}},
		"a wildcard over one that is refused": {[]policy.Declaration{
			from(matomo, consent, "a", "https://*.a.example"), from(adCo, consent, "b", "https://b.a.example"),
		}, false, nil},
		"another scheme than one that is refused": {[]policy.Declaration{
			from(matomo, consent, "a", "http://a.example"), from(adCo, consent, "b", "wss://a.example"),
		}, false, nil},
		"the default port of one that is refused": {[]policy.Declaration{
			from(matomo, consent, "a", "https://a.example:443"), from(adCo, consent, "b", "https://a.example"),
		}, false, nil},
		"another port than one that is refused": {[]policy.Declaration{
			from(matomo, consent, "a", "https://a.example:8443"), from(adCo, consent, "b", "https://a.example"),
		}, false, []string{"https://a.example:8443"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy.New(test.declared)
			d := answer([]policy.Party{matomo, site}, []policy.Party{adCo})
			d.Objection = test.objection
			assert.Equal(t, test.want, p.Origins(p.Resolve(d, 0, nil)))
		})
	}
}

func TestOriginsGoByThePresumption(t *testing.T) {
	p := policy.New([]policy.Declaration{
		{Party: matomo, Name: "a", Need: policy.Consent, Origins: []string{"https://a.example"}},
		{Party: adCo, Name: "b", Need: policy.Consent, Origins: []string{"https://b.example"}},
	})
	require.Nil(t, p.Origins(p.Undecided()))
	assert.Equal(t, []string{"https://a.example"}, p.Origins(p.Presume(p.Undecided(), optOut(p, "third-party"))))
}
