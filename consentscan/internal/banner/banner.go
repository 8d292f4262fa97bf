// Package banner answers for a visitor on a site: by the form of our own charter, by what a
// user has said to click, by rules of autoconsent, or as the banners of others are made.
package banner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

// A Page is one in a browser. Open and Settle wait until it is at rest.
type Page interface {
	element.Evaluator
	Open(ctx context.Context, url string) error
	Settle(ctx context.Context) error
	Click(ctx context.Context, selector string) error
	Address(ctx context.Context) (string, error)
}

// A Way is how a visitor answers on a site. Each answer begins on any page of the site, and
// ends when the page is at rest; it may lie on another page then. The error is a
// [*CannotError] if there is no such answer on this site.
type Way interface {
	// Name tells a person what was found, such as "klaro".
	Name() string
	Accept(ctx context.Context, page Page) error
	Refuse(ctx context.Context, page Page) error
	// Only allows one of [Way.Choices], and refuses all others. A category of package
	// consent stands for a choice of the same meaning too: "statistics" for "analytics".
	Only(ctx context.Context, page Page, choice string) error
	// Object objects to what needs no consent, and refuses the rest.
	Object(ctx context.Context, page Page) error
	// Withdraw refuses everything in the page as it lives, after a consent. The page is
	// loaded again only if the site itself does so.
	Withdraw(ctx context.Context, page Page) error
	// Choices returns what can be allowed alone, as the site names it. It may leave the
	// settings open, and belongs to a visitor who is not looked at.
	Choices(ctx context.Context, page Page) ([]string, error)
	// Kept reports whether the site still knows an answer, which is false if it asks. If
	// it cannot be told, known is false.
	Kept(ctx context.Context, page Page) (kept, known bool, err error)
}

// A CannotError says that a site has no such answer.
type CannotError struct {
	Way, Answer string // such as "klaro" and "object"
	Why         string
}

// Error says what the site has no answer for, and why.
func (e *CannotError) Error() string {
	if e.Way == (none{}).Name() {
		return fmt.Sprintf("cannot %s: %s", e.Answer, e.Why)
	}
	return fmt.Sprintf("%s: cannot %s: %s", e.Way, e.Answer, e.Why)
}

// IsCannot reports whether an error says that a site has no such answer.
func IsCannot(err error) bool {
	var cannot *CannotError
	return errors.As(err, &cannot)
}

// The answers, as errors name them.
const (
	accept   = "accept"
	refuse   = "refuse"
	only     = "allow one alone"
	object   = "object"
	withdraw = "withdraw"
)

// Options say how to answer on a site whose banner is not found by itself. The zero value
// leaves it to [Find].
type Options struct {
	// Accept, Refuse, Object and Withdraw are what is clicked, one after the other:
	// "#settings >> .refuse". Each part is a CSS selector, or "xpath/" and an XPath. Those
	// that are empty are answered as the site is found to ask.
	Accept, Refuse, Object, Withdraw string
	// Only has the same for each category.
	Only map[string]string
	// Rules come before what is found by itself, which does what rules cannot.
	Rules Rules
	// Charter is the path of our own charter on this site, such as "/shop/cookies/". Empty:
	// it is looked for.
	Charter string
}

// appears is how long [Find] waits for a banner.
const appears = 2 * time.Second

// Find returns how to answer on the site of a page: as the options say, by the rules, by our
// own charter, as a known banner is made, or a way that can do nothing and says what was
// looked for. Its name is "none" then.
func Find(ctx context.Context, page Page, o Options) (Way, error) {
	clicks, err := parseClicks(o)
	if err != nil {
		return nil, err
	}
	found, err := find(ctx, page, o)
	if err != nil || clicks == nil {
		return found, err
	}
	clicks.otherwise = found
	return clicks, nil
}

// Check returns every mistake of the options, each with its name.
func (o Options) Check() error {
	_, err := parseClicks(o)
	return err
}

func find(ctx context.Context, page Page, o Options) (Way, error) {
	var found Way
	first := true
	_, err := element.Wait(ctx, appears, func(ctx context.Context) (bool, error) {
		rule, err := o.Rules.find(ctx, page)
		if err != nil {
			return false, err
		}
		found, err = findOwn(ctx, page, o.Charter, first)
		first = false
		if rule != nil {
			rule.otherwise, found = found, rule
		}
		return found != nil, err
	})
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return none{looked: o.looked()}, nil
	}
	return found, nil
}

// findOwn returns nil if the page has neither our charter nor a known banner.
func findOwn(ctx context.Context, page Page, given string, first bool) (Way, error) {
	c, err := findCharter(ctx, page, given, first)
	if err != nil {
		return nil, err
	}
	if c != nil {
		return c, nil
	}
	for _, p := range known {
		there, err := p.isThere(ctx, page)
		if err != nil {
			return nil, err
		}
		if there {
			return p, nil
		}
	}
	return nil, nil
}

// looked tells what a site was searched for.
func (o Options) looked() string {
	looked := []string{"the charter"}
	if n := len(o.Rules.list); n > 0 {
		looked = append(looked, fmt.Sprintf("the banners of %d rules", n))
	}
	for _, p := range known {
		looked = append(looked, p.name)
	}
	return strings.Join(looked, ", ")
}

// none is a site on which nothing asks.
type none struct{ looked string }

func (n none) Name() string { return "none" }

func (n none) cannot(answer string) error {
	return &CannotError{Way: n.Name(), Answer: answer, Why: "no banner is known here; looked for " + n.looked}
}

func (n none) Accept(context.Context, Page) error              { return n.cannot(accept) }
func (n none) Refuse(context.Context, Page) error              { return n.cannot(refuse) }
func (n none) Only(context.Context, Page, string) error        { return n.cannot(only) }
func (n none) Object(context.Context, Page) error              { return n.cannot(object) }
func (n none) Withdraw(context.Context, Page) error            { return n.cannot(withdraw) }
func (n none) Choices(context.Context, Page) ([]string, error) { return nil, nil }
func (n none) Kept(context.Context, Page) (bool, bool, error)  { return false, false, nil }
