package judge_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/judge"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

const day = 24 * time.Hour

// shop declares one of each.
func shop() *consent.Registry {
	declare := func(provider, name string, category consent.Category, change func(*consent.Cookie)) consent.Cookie {
		c := consent.Cookie{Provider: provider, Name: name, Category: category, Purpose: consent.Text{language.English: "x"}}
		if change != nil {
			change(&c)
		}
		return c
	}
	return consent.MustRegistry(
		declare("Shop", "sessionid", consent.Necessary, func(c *consent.Cookie) { c.Origins = []string{"https://login.example"} }),
		declare("Shop", "visits", consent.Statistics, func(c *consent.Cookie) { c.Anonymous = true }),
		declare("Shop", "visits-db", consent.Statistics, func(c *consent.Cookie) { c.Kind, c.Anonymous = consent.IndexedDB, true }),
		declare("Shop", "theme", consent.Appearance, nil),
		declare("Matomo", "_pk_id*", consent.Statistics, func(c *consent.Cookie) { c.Lifetime = 390 * day }),
		declare("Google", "_ga", consent.Statistics, func(c *consent.Cookie) {
			c.Lifetime, c.Origins = 390*day, []string{"https://tags.example", "http://tags.localhost:8080"}
		}),
		declare("Meta", "_fbp", consent.Advertising, func(c *consent.Cookie) {
			c.Lifetime, c.Domain, c.Path = 90*day, ".shop.example", "/"
			c.Also = []consent.Place{{Path: "/ads"}}
		}),
		declare("Vimeo", "vuid", consent.ThirdParty, func(c *consent.Cookie) { c.Origins = []string{"https://*.vimeo.example", "https://tags.example"} }),
		declare("Vimeo", "volume", consent.ThirdParty, func(c *consent.Cookie) {
			c.Kind, c.Origins = consent.LocalStorage, []string{"https://*.vimeo.example"}
		}),
		declare("AdCo", "IDE", consent.Advertising, func(c *consent.Cookie) { c.Domain = "adco.example" }),
		declare("Shop", "sync", consent.FirstParty, nil),
		declare("AdCo", "sync", consent.Advertising, nil),
	)
}

// stages are those of a scan; names stand for what their visitors allow.
func stages() []seen.Stage {
	list := []seen.Stage{
		{Name: "new"},
		{Name: "refused", Choice: consent.RefuseAll(), Answered: true},
		{Name: "only statistics", Choice: consent.Accept(consent.Statistics), Answered: true},
		{Name: "accepted", Choice: consent.AcceptAll(), Answered: true},
		{Name: "withdrawing", Choice: consent.RefuseAll(), Answered: true, Earlier: "accepted", Living: true},
		{Name: "withdrawn", Choice: consent.RefuseAll(), Answered: true, Earlier: "accepted"},
		{Name: "objected", Choice: consent.RefuseAll().WithObjection(), Answered: true},
		{Name: "uk", Regime: consent.UK},
		{Name: "uk objected", Regime: consent.UK, Choice: consent.RefuseAll().WithObjection(), Answered: true},
		{Name: "opt-out", Regime: consent.OptOut},
		{Name: "opt-out with Sec-GPC", Regime: consent.OptOut, GPC: true},
		{Name: "opt-out refused", Regime: consent.OptOut, Choice: consent.RefuseAll(), Answered: true},
		{Name: "no law", Regime: consent.NoRegime},
	}
	for i, s := range list {
		list[i].Nothing = slices.Contains([]string{"new", "refused", "withdrawing", "withdrawn", "objected", "uk objected", "opt-out refused"}, s.Name)
	}
	return list
}

// cookie is an event of a cookie in some stages.
func cookie(act seen.Act, name string, in ...string) []seen.Event {
	return events(seen.Event{Act: act, Kind: seen.Cookie, Name: name, Host: "shop.example"}, in...)
}

func contacted(host string, in ...string) []seen.Event {
	return events(seen.Event{Act: seen.Contacted, Host: host, Third: true, Transport: seen.Script}, in...)
}

func events(e seen.Event, in ...string) (all []seen.Event) {
	for _, stage := range in {
		e.Stage = stage
		if e.Page == "" {
			e.Page = "/"
		}
		all = append(all, e)
	}
	return all
}

func scanOf(parts ...[]seen.Event) *seen.Scan {
	scan := &seen.Scan{Site: "https://shop.example/", Hosts: []string{"shop.example"}, Stages: stages()}
	for _, part := range parts {
		scan.Events = append(scan.Events, part...)
	}
	return scan
}

