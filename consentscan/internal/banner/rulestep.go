package banner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

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
	for _, part := range []struct {
		named bool
		do    func() error
	}{
		{s.Exists != nil, func() error { return holds(ctx, page, "exists", s.Exists, exists) }},
		{s.Visible != nil, func() error { return holds(ctx, page, "visible", s.Visible, s.isVisible) }},
		{s.Eval != "", func() error {
			return fail("eval %s: the snippets of autoconsent lie in its program, and cannot be run here", s.Eval)
		}},
		{s.WaitFor != nil, func() error { return s.await(ctx, page, "waitFor", s.WaitFor, exists) }},
		{s.WaitForVisible != nil, func() error { return s.await(ctx, page, "waitForVisible", s.WaitForVisible, s.isVisible) }},
		{s.Click != nil, func() error { return s.press(ctx, page, s.Click) }},
		{s.WaitForThenClick != nil, func() error {
			if err := s.await(ctx, page, "waitForThenClick", s.WaitForThenClick, exists); err != nil {
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

func exists(found element.Found) bool { return found.All > 0 }

// holds fails unless a condition holds now.
func holds(ctx context.Context, page Page, what string, of selector, condition func(element.Found) bool) error {
	found, err := element.Look(ctx, page, of.element())
	if err == nil && !condition(found) {
		err = fail("%s %s: it is not so", what, of.element())
	}
	return err
}

// await fails unless a condition comes to hold within the time of the step.
func (s *ruleStep) await(ctx context.Context, page Page, what string, of selector, condition func(element.Found) bool) error {
	limit := 10 * time.Second
	if s.Timeout > 0 {
		limit = time.Duration(s.Timeout * float64(time.Millisecond))
	}
	met, err := element.Wait(ctx, limit, func(ctx context.Context) (bool, error) {
		found, err := element.Look(ctx, page, of.element())
		return condition(found), err
	})
	if err == nil && !met {
		err = fail("%s %s: not within %s", what, of.element(), limit)
	}
	return err
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
