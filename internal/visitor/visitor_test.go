package visitor_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/preference"
	"github.com/cookiecharter/consent/internal/visitor"
)

const (
	name     = "prefs"
	revision = 7
	weak     = 2 // the regime that presumes everything
)

var (
	matomo = policy.Party{Category: "statistics", Provider: "Matomo"}
	adCo   = policy.Party{Category: "third-party", Provider: "AdCo"}

	optIn  = visitor.Law{}
	optOut = visitor.Law{Regime: weak}
	gpc    = visitor.Law{Regime: weak, GPC: true}
)

var cookie = preference.New(http.Cookie{Name: name, MaxAge: 3600}, "", [][]byte{bytes.Repeat([]byte("k"), 32)})

func newSite() *visitor.Site {
	p := policy.New([]policy.Declaration{
		{Party: policy.Party{Category: "necessary", Provider: "Site"}, Name: "sessionid"},
		{Party: policy.Party{Category: "statistics", Provider: "Site"}, Name: "visits", Need: policy.NoObjection},
		{Party: matomo, Name: "_pk_id*", Need: policy.Consent},
		{Party: adCo, Name: "ad", Need: policy.Consent},
	})
	return visitor.NewSite(&p, cookie, revision, presumption)
}

func presumption(law visitor.Law, category string) policy.Answer {
	switch {
	case law.Regime != weak:
		return policy.Open
	case law.GPC && category == "third-party":
		return policy.NoByGPC
	default:
		return policy.Presumed
	}
}

// to returns the decision that accepts these parties and refuses the other ones.
func to(accepted ...policy.Party) *decision.Decision {
	given := map[decision.Mark]decision.Answer{}
	for _, p := range []policy.Party{matomo, adCo} {
		given[decision.MarkOf(p.Category, p.Provider)] = decision.No
	}
	for _, p := range accepted {
		given[decision.MarkOf(p.Category, p.Provider)] = decision.Yes
	}
	return &decision.Decision{Revision: revision, Time: time.Now().Truncate(time.Millisecond), Answers: decision.MakeAnswers(given)}
}

// sends returns the Cookie header that carries a decision.
func sends(t testing.TB, d *decision.Decision) string {
	t.Helper()
	line, err := cookie.Line(d)
	require.NoError(t, err)
	pair, _, _ := strings.Cut(line, ";")
	return pair
}

func visit(site *visitor.Site, cookies string, law visitor.Law, outside *visitor.Visitor) *visitor.Visitor {
	v := new(visitor.Visitor)
	v.Init(site, cookies, law, outside)
	return v
}

func decide(t testing.TB, v *visitor.Visitor, d *decision.Decision) {
	t.Helper()
	sent, err := v.Decide(d)
	require.NoError(t, err)
	require.False(t, sent)
}

func TestGrantsAreThoseOfTheCookieUnderTheLaw(t *testing.T) {
	const open, no, noByGPC, yes, presumed = policy.Open, policy.No, policy.NoByGPC, policy.Yes, policy.Presumed
	outdated, objecting := to(matomo, adCo), to(matomo)
	outdated.Revision--
	objecting.Objection = true
	for what, test := range map[string]struct {
		cookies string
		law     visitor.Law
		want    []policy.Answer // of matomo and of adCo
		objects bool
	}{
		"nothing":                            {"", optIn, []policy.Answer{open, open}, false},
		"nothing, opt-out":                   {"", optOut, []policy.Answer{presumed, presumed}, false},
		"nothing, opt-out with GPC":          {"", gpc, []policy.Answer{presumed, noByGPC}, false},
		"nothing, opt-in with GPC":           {"", visitor.Law{GPC: true}, []policy.Answer{open, open}, false},
		"forged":                             {name + "=" + strings.Repeat("A", 100), optIn, []policy.Answer{open, open}, false},
		"a decision":                         {sends(t, to(adCo)), optIn, []policy.Answer{no, yes}, false},
		"a decision among others":            {"a=b; " + sends(t, to(adCo)), optIn, []policy.Answer{no, yes}, false},
		"a decision, opt-out with GPC":       {sends(t, to(adCo)), gpc, []policy.Answer{no, yes}, false},
		"an objection":                       {sends(t, objecting), optIn, []policy.Answer{yes, no}, true},
		"an outdated decision":               {sends(t, outdated), optIn, []policy.Answer{open, open}, false},
		"an outdated decision, opt-out":      {sends(t, outdated), optOut, []policy.Answer{presumed, presumed}, false},
		"an outdated one, opt-out, with GPC": {sends(t, outdated), gpc, []policy.Answer{presumed, noByGPC}, false},
	} {
		v := visit(newSite(), test.cookies, test.law, nil)
		assert.Equal(t, test.want, v.Grants().Answers(), what)
		assert.Equal(t, test.objects, v.Grants().Objection, what)
		assert.Equal(t, test.cookies, v.Cookies(), what)
		assert.Equal(t, test.law, v.Law(), what)
	}
}

func TestGrantsAreReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := visit(newSite(), sends(t, to(adCo)), optIn, nil)
		first := v.Grants()
		assert.True(t, first.Decided())
		time.Sleep(2 * time.Hour) // the decision has expired
		assert.Same(t, first, v.Grants(), "an answer holds for the whole request")
	})
}

func TestVerdict(t *testing.T) {
	objecting := to(matomo)
	objecting.Objection = true
	for what, test := range map[string]struct {
		cookies string
		law     visitor.Law
		name    string
		known   bool
		want    policy.Verdict
	}{
		"undeclared":               {"", optIn, "other", false, policy.Undeclared},
		"undeclared, opt-out":      {"", optOut, "other", false, policy.Undeclared},
		"in another letter case":   {"", optIn, "SessionID", false, policy.Undeclared},
		"the visitor's own":        {"", optIn, name, false, policy.Consented},
		"necessary":                {"", optIn, "sessionid", true, policy.Exempt},
		"anonymous":                {"", optIn, "visits", true, policy.NotObjected},
		"anonymous, objected to":   {sends(t, objecting), optIn, "visits", true, policy.Objected},
		"unanswered":               {"", optIn, "_pk_id.1", true, policy.Undecided},
		"accepted":                 {sends(t, to(matomo)), optIn, "_pk_id.1", true, policy.Consented},
		"refused":                  {sends(t, to(matomo)), optIn, "ad", true, policy.Refused},
		"presumed":                 {"", optOut, "ad", true, policy.Consented},
		"presumed, refused by GPC": {"", gpc, "ad", true, policy.Refused},
	} {
		rule, verdict := visit(newSite(), test.cookies, test.law, nil).Verdict(test.name)
		assert.Equal(t, test.want, verdict, what)
		assert.Equal(t, test.known, rule != nil, what)
	}
}

func TestTheOwnCookiePassesHoweverItIsDeclared(t *testing.T) {
	p := policy.New([]policy.Declaration{{Party: adCo, Name: "*", Need: policy.Consent}})
	rule, verdict := visit(visitor.NewSite(&p, cookie, 0, presumption), "", optIn, nil).Verdict(name)
	assert.NotNil(t, rule)
	assert.Equal(t, policy.Consented, verdict, "so that no shared cache keeps it")
}

// A signature takes longer than all the rest, so that it is checked only if
// something depends on it.
func TestWhatDependsOnNoAnswerReadsNoCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := visit(newSite(), sends(t, to(matomo)), optIn, nil)
		for _, name := range []string{"sessionid", "other", name} {
			v.Verdict(name)
		}
		v.Cookies()
		v.Law()
		v.HeadSent()
		time.Sleep(2 * time.Hour)
		assert.False(t, v.Grants().Decided(), "the cookie, expired by now, is read only here")
	})
}

func TestADecisionTakesEffectAtOnce(t *testing.T) {
	for what, law := range map[string]visitor.Law{"opt-in": optIn, "opt-out": optOut, "opt-out with GPC": gpc} {
		t.Run(what, func(t *testing.T) {
			v := visit(newSite(), sends(t, to(adCo)), law, nil)
			before := v.Grants()
			d := to(matomo)
			decide(t, v, d)
			assert.Equal(t, []policy.Answer{policy.No, policy.Yes}, before.Answers(), "grants never change")
			assert.Equal(t, []policy.Answer{policy.Yes, policy.No}, v.Grants().Answers())
			assert.Equal(t, d.Time, v.Grants().DecidedAt)
			_, verdict := v.Verdict("ad")
			assert.Equal(t, policy.Refused, verdict)

			news, first := v.SendHead()
			assert.True(t, first)
			pair, _, _ := strings.Cut(news.Line, ";")
			again := visit(newSite(), pair, law, nil)
			assert.Equal(t, v.Grants(), again.Grants(), "and the next request says the same")
		})
	}
}