// say returns findings as lines, but for what was never seen.
func say(findings []finding.Finding) []string {
	lines := []string{}
	for _, f := range findings {
		if f.Check != finding.NeverSeen {
			lines = append(lines, fmt.Sprintf("%s %s: %s [%s]", f.Level, f.Check, f.Message, strings.Join(f.Stages, ", ")))
		}
	}
	return lines
}

func with(events []seen.Event, change func(*seen.Event)) []seen.Event {
	for i := range events {
		change(&events[i])
	}
	return events
}

func third(host string) func(*seen.Event) {
	return func(e *seen.Event) { e.Third, e.Host = true, host }
}

func in(kind seen.Kind) func(*seen.Event) { return func(e *seen.Event) { e.Kind = kind } }

func attributes(a seen.Attributes) func(*seen.Event) {
	return func(e *seen.Event) { e.Attributes = &a }
}

func join(parts ...[]seen.Event) (all []seen.Event) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

var everywhere = func() (names []string) {
	for _, s := range stages() {
		names = append(names, s.Name)
	}
	return names
}()

func TestEachCheckFindsItsFaultAndLeavesItsNeighbourAlone(t *testing.T) {
	at := func(domain, path string, lifetime time.Duration) func(*seen.Event) {
		return attributes(seen.Attributes{Domain: cmp.Or(domain, "shop.example"), HostOnly: domain == "", Path: path, Lifetime: lifetime})
	}
	for name, test := range map[string]struct {
		events []seen.Event
		want   []string
	}{
		"what is necessary passes everywhere":             {cookie(seen.Stored, "sessionid", everywhere...), nil},
		"the answer's own cookie passes everywhere":       {join(cookie(seen.Stored, "cookies_preferences", everywhere...), cookie(seen.Kept, "cookies_preferences", everywhere...)), nil},
		"another site's cookie of that name does not":     {with(cookie(seen.Stored, "cookies_preferences", "new"), third("other.example")), []string{`warning undeclared: "cookies_preferences" of other.example is stored, and not declared [new]`}},
		"anonymous statistics pass until objection":       {cookie(seen.Stored, "visits", everywhere...), []string{`error stored-without-consent: "visits" (Shop, statistics) is stored after the visitor has objected [objected, uk objected]`}},
		"and so do those in other storage":                {with(cookie(seen.Kept, "visits-db", "new", "refused", "objected"), in(seen.IndexedDB)), []string{`error left-behind: "visits-db" in IndexedDB (Shop, statistics) is still there after the visitor has objected [objected]`}},
		"stored by all stages is one finding":             {cookie(seen.Stored, "_ga", everywhere...), []string{`error stored-without-consent: "_ga" (Google, statistics) is stored before any answer, after it was refused and after consent was withdrawn [new, refused, withdrawing, withdrawn, objected, uk objected, opt-out refused]`}},
		"advertising under each law":                      {cookie(seen.Stored, "_fbp", "uk", "opt-out", "opt-out with Sec-GPC", "no law"), []string{`error stored-without-consent: "_fbp" (Meta, advertising) is stored before any answer [uk, opt-out with Sec-GPC]`}},
		"GPC says no":                                     {cookie(seen.Stored, "_fbp", "opt-out", "opt-out with Sec-GPC"), []string{`error stored-without-consent: "_fbp" (Meta, advertising) is stored though the browser sends Sec-GPC [opt-out with Sec-GPC]`}},
		"GPC leaves statistics and appearance alone":      {join(cookie(seen.Stored, "_ga", "opt-out with Sec-GPC", "uk"), cookie(seen.Stored, "theme", "opt-out with Sec-GPC", "uk")), nil},
		"only statistics":                                 {join(cookie(seen.Stored, "_ga", "only statistics"), cookie(seen.Stored, "_fbp", "only statistics")), []string{`error stored-without-consent: "_fbp" (Meta, advertising) is stored after it was refused [only statistics]`}},
		"accepted":                                        {join(cookie(seen.Stored, "_ga", "accepted"), cookie(seen.Stored, "_fbp", "accepted"), cookie(seen.Sent, "sync", "accepted")), nil},
		"kept without an answer was stored":               {cookie(seen.Kept, "_ga", "new"), []string{`error stored-without-consent: "_ga" (Google, statistics) is stored before any answer [new]`}},
		"kept after a refusal is left behind":             {cookie(seen.Kept, "_ga", "opt-out", "opt-out refused"), []string{`error left-behind: "_ga" (Google, statistics) is still there after it was refused [opt-out refused]`}},
		"stored before, and so kept after: one cause":     {join(cookie(seen.Stored, "_ga", "new"), cookie(seen.Kept, "_ga", "new", "refused")), []string{`error stored-without-consent: "_ga" (Google, statistics) is stored before any answer and after it was refused [new, refused]`}},
		"kept after a withdrawal":                         {join(cookie(seen.Stored, "_fbp", "accepted"), cookie(seen.Kept, "_fbp", "accepted", "withdrawn")), []string{`error left-behind: "_fbp" (Meta, advertising) is still there after consent was withdrawn [withdrawn]`}},
		"kept at a third party, which no site can delete": {with(join(cookie(seen.Stored, "vuid", "accepted"), cookie(seen.Kept, "vuid", "accepted", "withdrawn")), third("vimeo.example")), nil},
		"kept and sent after a withdrawal":                {join(cookie(seen.Kept, "_fbp", "withdrawn"), cookie(seen.Sent, "_fbp", "withdrawn")), []string{`error left-behind: "_fbp" (Meta, advertising) is still there after consent was withdrawn, and is still sent [withdrawn]`}},
		"sent after a withdrawal":                         {cookie(seen.Sent, "_fbp", "withdrawn"), []string{`error used-after-withdrawal: "_fbp" (Meta, advertising) is still sent after consent was withdrawn [withdrawn]`}},
		"sent before needs no finding of its own":         {cookie(seen.Sent, "_fbp", "new", "refused"), nil},
		"stored after a withdrawal":                       {join(cookie(seen.Stored, "_fbp", "accepted", "withdrawing"), cookie(seen.Kept, "_fbp", "withdrawing"), cookie(seen.Sent, "_fbp", "withdrawing")), []string{`error used-after-withdrawal: "_fbp" (Meta, advertising) is still stored after consent was withdrawn [withdrawing]`}},
		"kept, and stored again after a withdrawal": {join(cookie(seen.Kept, "_ga", "opt-out refused"), cookie(seen.Stored, "_ga", "withdrawn")), []string{
			`error left-behind: "_ga" (Google, statistics) is still there after it was refused [opt-out refused]`,
			`error used-after-withdrawal: "_ga" (Google, statistics) is still stored after consent was withdrawn [withdrawn]`,
		}},
		"stored before, and left by a withdrawal": {join(cookie(seen.Stored, "_ga", "new"), cookie(seen.Kept, "_ga", "withdrawn")), []string{
			`error left-behind: "_ga" (Google, statistics) is still there after consent was withdrawn [withdrawn]`,
			`error stored-without-consent: "_ga" (Google, statistics) is stored before any answer [new]`,
		}},
		"necessary things outlive a withdrawal":        {join(cookie(seen.Kept, "sessionid", "withdrawn"), cookie(seen.Sent, "visits", "withdrawn")), nil},
		"a pattern is one finding":                     {join(cookie(seen.Stored, "_pk_id.1.aa", "new"), cookie(seen.Stored, "_pk_id.2.bb", "new")), []string{`error stored-without-consent: "_pk_id*" (Matomo, statistics) is stored before any answer [new]`}},
		"all who declare a name have to be allowed":    {cookie(seen.Stored, "sync", "opt-out with Sec-GPC"), []string{`error stored-without-consent: "sync" (Shop, AdCo, first-party, advertising) is stored though the browser sends Sec-GPC [opt-out with Sec-GPC]`}},
		"names differ by case":                         {cookie(seen.Stored, "SESSIONID", "accepted"), []string{`warning undeclared: "SESSIONID" is stored, and not declared [accepted]`}},
		"undeclared":                                   {join(cookie(seen.Stored, "promo", "new", "accepted"), cookie(seen.Kept, "promo", "new"), cookie(seen.Sent, "promo", "refused")), []string{`warning undeclared: "promo" is stored, and not declared [new, accepted]`}},
		"undeclared names with a variable part":        {join(cookie(seen.Stored, "basket_8f3a9c1e", "new"), cookie(seen.Stored, "basket_77aa0bcd", "accepted")), []string{`warning undeclared: "basket_*" is stored, and not declared [new, accepted]`}},
		"undeclared, known, before an answer":          {cookie(seen.Stored, "_gat", "new", "refused"), []string{`error stored-without-consent: "_gat" is stored before any answer and after it was refused, and not declared; the name is known as one of Google, for statistics [new, refused]`}},
		"undeclared, known, after an answer":           {cookie(seen.Stored, "_gat", "accepted"), []string{`warning undeclared: "_gat" is stored, and not declared; the name is known as one of Google, for statistics [accepted]`}},
		"undeclared, known, where the law presumes it": {cookie(seen.Stored, "_gat", "uk", "opt-out with Sec-GPC", "no law"), []string{`warning undeclared: "_gat" is stored, and not declared; the name is known as one of Google, for statistics [uk, opt-out with Sec-GPC, no law]`}},
		"undeclared advertising under GPC":             {cookie(seen.Kept, "_gcl_au", "opt-out with Sec-GPC"), []string{`error stored-without-consent: "_gcl_au" is stored though the browser sends Sec-GPC, and not declared; the name is known as one of Google, for advertising [opt-out with Sec-GPC]`}},
		"a service worker is declared by words":        {with(cookie(seen.Kept, "/sw.js", "new"), in(seen.ServiceWorker)), []string{`warning undeclared: "/sw.js", a service worker, is stored, and not declared [new]`}},
		"a third party's storage by its origins":       {with(with(cookie(seen.Kept, "volume", "new", "accepted"), in(seen.LocalStorage)), third("player.vimeo.example")), []string{`error stored-without-consent: "volume" in local storage of player.vimeo.example (Vimeo, third-party) is stored before any answer [new]`}},
		"a third party's cookie by its domain":         {with(cookie(seen.Stored, "IDE", "refused", "accepted"), third("track.adco.example")), []string{`error stored-without-consent: "IDE" of track.adco.example (AdCo, advertising) is stored after it was refused [refused]`}},
		"a third party's cookie for its whole domain":  {with(cookie(seen.Stored, "vuid", "new"), third("vimeo.example")), []string{`error stored-without-consent: "vuid" of vimeo.example (Vimeo, third-party) is stored before any answer [new]`}},
		"a third party's storage is of one host":       {with(with(cookie(seen.Kept, "volume", "accepted"), in(seen.LocalStorage)), third("vimeo.example")), []string{`warning undeclared: "volume" in local storage of vimeo.example is stored, and its declaration (Vimeo, third-party) is not about that host [accepted]`}},
		"a third party's cookie elsewhere":             {with(cookie(seen.Stored, "sessionid", "accepted"), third("other.example")), []string{`warning undeclared: "sessionid" of other.example is stored, and its declaration (Shop, necessary) is not about that host [accepted]`}},
		"a third party's declared cookie, allowed":     {with(cookie(seen.Stored, "vuid", "accepted", "opt-out"), third("player.vimeo.example")), nil},
		"a host that a declaration names":              {contacted("player.vimeo.example", "new", "accepted", "withdrawn"), []string{`error contacted-without-consent: https://player.vimeo.example (Vimeo, third-party) is contacted before any answer and after consent was withdrawn [new, withdrawn]`}},
		"two hosts of one origin":                      {join(contacted("player.vimeo.example", "new"), contacted("i.vimeo.example", "new")), []string{`error contacted-without-consent: https://*.vimeo.example (Vimeo, third-party) is contacted before any answer [new]`}},
		"a host after a withdrawal":                    {contacted("player.vimeo.example", "accepted", "withdrawing"), []string{`error used-after-withdrawal: https://player.vimeo.example (Vimeo, third-party) is still contacted after consent was withdrawn [withdrawing]`}},
		"all whose origin it is have to be allowed":    {contacted("tags.example", "only statistics", "accepted"), []string{`error contacted-without-consent: https://tags.example (Google, Vimeo, statistics, third-party) is contacted after it was refused [only statistics]`}},
		"an origin with a port":                        {contacted("tags.localhost:8080", "new", "only statistics"), []string{`error contacted-without-consent: http://tags.localhost:8080 (Google, statistics) is contacted before any answer [new]`}},
		"another port is another origin":               {contacted("tags.localhost:8081", "accepted"), []string{`warning undeclared-origin: http://tags.localhost:8081 is contacted, and no declaration names it [accepted]`}},
		"a host of what is necessary":                  {contacted("login.example", everywhere...), nil},
		"a host that nobody names, if something is on": {contacted("cdn.example", "only statistics", "opt-out", "opt-out with Sec-GPC", "uk"), []string{`warning undeclared-origin: https://cdn.example is contacted, and no declaration names it [only statistics, uk, opt-out, opt-out with Sec-GPC]`}},
		"a host that nobody names, if nothing is":      {contacted("cdn.example", "accepted", "new"), []string{`error undeclared-origin: https://cdn.example is contacted, and no declaration names it [new, accepted]`}},
		"a host of the site":                           {with(contacted("cdn.shop.example", "new"), func(e *seen.Event) { e.Third = false }), nil},
		"hosts that differ in a variable part":         {join(contacted("edge-25ge7nzr.video.example", "accepted"), contacted("edge-9ab17fz2.video.example", "accepted")), []string{`warning undeclared-origin: https://edge-*.video.example is contacted, and no declaration names it [accepted]`}},
		"a host in disguise":                           {with(contacted("data.shop.example", "accepted"), func(e *seen.Event) { e.Cloaked = "x.eul.example" }), []string{`warning undeclared-origin: https://data.shop.example is contacted, and no declaration names it; it is a third party in disguise, as behind that host is x.eul.example [accepted]`}},
		"a host in disguise that is declared":          {with(contacted("data.shop.example", "new", "accepted"), func(e *seen.Event) { e.Cloaked = "x.vimeo.example" }), []string{`error contacted-without-consent: https://data.shop.example (Vimeo, third-party) is contacted before any answer; it is a third party in disguise, as behind that host is x.vimeo.example [new]`}},
		"a lifetime that is longer":                    {with(cookie(seen.Stored, "_ga", "accepted"), at("", "/", 730*day)), []string{`warning declared-otherwise: "_ga" (Google, statistics) is kept for 730 days, and declared for 390 days [accepted]`}},
		"the longest of several lifetimes":             {join(with(cookie(seen.Stored, "_ga", "only statistics"), at("", "/", 500*day)), with(cookie(seen.Stored, "_ga", "accepted"), at("", "/", 730*day))), []string{`warning declared-otherwise: "_ga" (Google, statistics) is kept for 730 days, and declared for 390 days [only statistics, accepted]`}},
		"attributes that are not known":                {with(cookie(seen.Stored, "_ga", "accepted"), attributes(seen.Attributes{HostOnly: true})), nil},
		"attributes of what is not allowed":            {with(cookie(seen.Stored, "_ga", "new"), at("", "/", 730*day)), []string{`error stored-without-consent: "_ga" (Google, statistics) is stored before any answer [new]`}},
		"a lifetime within the slack":                  {with(cookie(seen.Stored, "_ga", "accepted"), at("", "/", 400*day)), nil},
		"a shorter lifetime":                           {with(cookie(seen.Stored, "_ga", "accepted"), at("", "/", 0)), nil},
		"a session's cookie that stays":                {with(cookie(seen.Kept, "sessionid", "new"), at("", "/", 2*time.Minute)), []string{`warning declared-otherwise: "sessionid" (Shop, necessary) is kept for 2 minutes, and declared until the browser is closed [new]`}},
		"a session's cookie within the clock's error":  {with(cookie(seen.Kept, "sessionid", "new"), at("", "/", time.Minute)), nil},
		"the declared domain":                          {with(cookie(seen.Stored, "_fbp", "accepted"), at("shop.example", "/", 90*day)), nil},
		"another domain":                               {with(cookie(seen.Stored, "_fbp", "accepted"), at("www.shop.example", "/", 90*day)), []string{`warning declared-otherwise: "_fbp" (Meta, advertising) has the Domain "www.shop.example", and is declared with "shop.example" [accepted]`}},
		"no domain":                                    {with(cookie(seen.Stored, "_fbp", "accepted"), at("", "/", 90*day)), []string{`warning declared-otherwise: "_fbp" (Meta, advertising) has no Domain, and is declared with "shop.example" [accepted]`}},
		"another place that is declared":               {with(cookie(seen.Stored, "_fbp", "accepted"), at("", "/ads", 90*day)), nil},
		"a domain where none is declared":              {with(cookie(seen.Stored, "theme", "accepted"), at("shop.example", "/", 0)), nil},
		"another path":                                 {with(cookie(seen.Stored, "theme", "accepted"), at("", "/basket", 0)), []string{`warning declared-otherwise: "theme" (Shop, appearance) has the Path "/basket", and is declared with "/" [accepted]`}},
		"a third party's place is its own affair":      {with(with(cookie(seen.Stored, "IDE", "accepted"), third("adco.example")), at("", "/x", 0)), nil},
		"another kind":                                 {with(cookie(seen.Kept, "sessionid", "new"), in(seen.SessionStorage)), []string{`warning declared-otherwise: "sessionid" (Shop, necessary) lies in session storage, and is declared as cookie [new]`}},
		"another kind, and not allowed":                {cookie(seen.Stored, "volume", "new"), []string{`error stored-without-consent: "volume" (Vimeo, third-party) is stored before any answer [new]`, `warning declared-otherwise: "volume" (Vimeo, third-party) is a cookie, and declared as localStorage [new]`}},
		"a signal":                                     {events(seen.Event{Act: seen.Signalled, Name: "Google", Reason: "ad_storage was granted"}, "new", "refused"), []string{`error wrong-signal: Google is told what the visitor has not said: ad_storage was granted [new, refused]`}},
		"a cookie that the browser refuses":            {with(cookie(seen.Blocked, "sessionid", "new"), func(e *seen.Event) { e.Reason = "SameSiteNoneInsecure" }), []string{`warning blocked-by-browser: the browser does not take "sessionid" (Shop, necessary): it is SameSite=None, and not Secure [new]`}},
		"a third party's that the browser refuses":     {with(with(cookie(seen.Blocked, "x", "new"), third("t.example")), func(e *seen.Event) { e.Reason = "NewReason" }), []string{`note blocked-by-browser: the browser does not take "x" of t.example: it says "NewReason" [new]`}},
		"a cookie without a name":                      {cookie(seen.Stored, "", "new"), []string{`warning undeclared: a cookie without a name is stored, and not declared [new]`}},
		"names are hostile":                            {cookie(seen.Stored, "\x1b[31m\n\u202e"+strings.Repeat("x", 200), "new"), []string{`warning undeclared: "\x1b[31m\n\u202e` + strings.Repeat("x", 120-9) + `…" is stored, and not declared [new]`}},
		"a stage that the scan does not list":          {cookie(seen.Stored, "_ga", "no such"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := say(judge.Judge(scanOf(test.events), shop(), judge.Options{}))
			if !assert.Len(t, got, len(test.want), "%q", got) {
				return
			}
			for i, want := range test.want {
				if strings.HasSuffix(want, "]") {
					assert.Equal(t, want, got[i])
				} else {
					assert.Contains(t, got[i], want)
				}
			}
		})
	}
}

