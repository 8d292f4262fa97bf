package banner

import (
	"context"
	"fmt"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

// A product is a banner that many sites use. All strings are CSS selectors unless they say
// otherwise; of several the first that a visitor sees is clicked.
type product struct {
	name string
	// cookie keeps the answer, unless the site has named it otherwise.
	cookie string
	// there is an expression: whether the page has it.
	there string
	// asks is what a visitor sees until they have answered.
	asks string
	// accept, refuse and settings are in what asks.
	accept, refuse, settings []string
	// reopen leads to the settings later. open is a function that a page calls for it,
	// says the documentation; it returns whether it could.
	reopen []string
	open   string
	// panel is the settings, with the buttons in them. One that closes them does not save.
	panel                             string
	acceptAll, refuseAll, save, close []string
	// choices is the body of a script that returns a [choice] for each switch in the panel.
	choices string
}

// A choice is what can be allowed alone: a category, or a service.
type choice struct {
	// Names are those of the choice, Groups those of what it belongs to.
	Names, Groups []string
	// Inner says that it lies in the choice before it that does not.
	Inner bool
	// On is whether it is allowed, null if it has no answer yet.
	On *bool
	// Allow and Refuse are clicked: the same switch, or two buttons.
	Allow, Refuse string
	// Expand is clicked first if Allow cannot be seen.
	Expand string
}

func (p *product) Name() string { return p.name }

// OwnCookies returns the names under which the site of a way keeps a visitor's answer by
// itself; none are known of what a user has said to click.
func OwnCookies(w Way) []string {
	switch w := w.(type) {
	case *product:
		return []string{w.cookie}
	case *clicks:
		return OwnCookies(w.otherwise)
	}
	return nil
}

func (p *product) isThere(ctx context.Context, page Page) (bool, error) {
	var there bool
	err := page.Eval(ctx, "!!("+p.there+")", &there)
	return there, err
}

func (p *product) Accept(ctx context.Context, page Page) error {
	return p.answer(ctx, page, accept, p.accept, p.acceptAll, true)
}

func (p *product) Refuse(ctx context.Context, page Page) error {
	return p.answer(ctx, page, refuse, p.refuse, p.refuseAll, false)
}

// answer clicks a button of the banner. If there is none, it answers in the settings.
func (p *product) answer(ctx context.Context, page Page, answer string, direct, all []string, allowed bool) error {
	if err := p.await(ctx, page); err != nil {
		return err
	}
	button, err := firstReady(ctx, page, direct)
	if err != nil {
		return err
	}
	if button != "" {
		return p.clickUntilGone(ctx, page, button, p.asks)
	}
	if err := p.openSettings(ctx, page, answer); err != nil {
		return err
	}
	if err := p.answerInPanel(ctx, page, all, allowed); err != nil {
		return err
	}
	return p.leave(ctx, page, p.close)
}

// await waits until the banner asks, or the settings do in its place. A site on which
// nothing asks may have settings all the same.
func (p *product) await(ctx context.Context, page Page) error {
	_, err := element.Wait(ctx, appears, func(ctx context.Context) (bool, error) {
		s, err := firstReady(ctx, page, []string{p.asks, p.panel})
		return s != "", err
	})
	return err
}

func (p *product) Choices(ctx context.Context, page Page) ([]string, error) {
	if err := p.await(ctx, page); err != nil {
		return nil, err
	}
	if err := p.openSettings(ctx, page, only); err != nil {
		if IsCannot(err) {
			err = nil
		}
		return nil, err
	}
	choices, err := p.read(ctx, page)
	return names(choices), err
}

// names returns a name for each choice that no other choice covers.
func names(choices []choice) []string {
	var result []string
	for _, c := range choices {
		if len(c.Names) > 0 && !c.Inner {
			result = append(result, c.Names[0])
		}
	}
	return result
}

func (p *product) Only(ctx context.Context, page Page, wanted string) error {
	if err := p.await(ctx, page); err != nil {
		return err
	}
	if err := p.openSettings(ctx, page, only); err != nil {
		return err
	}
	choices, err := p.read(ctx, page)
	if err != nil {
		return err
	}
	meant := match(choices, wanted)
	if len(meant) == 0 {
		return &CannotError{p.name, only, fmt.Sprintf("it asks for %s, and not for %s", list(names(choices)), wanted)}
	}
	for i, c := range choices {
		if !c.Inner {
			if err := p.set(ctx, page, i, false); err != nil {
				return err
			}
		}
	}
	for _, i := range meant {
		if err := p.set(ctx, page, i, true); err != nil {
			return err
		}
	}
	if err := p.leave(ctx, page, p.save); err != nil {
		return err
	}
	return p.leave(ctx, page, p.close)
}

func (p *product) Object(context.Context, Page) error {
	return &CannotError{p.name, object, "it has no objection apart from a refusal"}
}

// Withdraw does not close settings that have saved each click: tarteaucitron then loads the
// page again, and what still lives in it is what a withdrawal is about.
func (p *product) Withdraw(ctx context.Context, page Page) error {
	if err := p.openSettings(ctx, page, withdraw); err != nil {
		return err
	}
	return p.answerInPanel(ctx, page, p.refuseAll, false)
}

func (p *product) Kept(ctx context.Context, page Page) (kept, known bool, err error) {
	asks, err := element.IsVisible(ctx, page, element.CSS(p.asks))
	return !asks, err == nil, err
}
