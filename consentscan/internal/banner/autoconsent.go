package banner

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// A failure is a step that did not succeed, which is no fault of the page or the browser.
type failure struct{ text string }

func (f *failure) Error() string { return f.text }

func isFailure(err error) bool {
	var f *failure
	return errors.As(err, &f)
}

func fail(format string, args ...any) error { return &failure{fmt.Sprintf(format, args...)} }

// run does the steps in their order, and ends at the first that fails.
func run(ctx context.Context, page Page, steps []ruleStep) error {
	for i := range steps {
		if err := steps[i].run(ctx, page); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *ruleStep) run(ctx context.Context, page Page) error {
	err := s.do(ctx, page)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.Negated && err == nil:
		err = fail("it succeeded, and is negated")
	case s.Negated && isFailure(err):
		err = nil
	}
	if s.Optional {
		return nil
	}
	return err
}

// do does all that the step names.
func (s *ruleStep) do(ctx context.Context, page Page) error {
	limit := 10 * time.Second
	if s.Timeout > 0 {
		limit = time.Duration(s.Timeout * float64(time.Millisecond))
	}
	within := func(what string, of selector, condition func(element.Found) bool) error {
		met, err := element.Wait(ctx, limit, func(ctx context.Context) (bool, error) {
			found, err := element.Look(ctx, page, of.element())
			return condition(found), err
		})
		if err == nil && !met {
			err = fail("%s %s: not within %s", what, of.element(), limit)
		}
		return err
	}
	now := func(what string, of selector, condition func(element.Found) bool) error {
		found, err := element.Look(ctx, page, of.element())
		if err == nil && !condition(found) {
			err = fail("%s %s: it is not so", what, of.element())
		}
		return err
	}
	exists := func(found element.Found) bool { return found.All > 0 }
	for _, part := range []struct {
		named bool
		do    func() error
	}{
		{s.Exists != nil, func() error { return now("exists", s.Exists, exists) }},
		{s.Visible != nil, func() error { return now("visible", s.Visible, s.isVisible) }},
		{s.Eval != "", func() error {
			return fail("eval %s: the snippets of autoconsent lie in its program, and cannot be run here", s.Eval)
		}},
		{s.WaitFor != nil, func() error { return within("waitFor", s.WaitFor, exists) }},
		{s.WaitForVisible != nil, func() error { return within("waitForVisible", s.WaitForVisible, s.isVisible) }},
		{s.Click != nil, func() error { return s.press(ctx, page, s.Click) }},
		{s.WaitForThenClick != nil, func() error {
			if err := within("waitForThenClick", s.WaitForThenClick, exists); err != nil {
				return err
			}
			return s.press(ctx, page, s.WaitForThenClick)
		}},
		{s.Wait != nil, func() error { return element.Sleep(ctx, time.Duration(*s.Wait*float64(time.Millisecond))) }},
		{s.Hide != nil || s.RemoveClass != "" || s.SetStyle != "" || s.AddStyle != "", func() error { return s.restyle(ctx, page) }},
		{s.CookieContains != "", func() error {
			var contains bool
			err := element.Call(ctx, page, &contains, `return document.cookie.includes(argument);`, s.CookieContains)
			if err == nil && !contains {
				err = fail("cookieContains %q: it is not so", s.CookieContains)
			}
			return err
		}},
		{s.If != nil, func() error {
			err := s.If.run(ctx, page)
			switch {
			case err == nil:
				return run(ctx, page, s.Then)
			case isFailure(err):
				return run(ctx, page, s.Else)
			}
			return err
		}},
		{len(s.Any) > 0, func() error { return runAny(ctx, page, s.Any) }},
	} {
		if part.named {
			if err := part.do(); err != nil {
				return err
			}
		}
	}
	return nil
}

func runAny(ctx context.Context, page Page, steps []ruleStep) error {
	for i := range steps {
		if err := steps[i].run(ctx, page); err == nil || !isFailure(err) {
			return err
		}
	}
	return fail("any: none of %d steps succeeded", len(steps))
}

func (s *ruleStep) isVisible(found element.Found) bool {
	switch s.Check {
	case "any":
		return found.Visible > 0
	case "none":
		return found.Visible == 0
	default:
		return found.All > 0 && found.Visible == found.All
	}
}

// press clicks what is there, seen or not, as autoconsent does. What is moving has time to
// come to rest.
func (s *ruleStep) press(ctx context.Context, page Page, of selector) error {
	found, err := element.Look(ctx, page, of.element())
	switch {
	case err != nil:
		return err
	case found.All == 0:
		return fail("click %s: there is none", of.element())
	case found.Visible > 0:
		if _, err := element.Wait(ctx, time.Second, func(ctx context.Context) (bool, error) { return isReady(ctx, page, of.element()) }); err != nil {
			return err
		}
	}
	return click(ctx, page, of.element(), s.All)
}

// restyle hides elements, or changes their classes and styles.
func (s *ruleStep) restyle(ctx context.Context, page Page) error {
	var n int
	err := element.Call(ctx, page, &n, `
		const {Hide, Method, Selector, RemoveClass, SetStyle, AddStyle} = argument;
		if (Hide) Hide.flatMap(one => find([one])).forEach(e => Method === "opacity" ? e.style.setProperty("opacity", "0", "important") : e.style.setProperty("display", "none", "important"));
		const found = Selector ? find(Selector) : [];
		for (const e of found) {
			if (RemoveClass) e.classList.remove(RemoveClass);
			if (SetStyle) e.style.cssText = SetStyle;
			if (AddStyle) e.style.cssText += ";" + AddStyle;
		}
		return found.length;`, map[string]any{
		"Hide": s.Hide, "Method": s.Method, "Selector": s.Selector, "RemoveClass": s.RemoveClass, "SetStyle": s.SetStyle, "AddStyle": s.AddStyle,
	})
	if err == nil && n == 0 && s.Hide == nil {
		err = fail("%s: there is none", s.Selector.element())
	}
	return err
}