func TestWithoutARegistryNothingIsDeclared(t *testing.T) {
	scan := scanOf(cookie(seen.Stored, "sessionid", "new"), cookie(seen.Stored, "_ga", "accepted"), contacted("cdn.example", "accepted"), contacted("ads.example", "refused"))
	assert.Equal(t, []string{
		`error undeclared-origin: https://ads.example is contacted, and no declaration names it [refused]`,
		`warning undeclared: "_ga" is stored, and not declared; the name is known as one of Google, for statistics [accepted]`,
		`warning undeclared: "sessionid" is stored, and not declared [new]`,
		`warning undeclared-origin: https://cdn.example is contacted, and no declaration names it [accepted]`,
	}, say(judge.Judge(scan, nil, judge.Options{})))
}

func TestTheAnswersCookieMayHaveAnotherName(t *testing.T) {
	scan := scanOf(cookie(seen.Stored, "__Host-choice", "new"))
	assert.Empty(t, say(judge.Judge(scan, shop(), judge.Options{OwnCookies: []string{"__Host-choice"}})))
	assert.Len(t, say(judge.Judge(scan, shop(), judge.Options{})), 1)
}

func TestAnAnswerHasToBeKept(t *testing.T) {
	yes, no := true, false
	scan := scanOf()
	for i := range scan.Stages {
		scan.Stages[i].Kept = &yes
	}
	assert.Empty(t, say(judge.Judge(scan, shop(), judge.Options{})))
	scan.Stages[0].Kept = &no // nobody has answered there
	scan.Stages[2].Kept, scan.Stages[2].Skipped = &no, "no button"
	assert.Empty(t, say(judge.Judge(scan, shop(), judge.Options{})))
	scan.Stages[1].Kept, scan.Stages[1].Pages = &no, []string{"/", "/last"}
	scan.Stages[3].Kept = &no
	findings := judge.Judge(scan, shop(), judge.Options{})
	assert.Equal(t, []string{`error answer-not-kept: the site does not know the visitor's answer any more on a later page, or asks again [refused, accepted]`}, say(findings))
	assert.Equal(t, "/last", findings[0].Places[0].Page)
}

