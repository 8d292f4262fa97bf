// Package element looks for elements in a page, for those who tell a browser what to click.
package element

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// An Evaluator is a page that answers what an expression of JavaScript amounts to. A
// promise is awaited, and the result decoded from JSON.
type Evaluator interface {
	Eval(ctx context.Context, expression string, result any) error
}

// A Selector finds elements. One string is a CSS selector, which looks into open shadow
// roots too, or "xpath/" and an XPath. Of several, each looks in the first element that
// the one before has found, in its open shadow root, or in its frame of the same origin.
type Selector []string

// CSS returns the selector of one string.
func CSS(s string) Selector { return Selector{s} }

func (s Selector) String() string { return strings.Join(s, " » ") }

// Found is how many elements a selector finds, and how many of them a visitor sees.
type Found struct{ All, Visible int }

//go:embed element.js
var library string

// Look counts what a selector finds now.
func Look(ctx context.Context, page Evaluator, s Selector) (Found, error) {
	var found Found
	err := Call(ctx, page, &found, `const all = find(argument); return {All: all.length, Visible: all.filter(seen).length};`, s)
	if err != nil {
		return Found{}, fmt.Errorf("selector %q: %w", s, err)
	}
	return found, nil
}

// IsVisible reports whether a visitor sees an element.
func IsVisible(ctx context.Context, page Evaluator, s Selector) (bool, error) {
	found, err := Look(ctx, page, s)
	return found.Visible > 0, err
}

// Call evaluates the body of a function in the page. In it, find(selector) returns the
// elements of a [Selector], seen(element) tells whether a visitor sees one, and argument
// is the argument.
func Call(ctx context.Context, page Evaluator, result any, body string, argument any) error {
	written, err := json.Marshal(argument)
	if err != nil {
		return err
	}
	return page.Eval(ctx, "(async argument => {\n"+library+body+"\n})("+string(written)+")", result)
}

const pause = 50 * time.Millisecond

// Wait waits until a condition is met, for no longer than limit. It returns false if it was
// not. An error of the condition is one of a page that is being left, until the limit.
func Wait(ctx context.Context, limit time.Duration, condition func(context.Context) (bool, error)) (bool, error) {
	end := time.Now().Add(limit)
	for {
		met, err := condition(ctx)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case met && err == nil:
			return true, nil
		case time.Now().After(end):
			return false, err
		}
		if err := Sleep(ctx, pause); err != nil {
			return false, err
		}
	}
}

// Sleep waits, unless the context ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
