package banner

import (
	"context"
	"fmt"
	"strings"

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

// match returns the places of the choices that a name means: by their own names first, then
// by those of the same meaning, then by what they belong to.
func match(choices []choice, wanted string) []int {
	for _, same := range []func(a, b string) bool{
		func(a, b string) bool { return plain(a) == plain(b) },
		func(a, b string) bool { return meaning(a) != "" && meaning(a) == meaning(b) },
	} {
		for _, field := range []func(choice) []string{
			func(c choice) []string { return unless(c.Inner, c.Names) },
			func(c choice) []string { return c.Groups },
			func(c choice) []string { return unless(!c.Inner, c.Names) },
		} {
			var found []int
			for i, c := range choices {
				for _, name := range field(c) {
					if same(name, wanted) {
						found = append(found, i)
						break
					}
				}
			}
			if len(found) > 0 {
				return found
			}
		}
	}
	return nil
}

func unless(not bool, names []string) []string {
	if not {
		return nil
	}
	return names
}

// plain returns a name without what sites write differently: "firstParty", "first-party".
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "", "'", "", "’", "").Replace(strings.TrimSpace(name)))
}

// meanings are names that mean the same, the category of package consent first.
var meanings = [][]string{
	{"statistics", "statistic", "stats", "analytics", "analytic", "analysis", "performance", "measurement", "audience", "audiencemeasurement", "performanceandanalytics", "statistiques", "statistik", "mesuredaudience"},
	{"advertising", "ads", "ad", "advertisement", "advertisements", "marketing", "targeting", "publicité", "werbung", "advertisingnetwork"},
	{"social-networks", "social", "socialmedia", "socialnetwork"},
	{"embedded-media", "video", "videos", "media", "embeds", "embedded", "multimedia"},
	{"chat", "support", "livechat"},
	{"personalisation", "personalization", "personalised", "personalized"},
	{"appearance", "preferences", "preference", "functionality", "functional"},
}

func meaning(name string) string {
	p := plain(name)
	for _, same := range meanings {
		for _, other := range same {
			if plain(other) == p {
				return same[0]
			}
		}
	}
	return ""
}