func TestWhatIsDeclaredAndNeverSeenIsNoted(t *testing.T) {
	unseen := func(scan *seen.Scan) (names []string) {
		for _, f := range judge.Judge(scan, shop(), judge.Options{}) {
			if f.Check == finding.NeverSeen {
				assert.Equal(t, finding.Note, f.Level)
				names = append(names, f.Name)
			}
		}
		return names
	}
	assert.Equal(t, []string{"visits-db", "IDE", "_fbp", "_ga", "_pk_id*", "sessionid", "sync", "sync", "theme", "visits", "vuid", "volume"}, unseen(scanOf()))
	assert.Equal(t, []string{"visits-db", "IDE", "_ga", "sync", "sync", "theme", "visits"},
		unseen(scanOf(cookie(seen.Sent, "_fbp", "accepted"), cookie(seen.Kept, "_pk_id.1", "accepted"), cookie(seen.Blocked, "sessionid", "new"), contacted("a.vimeo.example", "accepted"))))

	assert.NotContains(t, unseen(scanOf(with(cookie(seen.Stored, "sessionid", "new"), third("other.example")))), "sessionid", "seen, though elsewhere")

	scan := scanOf()
	for i := range scan.Stages {
		if scan.Stages[i].Name != "refused" {
			scan.Stages[i].Skipped = "the form has no such answer"
		}
	}
	assert.Equal(t, []string{"visits-db", "sessionid", "visits"}, unseen(scan), "the others are allowed in no stage that was walked")
}