func TestADecisionThatAnswersLessLeavesTheRestToTheLaw(t *testing.T) {
	for want, law := range map[policy.Answer]visitor.Law{policy.Open: optIn, policy.Presumed: optOut, policy.NoByGPC: gpc} {
		v := visit(newSite(), "", law, nil)
		d := to()
		d.Answers = decision.MakeAnswers(map[decision.Mark]decision.Answer{decision.MarkOf(matomo.Category, matomo.Provider): decision.Yes})
		decide(t, v, d)
		assert.Equal(t, []policy.Answer{policy.Yes, want}, v.Grants().Answers())
	}
}

// Such a decision was recorded before the revision was raised, and is restored.
func TestAnOutdatedDecisionOpensAllAtOnce(t *testing.T) {
	v := visit(newSite(), "", optIn, nil)
	d := to(matomo)
	d.Revision--
	decide(t, v, d)
	assert.Equal(t, []policy.Answer{policy.Open, policy.Reopened}, v.Grants().Answers(), "as the next request will say")
}

func TestOfSeveralDecisionsTheLastOneLeaves(t *testing.T) {
	v := visit(newSite(), "", optIn, nil)
	decide(t, v, to(matomo))
	last := to(adCo)
	decide(t, v, last)
	news, _ := v.SendHead()
	assert.Equal(t, sends(t, last), news.Line[:strings.IndexByte(news.Line, ';')])
	assert.Equal(t, []policy.Answer{policy.No, policy.Yes}, v.Grants().Answers())
}

func TestADecisionThatIsTooLongChangesNothing(t *testing.T) {
	v := visit(newSite(), sends(t, to(adCo)), optIn, nil)
	before := v.Grants()
	d := to(matomo)
	d.Answers = make(decision.Answers, 4096)
	sent, err := v.Decide(d)
	assert.Error(t, err)
	assert.False(t, sent)
	assert.Same(t, before, v.Grants())
	news, first := v.SendHead()
	assert.Equal(t, clean, news)
	assert.True(t, first)
}

func TestNothingIsDecidedAfterTheHead(t *testing.T) {
	outer := visit(newSite(), sends(t, to(adCo)), optIn, nil)
	v := visit(newSite(), "", optIn, outer)
	assert.False(t, v.HeadSent())
	news, first := v.SendHead()
	assert.Equal(t, clean, news)
	assert.True(t, first)
	assert.True(t, v.HeadSent())

	sent, err := v.Decide(to(matomo))
	assert.NoError(t, err)
	assert.True(t, sent)
	for _, v := range []*visitor.Visitor{v, outer} {
		assert.Equal(t, []policy.Answer{policy.No, policy.Yes}, v.Grants().Answers())
	}
	news, first = v.SendHead()
	assert.Zero(t, news)
	assert.False(t, first)
	assert.False(t, outer.HeadSent(), "which has a head of its own")
	news, _ = outer.SendHead()
	assert.Zero(t, news, "what is refused has been expired inside")
}

func TestNewsAreForTheFirstHeadAlone(t *testing.T) {
	v := visit(newSite(), "", optIn, nil)
	decide(t, v, to(matomo))
	news, first := v.SendHead()
	assert.NotEmpty(t, news.Line)
	assert.True(t, first)
	news, first = v.SendHead()
	assert.Zero(t, news)
	assert.False(t, first)
}

// clean are the news if nothing was decided.
var clean = visitor.News{Clean: true}

// Under a law that presumes, a decision that did not arrive may be a refusal.
func TestNothingIsPresumedOfADecisionThatWasHeldBack(t *testing.T) {
	for what, law := range map[string]visitor.Law{"opt-in": optIn, "opt-out": optOut, "opt-out with GPC": gpc} {
		law.HeldBack = true
		assert.Equal(t, []policy.Answer{policy.Open, policy.Open}, visit(newSite(), "", law, nil).Grants().Answers(), what)
		assert.Equal(t, []policy.Answer{policy.No, policy.Yes}, visit(newSite(), sends(t, to(adCo)), law, nil).Grants().Answers(), "%s: one that did arrive", what)
	}
}

