package banner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

// clicks answers by what a user has said to click. What they have not said is answered as
// the site was found to ask.
type clicks struct {
	// stays is whether a button was seen to stay where it is after an answer. Several
	// visitors share what they are told.
	stays                            atomic.Bool
	accept, refuse, object, withdraw sequence
	only                             map[string]sequence
	otherwise                        Way
}

// A sequence is clicked one after the other.
type sequence []element.Selector

// parseClicks returns nil if the options name nothing to click. The error has every
// mistake.
func parseClicks(o Options) (*clicks, error) {
	var mistakes []error
	given := false
	parse := func(name, text string) sequence {
		if text == "" {
			return nil
		}
		given = true
		var s sequence
		for part := range strings.SplitSeq(text, ">>") {
			if part = strings.TrimSpace(part); part == "" {
				mistakes = append(mistakes, fmt.Errorf(`%s: %q: want a selector on each side of ">>"`, name, text))
				return nil
			}
			s = append(s, element.CSS(part))
		}
		return s
	}
	c := &clicks{
		accept: parse("accept", o.Accept), refuse: parse("refuse", o.Refuse), object: parse("object", o.Object), withdraw: parse("withdraw", o.Withdraw),
		only: make(map[string]sequence),
	}
	for _, category := range slices.Sorted(maps.Keys(o.Only)) {
		if category == "" || o.Only[category] == "" {
			mistakes = append(mistakes, fmt.Errorf("only: %q=%q: want a category and what to click", category, o.Only[category]))
			continue
		}
		c.only[category] = parse("only "+category, o.Only[category])
	}
	if o.Charter != "" && (o.Charter[0] != '/' || strings.HasPrefix(o.Charter, "//")) {
		mistakes = append(mistakes, fmt.Errorf("charter: %q is no path that begins with one \"/\"", o.Charter))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if !given {
		return nil, nil
	}
	return c, nil
}

func isXPath(selector string) bool { return strings.HasPrefix(selector, "xpath/") }

func (c *clicks) Name() string {
	if name := c.otherwise.Name(); name != (none{}).Name() {
		return "selectors and " + name
	}
	return "selectors"
}

// do clicks a sequence, or lets the way that was found do it.
func (c *clicks) do(ctx context.Context, page Page, s sequence, otherwise func(context.Context, Page) error) error {
	if s == nil {
		return otherwise(ctx, page)
	}
	for i, selector := range s {
		if err := press(ctx, page, selector); err != nil {
			return fmt.Errorf("click %d of %d: %w", i+1, len(s), err)
		}
	}
	return page.Settle(ctx)
}

func (c *clicks) Accept(ctx context.Context, page Page) error {
	return c.answer(ctx, page, c.accept, c.otherwise.Accept)
}

func (c *clicks) Refuse(ctx context.Context, page Page) error {
	return c.answer(ctx, page, c.refuse, c.otherwise.Refuse)
}

// answer clicks the last button again if it stays: its script may not have listened yet.
func (c *clicks) answer(ctx context.Context, page Page, s sequence, otherwise func(context.Context, Page) error) error {
	if err := c.do(ctx, page, s, otherwise); err != nil || s == nil {
		return err
	}
	last := s[len(s)-1]
	gone, err := element.Wait(ctx, effect, func(ctx context.Context) (bool, error) {
		visible, err := element.IsVisible(ctx, page, last)
		return !visible, err
	})
	if err != nil || gone {
		return err
	}
	if err := click(ctx, page, last, false); err != nil {
		return err
	}
	if err := page.Settle(ctx); err != nil {
		return err
	}
	visible, err := element.IsVisible(ctx, page, last)
	if visible {
		c.stays.Store(true)
	}
	return err
}

func (c *clicks) Object(ctx context.Context, page Page) error {
	return c.do(ctx, page, c.object, c.otherwise.Object)
}

func (c *clicks) Withdraw(ctx context.Context, page Page) error {
	return c.do(ctx, page, c.withdraw, c.otherwise.Withdraw)
}

func (c *clicks) Only(ctx context.Context, page Page, choice string) error {
	return c.do(ctx, page, c.only[choice], func(ctx context.Context, page Page) error { return c.otherwise.Only(ctx, page, choice) })
}

func (c *clicks) Choices(ctx context.Context, page Page) ([]string, error) {
	if len(c.only) > 0 {
		return slices.Sorted(maps.Keys(c.only)), nil
	}
	return c.otherwise.Choices(ctx, page)
}

// Kept takes a site to ask if what is clicked first to answer can be seen. If it stays
// after an answer, as the buttons in the foot of a page do, it tells nothing.
func (c *clicks) Kept(ctx context.Context, page Page) (kept, known bool, err error) {
	if c.stays.Load() {
		return false, false, nil
	}
	for _, s := range []sequence{c.accept, c.refuse} {
		if s != nil {
			visible, err := element.IsVisible(ctx, page, s[0])
			return !visible, err == nil, err
		}
	}
	return c.otherwise.Kept(ctx, page)
}