func TestWhatNobodyCanSeeIsNotMissed(t *testing.T) {
	text := consent.Text{language.English: "x"}
	registry := consent.MustRegistry(
		consent.Cookie{Kind: consent.Other, Provider: "AdCo", Name: "a pixel", Category: consent.Necessary, Purpose: text},
		consent.Cookie{Provider: "Shop", Name: consent.CookieName, Category: consent.Necessary, Purpose: text},
		consent.Cookie{Provider: "Shop", Name: "basket", Category: consent.Necessary, Purpose: text},
	)
	findings := judge.Judge(scanOf(), registry, judge.Options{})
	require.Len(t, findings, 1)
	assert.Equal(t, `"basket" (Shop, necessary) is declared, and was never seen`, findings[0].Message)
	assert.Empty(t, findings[0].Host)
}

func TestTheSitesOwnHostSpeaksForItsHosts(t *testing.T) {
	all := join(cookie(seen.Stored, "promo", "new"), with(cookie(seen.Stored, "promo", "new"), func(e *seen.Event) { e.Host = "a.shop.example" }))
	findings := judge.Judge(scanOf(all), nil, judge.Options{})
	require.Len(t, findings, 1)
	assert.Equal(t, "shop.example", findings[0].Host)
}

func TestPlacesAreThoseThatShowWhoDidIt(t *testing.T) {
	for _, registry := range []*consent.Registry{nil, shop()} {
		all := join(cookie(seen.Stored, "_ga", "refused"), cookie(seen.Kept, "_ga", "refused"), cookie(seen.Sent, "_ga", "refused"))
		findings := judge.Judge(scanOf(with(all, func(e *seen.Event) {
			if e.Act == seen.Stored {
				e.By.Header = "https://shop.example/"
			}
		})), registry, judge.Options{})
		require.Len(t, findings[0].Places, 1)
		assert.Equal(t, "Set-Cookie of https://shop.example/", findings[0].Places[0].How)
	}
}

