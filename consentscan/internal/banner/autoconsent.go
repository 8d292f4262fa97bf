package banner

import (
	"context"
	"errors"
	"fmt"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

// find returns the first rule that fits the page, one for this address before one for all.
// It returns nil if none fits.
func (r Rules) find(ctx context.Context, page Page) (*autoconsent, error) {
	for _, forThis := range []bool{true, false} {
		for _, rule := range r.list {
			if rule.RunContext.Main != nil && !*rule.RunContext.Main || (rule.RunContext.URLPattern != "") != forThis {
				continue
			}
			fits, err := rule.fits(ctx, page)
			if err != nil {
				return nil, fmt.Errorf("rule %q: %w", rule.Name, err)
			}
			if fits {
				return &autoconsent{rule: rule, all: r}, nil
			}
		}
	}
	return nil, nil
}

func (r *rule) fits(ctx context.Context, page Page) (bool, error) {
	if pattern := r.RunContext.URLPattern; pattern != "" {
		var matches bool
		if err := element.Call(ctx, page, &matches, `return new RegExp(argument).test(location.href);`, pattern); err != nil || !matches {
			return false, err
		}
	}
	err := run(ctx, page, r.DetectCMP)
	if isFailure(err) {
		return false, nil
	}
	return err == nil, err
}

// autoconsent answers by a rule.
type autoconsent struct {
	*rule
	all       Rules
	otherwise Way // does what rules cannot; nil: nothing does
}

func (a *autoconsent) Name() string { return "autoconsent " + a.rule.Name }

func (a *autoconsent) Accept(ctx context.Context, page Page) error {
	return a.answer(ctx, page, accept, func(r *rule) []ruleStep { return r.OptIn })
}

func (a *autoconsent) Refuse(ctx context.Context, page Page) error {
	return a.answer(ctx, page, refuse, func(r *rule) []ruleStep { return r.OptOut })
}

// maxStages is how many rules follow one another, each on the page to which the one before
// has led.
const maxStages = 4

func (a *autoconsent) answer(ctx context.Context, page Page, answer string, steps func(*rule) []ruleStep) error {
	r := a.rule
	for range maxStages {
		switch {
		case len(steps(r)) == 0:
			return &CannotError{a.Name(), answer, "the rule has no steps for it"}
		case r.Cosmetic && answer == refuse:
			return &CannotError{a.Name(), answer, "the rule only hides the banner"}
		}
		asks, err := element.Wait(ctx, appears, func(ctx context.Context) (bool, error) { return a.asks(ctx, page, r) })
		if err == nil && !asks {
			err = errors.New("the banner is not shown")
		}
		if err == nil {
			err = run(ctx, page, steps(r))
		}
		if err != nil {
			return fmt.Errorf("rule %q: %w", r.Name, err)
		}
		if err := page.Settle(ctx); err != nil {
			return err
		}
		if !r.Intermediate {
			return a.again(ctx, page, r, steps(r))
		}
		next, err := a.all.find(ctx, page)
		if err != nil {
			return err
		}
		if next == nil {
			return nil
		}
		r = next.rule
	}
	return fmt.Errorf("rule %q: more than %d rules follow one another", a.rule.Name, maxStages)
}

// again does the steps once more if the banner stays: its script may not have listened yet.
func (a *autoconsent) again(ctx context.Context, page Page, r *rule, steps []ruleStep) error {
	gone, err := element.Wait(ctx, effect, func(ctx context.Context) (bool, error) {
		asks, err := a.asks(ctx, page, r)
		return !asks, err
	})
	if err != nil || gone {
		return err
	}
	if err := run(ctx, page, steps); err != nil && !isFailure(err) {
		return err
	}
	return page.Settle(ctx)
}

// asks reports whether the banner is shown.
func (a *autoconsent) asks(ctx context.Context, page Page, r *rule) (bool, error) {
	err := run(ctx, page, r.DetectPopup)
	if isFailure(err) {
		return false, nil
	}
	return err == nil, err
}

func (a *autoconsent) Only(ctx context.Context, page Page, choice string) error {
	if a.otherwise != nil {
		return a.otherwise.Only(ctx, page, choice)
	}
	return &CannotError{a.Name(), only, "autoconsent's rules know all and nothing: say what to click with -only"}
}

func (a *autoconsent) Object(ctx context.Context, page Page) error {
	if a.otherwise != nil {
		return a.otherwise.Object(ctx, page)
	}
	return &CannotError{a.Name(), object, "autoconsent's rules know no objection: say what to click with -object"}
}

func (a *autoconsent) Withdraw(ctx context.Context, page Page) error {
	if a.otherwise != nil {
		return a.otherwise.Withdraw(ctx, page)
	}
	return &CannotError{a.Name(), withdraw, "autoconsent's rules know no withdrawal: say what to click with -withdraw"}
}

func (a *autoconsent) Choices(ctx context.Context, page Page) ([]string, error) {
	if a.otherwise != nil {
		return a.otherwise.Choices(ctx, page)
	}
	return nil, nil
}

func (a *autoconsent) Kept(ctx context.Context, page Page) (kept, known bool, err error) {
	asks, err := a.asks(ctx, page, a.rule)
	return !asks, err == nil && len(a.DetectPopup) > 0, err
}