func TestATickedYesIsNoConsentUnderAStricterLaw(t *testing.T) {
	d := to(adCo)
	d.Answers = decision.MakeAnswers(map[decision.Mark]decision.Answer{
		decision.MarkOf(matomo.Category, matomo.Provider): decision.No, decision.MarkOf(adCo.Category, adCo.Provider): decision.Ticked,
	})
	for law, want := range map[visitor.Law][]policy.Answer{
		optIn:  {policy.No, policy.Open},
		optOut: {policy.No, policy.Ticked},
		gpc:    {policy.No, policy.Ticked},
	} {
		assert.Equal(t, want, visit(newSite(), sends(t, d), law, nil).Grants().Answers(), law)
	}
}

func TestADecisionUnderTheFormerNameCounts(t *testing.T) {
	p := policy.New([]policy.Declaration{{Party: adCo, Name: "ad", Need: policy.Consent}})
	renamed := preference.New(http.Cookie{Name: "new", MaxAge: 3600}, name, [][]byte{bytes.Repeat([]byte("k"), 32)})
	v := visit(visitor.NewSite(&p, renamed, revision, presumption), sends(t, to(adCo)), optIn, nil)
	assert.Equal(t, []policy.Answer{policy.Yes}, v.Grants().Answers())
	assert.True(t, v.IsFormer(name) && v.IsPreferences("new"))
	assert.False(t, v.IsFormer("new") || v.IsFormer("") || v.IsPreferences("") || v.IsPreferences(name))
	news, _ := v.SendHead()
	assert.Equal(t, clean, news, "and stays where it is")
}

func TestWhatIsShownTooLateIsSaid(t *testing.T) {
	for what, test := range map[string]struct{ shared, sent, want bool }{
		"a shared head that has left":  {true, true, true},
		"a private head that has left": {false, true, false},
		"a shared head that is held":   {true, false, false},
	} {
		v := visit(newSite(), "", optIn, nil)
		_, shown := v.Shown()
		assert.False(t, shown)
		assert.False(t, v.Show([]string{"Cookie"}))
		v.SendHead()
		if test.shared {
			v.ShareHead()
		}
		if test.sent {
			v.Commit()
		}
		assert.Equal(t, test.want, v.Show([]string{"Accept-Language"}), what)
		fields, shown := v.Shown()
		assert.True(t, shown)
		assert.Equal(t, []string{"Cookie", "Accept-Language"}, fields, what)
	}
}

func TestWhatIsPrivateInsideIsPrivateOutside(t *testing.T) {
	outer := visit(newSite(), "", optIn, nil)
	v := visit(newSite(), "", optIn, outer)
	assert.False(t, v.IsPrivate() || outer.IsPrivate())
	v.KeepPrivate()
	assert.True(t, v.IsPrivate() && outer.IsPrivate())
}

func TestTheVisitorOutsideHasTheLastWord(t *testing.T) {
	site := newSite()
	outer := visit(site, sends(t, to(adCo)), gpc, nil)
	v := visit(site, "what the handler in between has made of it", optIn, outer)
	assert.Equal(t, outer.Cookies(), v.Cookies())
	assert.Equal(t, gpc, v.Law())
	assert.Same(t, outer.Grants(), v.Grants())

	saved := visit(site, "", optIn, nil)
	decide(t, saved, to(matomo))
	v = visit(site, "", optIn, saved)
	assert.Equal(t, []policy.Answer{policy.Yes, policy.No}, v.Grants().Answers(), "a decision that the request does not know")
}

func TestADecisionIsSeenByAllOutsideAndItsLineLeavesOnce(t *testing.T) {
	site := newSite()
	outermost := visit(site, sends(t, to(adCo)), optIn, nil)
	outer := visit(site, "", optIn, outermost)
	v := visit(site, "", optIn, outer)
	decide(t, outermost, to(adCo))
	decide(t, v, to(matomo))
	for _, v := range []*visitor.Visitor{v, outer, outermost} {
		assert.Equal(t, []policy.Answer{policy.Yes, policy.No}, v.Grants().Answers())
	}
	news, _ := v.SendHead()
	assert.NotEmpty(t, news.Line)
	for _, v := range []*visitor.Visitor{outer, outermost} {
		news, first := v.SendHead()
		assert.True(t, first)
		assert.Zero(t, news, "nor does the line of an earlier decision leave, which would undo the later one")
	}
}