func TestAChoiceOfWhatNobodyDeclaredIsNotJudged(t *testing.T) {
	scan := scanOf(cookie(seen.Stored, "_ga", "odd"), contacted("cdn.example", "odd"))
	scan.Stages = append(scan.Stages, seen.Stage{Name: "odd", Choice: consent.Accept("no-such-category"), Answered: true})
	assert.Equal(t, []string{`warning undeclared-origin: https://cdn.example is contacted, and no declaration names it [odd]`}, say(judge.Judge(scan, shop(), judge.Options{})))
}

func TestPlacesAreSortedAndBounded(t *testing.T) {
	var all []seen.Event
	for i := range 30 {
		for _, e := range cookie(seen.Stored, "_ga", "refused", "new") {
			e.Page, e.By = fmt.Sprintf("/%02d", i), seen.Cause{Script: "https://shop.example/a.js", Line: 3, Column: 7}
			all = append(all, e, e)
		}
	}
	f := judge.Judge(scanOf(all), shop(), judge.Options{})[0]
	require.Len(t, f.Places, 20)
	assert.Equal(t, 40, f.More)
	assert.Equal(t, finding.Place{Stage: "new", Page: "/00", How: "script https://shop.example/a.js line 3 column 7", Script: "https://shop.example/a.js", Line: 3}, f.Places[0])
	assert.Equal(t, "/19", f.Places[19].Page)
}

