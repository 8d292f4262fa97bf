package banner

import (
	"context"
	"fmt"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

// openSettings opens the settings unless they are open: as the banner offers it, by a link
// of the site, or as the site's own script would.
func (p *product) openSettings(ctx context.Context, page Page, answer string) error {
	open, err := element.IsVisible(ctx, page, element.CSS(p.panel))
	if err != nil || open {
		return err
	}
	isOpen := func(ctx context.Context) (bool, error) { return isReady(ctx, page, element.CSS(p.panel)) }
	opened, err := insist(ctx, func(ctx context.Context) error {
		if visible, err := element.IsVisible(ctx, page, element.CSS(p.panel)); err != nil || visible {
			return err // it only moves yet
		}
		button, err := firstReady(ctx, page, append(append([]string(nil), p.settings...), p.reopen...))
		if err != nil {
			return err
		}
		if button != "" {
			return page.Click(ctx, button)
		}
		var could bool
		if err := page.Eval(ctx, "("+p.open+")()", &could); err != nil {
			return err
		}
		if !could {
			return &CannotError{p.name, answer, "the page has no button and no link that opens the settings"}
		}
		return nil
	}, isOpen)
	if err == nil && !opened {
		err = fmt.Errorf("%s: the settings do not open", p.name)
	}
	return err
}

// clickUntilGone clicks a button until what it is in is no longer seen.
func (p *product) clickUntilGone(ctx context.Context, page Page, button, box string) error {
	gone, err := insist(ctx, func(ctx context.Context) error {
		if visible, err := element.IsVisible(ctx, page, element.CSS(button)); err != nil || !visible {
			return err
		}
		return page.Click(ctx, button)
	}, func(ctx context.Context) (bool, error) {
		visible, err := element.IsVisible(ctx, page, element.CSS(box))
		return !visible, err
	})
	if err == nil && !gone {
		err = fmt.Errorf("%s: it is still there after a click on %s", p.name, button)
	}
	if err != nil {
		return err
	}
	return page.Settle(ctx)
}

// answerInPanel answers all at once, or each choice, and saves.
func (p *product) answerInPanel(ctx context.Context, page Page, all []string, allowed bool) error {
	button, err := firstReady(ctx, page, all)
	if err != nil {
		return err
	}
	answered := false
	if button != "" {
		answered, err = insist(ctx, func(ctx context.Context) error {
			_, err := pressFirst(ctx, page, 0, button)
			return err
		}, func(ctx context.Context) (bool, error) {
			visible, err := element.IsVisible(ctx, page, element.CSS(p.panel))
			if err != nil || !visible {
				return err == nil, err
			}
			choices, err := p.read(ctx, page)
			return areAll(choices, allowed), err
		})
	}
	if err != nil {
		return err
	}
	if !answered {
		choices, err := p.read(ctx, page)
		if err != nil {
			return err
		}
		for i, c := range choices {
			if !c.Inner {
				if err := p.set(ctx, page, i, allowed); err != nil {
					return err
				}
			}
		}
	}
	return p.leave(ctx, page, p.save)
}

// areAll reports whether all choices are seen to be allowed, or refused.
func areAll(choices []choice, allowed bool) bool {
	for _, c := range choices {
		if c.On == nil || *c.On != allowed {
			return false
		}
	}
	return true
}

// leave clicks a button that saves or closes the settings, if they are still open and have
// one.
func (p *product) leave(ctx context.Context, page Page, buttons []string) error {
	var button string
	_, err := element.Wait(ctx, patience, func(ctx context.Context) (bool, error) {
		var err error
		if button, err = firstReady(ctx, page, buttons); button != "" || err != nil {
			return err == nil, err
		}
		if open, err := element.IsVisible(ctx, page, element.CSS(p.panel)); err != nil || !open {
			return err == nil, err
		}
		for _, b := range buttons {
			if found, err := element.Look(ctx, page, element.CSS(b)); err != nil || found.Visible > 0 {
				return false, err // it only moves yet
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	if button == "" {
		return page.Settle(ctx)
	}
	return p.clickUntilGone(ctx, page, button, p.panel)
}

func (p *product) read(ctx context.Context, page Page) ([]choice, error) {
	var choices []choice
	if err := element.Call(ctx, page, &choices, p.choices, nil); err != nil {
		return nil, fmt.Errorf("%s: its choices cannot be read: %w", p.name, err)
	}
	return choices, nil
}

// set allows or refuses the choice of a place. It reads it anew: a click may have changed
// others.
func (p *product) set(ctx context.Context, page Page, place int, allowed bool) error {
	choices, err := p.read(ctx, page)
	if err != nil {
		return err
	}
	if place >= len(choices) {
		return fmt.Errorf("%s: the settings have changed while they were filled in", p.name)
	}
	c := choices[place]
	if c.On != nil && *c.On == allowed {
		return nil
	}
	target := element.CSS(c.Refuse)
	if allowed {
		target = element.CSS(c.Allow)
	}
	visible, err := element.IsVisible(ctx, page, target)
	if err != nil {
		return err
	}
	if !visible && c.Expand != "" {
		if err := press(ctx, page, element.CSS(c.Expand)); err != nil {
			return err
		}
	}
	if err := press(ctx, page, target); err != nil {
		return err
	}
	switched, err := element.Wait(ctx, effect, func(ctx context.Context) (bool, error) {
		choices, err := p.read(ctx, page)
		return err == nil && place < len(choices) && choices[place].On != nil && *choices[place].On == allowed, err
	})
	if err == nil && !switched {
		err = fmt.Errorf("%s: the switch of %s does not move", p.name, list(c.Names))
	}
	return err
}