// Who has waited for another's reading must not read once more, and forget what
// was decided in between. The header takes tens of milliseconds to read; whoever
// comes late on a slow machine sees the decision in any case.
func TestAReadingDoesNotForgetADecision(t *testing.T) {
	v := visit(newSite(), sends(t, to(adCo))+strings.Repeat("; a", 2_000_000), optIn, nil)
	var wg sync.WaitGroup
	wg.Go(func() { v.Grants() })
	time.Sleep(2 * time.Millisecond)
	wg.Go(func() {
		_, err := v.Decide(to(matomo))
		assert.NoError(t, err)
	})
	time.Sleep(2 * time.Millisecond)
	wg.Go(func() { v.Grants() })
	wg.Wait()
	assert.Equal(t, []policy.Answer{policy.Yes, policy.No}, v.Grants().Answers())
}

func TestAVisitorIsSafeForConcurrentUse(t *testing.T) {
	site := newSite()
	outer := visit(site, sends(t, to(adCo)), gpc, nil)
	v := visit(site, "", optIn, outer)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { v.Grants().Decided() })
		wg.Go(func() { outer.Verdict("ad") })
		wg.Go(func() { v.Show([]string{"Cookie"}) })
		wg.Go(func() { outer.Shown() })
		wg.Go(func() {
			_, err := v.Decide(to(matomo))
			assert.NoError(t, err)
		})
	}
	firsts := make(chan bool, 8)
	for range cap(firsts) {
		wg.Go(func() {
			_, first := v.SendHead()
			after := v.Grants()
			firsts <- first
			assert.Same(t, after, v.Grants(), "no decision changes the answers after the head")
		})
	}
	wg.Wait()
	close(firsts)
	n := 0
	for first := range firsts {
		if first {
			n++
		}
	}
	assert.Equal(t, 1, n)
}

func TestADecisionIsForgottenAtOnce(t *testing.T) {
	outer := visit(newSite(), sends(t, to(adCo)), optOut, nil)
	v := visit(newSite(), "", optOut, outer)
	d, found := v.Decision()
	assert.True(t, found)
	assert.Equal(t, to(adCo).Answers, d.Answers)
	decide(t, v, to(matomo))
	d, found = v.Decision()
	assert.True(t, found)
	assert.Equal(t, to(matomo).Answers, d.Answers, "the newest, of this response")

	assert.False(t, v.Forget())
	for _, v := range []*visitor.Visitor{v, outer} {
		_, found = v.Decision()
		assert.False(t, found)
		assert.Equal(t, v.Undecided(), v.Grants())
		assert.Equal(t, []policy.Answer{policy.Presumed, policy.Presumed}, v.Grants().Answers(), "the law presumes again")
	}
	news, _ := v.SendHead()
	assert.Equal(t, name+"=; Max-Age=0", news.Line)
	assert.True(t, v.Sends(news.Line))
	assert.False(t, v.Sends("other=; Max-Age=0"))
	assert.True(t, v.Forget(), "the head has left")
}

func TestWhatIsRememberedLeavesBesideTheDecision(t *testing.T) {
	v := visit(newSite(), "", optIn, nil)
	assert.False(t, v.IsHandedOver())
	v.HandOver()
	assert.True(t, v.IsHandedOver())
	assert.False(t, v.Remember("first"))
	assert.False(t, v.Remember(name+"_account=1"))
	_, verdict := v.Verdict(name + "_account")
	assert.Equal(t, policy.Consented, verdict)
	news, _ := v.SendHead()
	assert.Equal(t, visitor.News{Side: name + "_account=1", Clean: true}, news)
	assert.True(t, v.Sends(name+"_account=1"))
	assert.True(t, v.Remember("late"))

	site := newSite()
	site.Contains(visitor.NewSite(new(policy.Policy), preference.New(http.Cookie{Name: "shop", MaxAge: 60}, "", [][]byte{bytes.Repeat([]byte("k"), 32)}), 0, presumption))
	for _, own := range []string{"shop", "shop_account"} {
		_, verdict = visit(site, "", optIn, nil).Verdict(own)
		assert.Equal(t, policy.Consented, verdict, "of a site inside")
	}
}