func TestPlacesSayHowItCameAbout(t *testing.T) {
	for want, e := range map[string]seen.Event{
		"Set-Cookie of https://shop.example/a":                     {Act: seen.Stored, By: seen.Cause{Header: "https://shop.example/a"}},
		"service worker, script https://shop.example/sw.js line 2": {Act: seen.Stored, By: seen.Cause{Worker: "service worker", Script: "https://shop.example/sw.js", Line: 2}},
		"lay in the browser when the page had come to rest":        {Act: seen.Kept},
		"sent along with a request":                                {Act: seen.Sent},
		"beacon, while the page was left":                          {Act: seen.Contacted, Transport: seen.Beacon, Leaving: true},
		"image, script https://a.example/\\nb line 1":              {Act: seen.Contacted, Transport: seen.Image, By: seen.Cause{Script: "https://a.example/\nb", Line: 1}},
	} {
		e.Stage, e.Kind, e.Name, e.Host = "accepted", seen.Cookie, "promo", "other.example"
		e.Third = e.Act == seen.Contacted
		assert.Equal(t, want, judge.Judge(scanOf([]seen.Event{e}), nil, judge.Options{})[0].Places[0].How)
	}
}

func TestAFindingIsTheSameInEachScan(t *testing.T) {
	one := judge.Judge(scanOf(cookie(seen.Stored, "basket_8f3a9c1e", "new"), contacted("cdn1a2b3c4d.video.example", "new")), shop(), judge.Options{})
	other := scanOf(cookie(seen.Kept, "basket_77aa0bcd", "accepted"), contacted("cdn9f8e7d6c.video.example", "accepted"))
	other.Hosts = []string{"staging.shop.example"}
	other.Events[0].Host = "staging.shop.example"
	two := judge.Judge(other, shop(), judge.Options{})
	prints := func(findings []finding.Finding) (all []string) {
		for _, f := range findings {
			all = append(all, string(f.Check)+f.Fingerprint)
		}
		return all
	}
	assert.ElementsMatch(t, prints(one), prints(two))
	distinct := make(map[string]bool)
	for _, f := range one {
		distinct[f.Fingerprint] = true
		assert.Regexp(t, "^[0-9a-f]{32}$", f.Fingerprint)
	}
	assert.Len(t, distinct, len(one), "and no two causes share one")
}

