package scan

import (
	"context"
	"fmt"
	"slices"

	"github.com/chromedp/cdproto/network"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/banner"
	"github.com/cookiecharter/consent/consentscan/internal/browse"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// A visit is one visitor and the stages that they go through.
type visit struct {
	first   seen.Stage
	headers map[string]string
	cookie  *network.CookieParam
	// answer gives the answer of the first stage; nil: there is none.
	answer func(context.Context, banner.Page) error
	// withdraws says that the visitor takes the answer back in the end.
	withdraws bool
	// then is a decision that the visitor brings along in the end.
	then  *State
	leads bool
}

// The names of stages that others look for.
const (
	withdrawing = "withdrawing"
	withdrawn   = "withdrawn"
	before      = "new"
)

// stages returns the stages of a visit, in order.
func (w visit) stages() []seen.Stage {
	list := []seen.Stage{w.first}
	if w.then != nil {
		list = append(list, w.then.Stage)
	}
	if w.withdraws {
		then := seen.Stage{Name: withdrawing, Choice: consent.RefuseAll(), Answered: true, Nothing: true, Earlier: w.first.Name, Living: true, Regime: w.first.Regime}
		list = append(list, then)
		then.Name, then.Living = withdrawn, false
		list = append(list, then)
	}
	return list
}

// plan returns the visits, the one that finds the pages first.
func (s *scan) plan(ctx context.Context) []visit {
	if len(s.options.States) > 0 {
		visits := make([]visit, len(s.options.States))
		for i, state := range s.options.States {
			visits[i] = visit{first: state.Stage, cookie: state.Cookie, headers: state.Headers, then: state.Then}
		}
		return visits
	}
	regime := s.law
	visits := []visit{{first: seen.Stage{Name: before, Nothing: regime == consent.OptIn, Regime: regime}}}
	refused := func(v visit) visit { v.first.Nothing = true; return v }
	answered := func(name string, choice consent.Choice, answer func(context.Context, banner.Page) error) visit {
		return visit{first: seen.Stage{Name: name, Choice: choice, Answered: true, Regime: regime}, answer: answer}
	}
	if s.way.Name() != "none" {
		accepted := answered("accepted", consent.AcceptAll(), s.way.Accept)
		accepted.withdraws = true
		visits = append(visits, accepted, refused(answered("refused", consent.RefuseAll(), s.way.Refuse)))
		for _, category := range s.categories() {
			visits = append(visits, answered("only "+category, consent.Accept(consent.Category(category)), func(ctx context.Context, p banner.Page) error {
				return s.way.Only(ctx, p, category)
			}))
		}
		if s.canObject() {
			visits = append(visits, refused(answered("objected", consent.RefuseAll().WithObjection(), s.way.Object)))
		}
	}
	if regime == consent.OptOut {
		visits = append(visits, visit{first: seen.Stage{Name: "new with Sec-GPC", Regime: regime, GPC: true}})
	}
	if len(s.options.OptOut) > 0 {
		law := s.regime(ctx, s.options.OptOut)
		visits = append(visits,
			visit{first: seen.Stage{Name: "opt-out", Regime: law}, headers: s.options.OptOut},
			visit{first: seen.Stage{Name: "opt-out with Sec-GPC", Regime: law, GPC: true}, headers: s.options.OptOut})
	}
	return visits
}

// categories returns those that are answered alone: all that are declared and need
// consent, or what the banner lets be chosen.
func (s *scan) categories() (list []string) {
	if s.result.Registry == nil {
		return s.choices()
	}
	for _, c := range s.result.Registry.Cookies() {
		if c.NeedsConsent() && !slices.Contains(list, string(c.Category)) {
			list = append(list, string(c.Category))
		}
	}
	slices.Sort(list)
	return list
}

func (s *scan) canObject() bool {
	return s.result.Registry != nil && slices.ContainsFunc(s.result.Registry.Cookies(), func(c consent.Cookie) bool { return c.Anonymous })
}

// choices asks the banner what can be chosen, by a visitor of its own.
func (s *scan) choices() (list []string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience())
	defer cancel()
	_ = s.aside(ctx, nil, func(ctx context.Context, v *browse.Visitor) (err error) {
		list, err = s.way.Choices(ctx, v)
		return err
	}) // an error: nothing can be chosen
	return list
}

// regime asks the site under which law it takes a visitor for who sends headers.
func (s *scan) regime(ctx context.Context, headers map[string]string) (law consent.Regime) {
	path, ours := banner.CharterPath(s.way)
	if !ours {
		return consent.OptOut // as the user says
	}
	_ = s.aside(ctx, headers, func(ctx context.Context, v *browse.Visitor) error {
		law = regimeOf(ctx, v, path)
		return nil
	}) // an error: the strictest law
	return law
}

// regimeOf asks our charter at path under which law a visitor is: the strictest one if it
// does not say.
func regimeOf(ctx context.Context, v *browse.Visitor, path string) consent.Regime {
	var state struct{ Regime consent.Regime }
	if err := v.Eval(ctx, fmt.Sprintf(`fetch(%q).then((r) => r.json())`, path+"state.json"), &state); err != nil {
		return consent.OptIn
	}
	return state.Regime
}

// aside has a visitor whose doings nobody records open the first page.
func (s *scan) aside(ctx context.Context, headers map[string]string, do func(context.Context, *browse.Visitor) error) error {
	v, err := s.visitor(ctx, "aside", visit{headers: headers})
	if err != nil {
		return err
	}
	defer v.Close()
	if err := s.setUp(ctx, v); err != nil {
		return err
	}
	if err := v.Open(ctx, s.start.String()); err != nil {
		return err
	}
	return do(ctx, v)
}
