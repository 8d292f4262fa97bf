package banner

import (
	"context"
	"fmt"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

// patience is how long a part of a banner may take to appear after a click.
const patience = 5 * time.Second

// ready is the body of a script that counts those of an element that a visitor sees, and
// that do not move: a click on a place would miss one that does.
const ready = `
	const moving = document.getAnimations().filter(a => a.playState === "running" && a.effect?.getComputedTiming().endTime < 1e4).map(a => a.effect.target);
	return find(argument).filter(e => seen(e) && !moving.some(m => m?.contains(e))).length;`

func isReady(ctx context.Context, page Page, s element.Selector) (bool, error) {
	var n int
	if err := element.Call(ctx, page, &n, ready, s); err != nil {
		return false, fmt.Errorf("selector %q: %w", s, err)
	}
	return n > 0, nil
}

// press waits for an element and clicks it.
func press(ctx context.Context, page Page, s element.Selector) error {
	met, err := element.Wait(ctx, patience, func(ctx context.Context) (bool, error) { return isReady(ctx, page, s) })
	if err != nil {
		return err
	}
	if !met {
		return fmt.Errorf("no visible %s within %s", s, patience)
	}
	return click(ctx, page, s, false)
}

// mark is an attribute by which the browser's click finds what no CSS selector does.
const mark = "data-consentscan-click"

// click clicks the first of the elements, if possible one that a visitor sees, or all of
// them. One that cannot be clicked with the mouse, since it is hidden or lies in a frame, is
// clicked by a script.
func click(ctx context.Context, page Page, s element.Selector, all bool) error {
	if len(s) == 1 && !all && !isXPath(s[0]) {
		if visible, err := element.IsVisible(ctx, page, s); err != nil || visible {
			if err != nil {
				return err
			}
			return page.Click(ctx, s[0])
		}
	}
	var marked, clicked int
	err := element.Call(ctx, page, &marked, `
		const found = find(argument.selector), targets = argument.all ? found : [found.find(seen) ?? found[0]].filter(Boolean);
		targets.forEach((target, i) => target.setAttribute(argument.mark, i));
		return targets.length;`, map[string]any{"selector": s, "all": all, "mark": mark})
	if err != nil {
		return fmt.Errorf("selector %q: %w", s, err)
	}
	if marked == 0 {
		return fmt.Errorf("no %s", s)
	}
	for i := range min(marked, maxClicks) {
		this := fmt.Sprintf(`[%s="%d"]`, mark, i)
		visible, err := element.IsVisible(ctx, page, element.CSS(this))
		if err != nil {
			return err
		}
		if visible {
			err = page.Click(ctx, this)
		} else {
			// find has looked into frames, where this selector does not.
			err = element.Call(ctx, page, &clicked, `find(argument.selector).find(e => e.getAttribute(argument.mark) === argument.i)?.click(); return 1;`,
				map[string]any{"selector": s, "mark": mark, "i": fmt.Sprint(i)})
		}
		if err != nil {
			return err
		}
	}
	// The page may be another one by now.
	_ = element.Call(ctx, page, &clicked, `find(argument.selector).forEach(e => e.removeAttribute(argument.mark)); return 1;`,
		map[string]any{"selector": s, "mark": mark})
	return nil
}

const maxClicks = 100

// firstReady returns the first of several selectors whose element can be clicked.
func firstReady(ctx context.Context, page Page, selectors []string) (string, error) {
	for _, s := range selectors {
		if met, err := isReady(ctx, page, element.CSS(s)); met || err != nil {
			return s, err
		}
	}
	return "", nil
}

// pressFirst waits for the first of several elements, for no longer than limit, and clicks
// it. It returns false if there is none.
func pressFirst(ctx context.Context, page Page, limit time.Duration, selectors ...string) (bool, error) {
	var found string
	met, err := element.Wait(ctx, limit, func(ctx context.Context) (bool, error) {
		s, err := firstReady(ctx, page, selectors)
		found = s
		return s != "", err
	})
	if err != nil || !met {
		return false, err
	}
	return true, page.Click(ctx, found)
}

const (
	// effect is how long a click may take to show.
	effect = 1500 * time.Millisecond
	// tries is how often something is clicked: scripts may show a button before they listen
	// to it.
	tries = 3
)

// insist acts, and again if what it is to bring about does not come.
func insist(ctx context.Context, act func(context.Context) error, done func(context.Context) (bool, error)) (bool, error) {
	for range tries {
		if err := act(ctx); err != nil {
			return false, err
		}
		if met, err := element.Wait(ctx, effect, done); met || err != nil {
			return met, err
		}
	}
	return false, nil
}