func TestAPatternThatWouldCoverADeclarationIsNotProposed(t *testing.T) {
	registry := consent.MustRegistry(consent.Cookie{Provider: "Shop", Name: "wizard-step1", Category: consent.Necessary, Purpose: consent.Text{language.English: "x"}})
	f := judge.Judge(scanOf(cookie(seen.Stored, "wizard-step2", "new"), cookie(seen.Stored, "wizard-step3", "new"), cookie(seen.Stored, "wizard-step1", "new")), registry, judge.Options{})
	require.Len(t, f, 1)
	assert.Equal(t, "wizard-step2", f[0].Name)
}

func TestFindingsAreInOneOrder(t *testing.T) {
	scan := scanOf(contacted("b.example", "accepted"), contacted("a.example", "new"), cookie(seen.Stored, "z", "new"), cookie(seen.Stored, "_fbp", "new"), cookie(seen.Stored, "_ga", "new"))
	first := judge.Judge(scan, shop(), judge.Options{})
	var order []string
	for _, f := range first[:5] {
		order = append(order, f.Name)
	}
	assert.Equal(t, []string{"_fbp", "_ga", "a.example", "z", "b.example"}, order)
	for range 10 {
		require.Equal(t, first, judge.Judge(scan, shop(), judge.Options{}))
	}
}

// On an idle machine 100,000 events take half a second.
func TestTenTimesAsManyEventsTakeTenTimesAsLong(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second")
	}
	scan := func(events int) *seen.Scan {
		var all []seen.Event
		for i := range events {
			e := seen.Event{Act: []seen.Act{seen.Stored, seen.Kept, seen.Sent, seen.Contacted}[i%4], Stage: everywhere[i%len(everywhere)], Page: fmt.Sprintf("/%d", i%100)}
			e.Kind, e.Name, e.Host = seen.Cookie, fmt.Sprintf("name-%d-x", i%1000), "shop.example"
			if e.Act == seen.Contacted {
				e.Host, e.Third = fmt.Sprintf("h%d.site%d.example", i%50, i%200), true
			}
			e.By = seen.Cause{Script: fmt.Sprintf("https://shop.example/%d.js", i%300), Line: i % 500}
			all = append(all, e)
		}
		return scanOf(all)
	}
	best := func(scan *seen.Scan) time.Duration {
		least := time.Hour
		for range 3 {
			began := time.Now()
			assert.NotEmpty(t, judge.Judge(scan, shop(), judge.Options{}))
			least = min(least, time.Since(began))
		}
		return least
	}
	few, many := best(scan(10_000)), best(scan(100_000))
	t.Logf("10,000 events: %v, 100,000: %v", few, many)
	assert.Less(t, many, 40*few)
}
