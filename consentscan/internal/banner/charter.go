package banner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

// charter answers by the form of our own charter, as a visitor does. Templates of a site's
// own keep the names and values of the form, and perhaps not the classes.
type charter struct {
	address string // of the charter's page, absolute
	path    string
}

const (
	choiceOf    = `button[name="choice"][value="%s"]`
	inBanner    = `.charter-banner ` + choiceOf
	inOwnBanner = `form:has(input[name="by"][value="banner"]) ` + choiceOf
	inDialog    = `dialog[open] form[method="post"] ` + choiceOf
	inForm      = `form[method="post"]:has(button[name="choice"][value="save"]) ` + choiceOf
	answersOf   = `input[type="radio"][name^="category:"]`
)

// openers lead to the settings. The first ones lie over the page.
var openers = []string{`.charter-done [data-charter-open]`, `.charter-button`, `.charter-link`, `[data-charter-open]`}

// findCharter returns nil if the page does not have our charter, as its own marks say, or a
// fetch of charter.json. Whether it lies at its usual path is asked only once.
func findCharter(ctx context.Context, page Page, given string, first bool) (*charter, error) {
	var found struct{ Address, Path string }
	err := element.Call(ctx, page, &found, `
		const marked = new Set, guessed = new Set;
		const add = (to, href) => { try {
			const url = new URL(href, document.baseURI);
			if (url.origin === location.origin) to.add(url.pathname.replace(/[^/]*$/, ""));
		} catch {} };
		if (argument.given) add(marked, argument.given.replace(/\/*$/, "/"));
		else {
			for (const e of document.querySelectorAll("a.charter-link, a[data-charter-open]")) add(marked, e.getAttribute("href"));
			for (const e of document.querySelectorAll("form.charter-form, .charter-banner form, form:has(input[name='by'][value='banner'])")) add(marked, e.getAttribute("action"));
			for (const e of document.querySelectorAll("script[src]")) if (/\/(script|head)(-[^\/]*)?\.js(\?|$)/.test(e.src)) add(window.consent?.scan && window.consent.state ? marked : guessed, e.src);
			if (argument.first) guessed.add("/cookies/");
		}
		for (const path of [...marked, ...guessed].slice(0, 10)) {
			let document, isBlocked = false;
			try {
				const response = await fetch(path + "charter.json", {credentials: "same-origin", signal: AbortSignal.timeout(3000)});
				if (response.ok && /json/.test(response.headers.get("Content-Type"))) document = await response.json();
			} catch { isBlocked = true; } // perhaps by a policy of the page
			if (Array.isArray(document?.cookies) && "revision" in document || isBlocked && marked.has(path))
				return {Address: location.origin + path, Path: path};
		}
		return {};`, map[string]any{"given": given, "first": first})
	switch {
	case err != nil:
		return nil, err
	case found.Path == "" && given != "":
		return nil, fmt.Errorf("charter: there is none at %s", given)
	case found.Path == "":
		return nil, nil
	}
	return &charter{address: found.Address, path: found.Path}, nil
}

func (c *charter) Name() string { return "charter" }

// CharterPath returns where our charter lies, such as "/cookies/", if a way has found one.
func CharterPath(way Way) (path string, ok bool) {
	switch way := way.(type) {
	case *charter:
		return way.path, true
	case *clicks:
		return CharterPath(way.otherwise)
	case *autoconsent:
		return CharterPath(way.otherwise)
	}
	return "", false
}

func (c *charter) Accept(ctx context.Context, page Page) error { return c.answer(ctx, page, accept) }
func (c *charter) Refuse(ctx context.Context, page Page) error { return c.answer(ctx, page, refuse) }

// answer clicks in the banner, or in the form if the page has no banner.
func (c *charter) answer(ctx context.Context, page Page, choice string) error {
	buttons := []string{fmt.Sprintf(inBanner, choice), fmt.Sprintf(inOwnBanner, choice)}
	pressed, err := pressFirst(ctx, page, appears, buttons...)
	if err != nil {
		return err
	}
	if pressed {
		// The script hides it, or the form leads to another page.
		if _, err := element.Wait(ctx, effect, func(ctx context.Context) (bool, error) {
			s, err := firstReady(ctx, page, buttons)
			return s == "", err
		}); err != nil {
			return err
		}
		return page.Settle(ctx)
	}
	if err := page.Open(ctx, c.address); err != nil {
		return err
	}
	return c.submit(ctx, page, choice)
}

// submit posts the form of the charter's page, and waits for the page that follows: right
// after a click the browser may not have left this one.
func (c *charter) submit(ctx context.Context, page Page, choice string) error {
	const mark = `document.documentElement.dataset.consentscanForm`
	var sent string
	if err := page.Eval(ctx, mark+` = "sent"`, &sent); err != nil {
		return err
	}
	if err := press(ctx, page, element.CSS(fmt.Sprintf(inForm, choice))); err != nil {
		return err
	}
	left, err := element.Wait(ctx, patience, func(ctx context.Context) (bool, error) {
		var isNew bool
		err := page.Eval(ctx, `!`+mark, &isNew)
		return isNew, err
	})
	if err == nil && !left {
		err = errors.New("charter: no page follows the form")
	}
	if err != nil {
		return err
	}
	return page.Settle(ctx)
}

func (c *charter) Choices(ctx context.Context, page Page) ([]string, error) {
	if err := page.Open(ctx, c.address); err != nil {
		return nil, err
	}
	return c.fields(ctx, page)
}

// fields returns the categories for which the form asks.
func (c *charter) fields(ctx context.Context, page Page) ([]string, error) {
	var names []string
	err := element.Call(ctx, page, &names, `return [...new Set(find(argument).map(e => e.name.replace("category:", "")))];`, element.CSS(answersOf))
	return names, err
}

func (c *charter) Only(ctx context.Context, page Page, choice string) error {
	categories, err := c.Choices(ctx, page)
	if err != nil {
		return err
	}
	found := false
	for _, category := range categories {
		value := "refuse"
		if category == choice {
			found, value = true, "allow"
		}
		if err := press(ctx, page, element.CSS(fmt.Sprintf(`label:has(> input[type="radio"][name=%s][value="%s"])`, quote("category:"+category), value))); err != nil {
			return err
		}
	}
	if !found {
		return &CannotError{c.Name(), only, fmt.Sprintf("the form asks for %s, and not for %s", list(categories), choice)}
	}
	return c.submit(ctx, page, "save")
}

func (c *charter) Object(ctx context.Context, page Page) error {
	if err := page.Open(ctx, c.address); err != nil {
		return err
	}
	const box = `input[type="checkbox"][name="object"]`
	found, err := element.Look(ctx, page, element.CSS(box))
	if err != nil {
		return err
	}
	if found.All == 0 {
		return &CannotError{c.Name(), object, "the form has no objection, since no anonymous statistics are declared"}
	}
	found, err = element.Look(ctx, page, element.CSS(box+":checked"))
	if err != nil {
		return err
	}
	if found.All == 0 {
		if err := press(ctx, page, element.CSS(`label:has(> `+box+`)`)); err != nil {
			return err
		}
	}
	return c.submit(ctx, page, refuse)
}

// Withdraw opens the settings over the page by its link, or by the script that the page
// has. Without the script the link leads to the form.
func (c *charter) Withdraw(ctx context.Context, page Page) error {
	var button string
	isOpen := func(ctx context.Context) (bool, error) {
		s, err := firstReady(ctx, page, []string{fmt.Sprintf(inDialog, refuse), fmt.Sprintf(inForm, refuse)})
		button = s
		return s != "", err
	}
	found := false
	for _, opener := range openers {
		visible, err := isReady(ctx, page, element.CSS(opener))
		if err != nil {
			return err
		}
		if !visible {
			continue
		}
		found = true
		if err := page.Click(ctx, opener); err != nil {
			return err
		}
		// Another link may work: one may be covered, or broken over two lines.
		if open, err := element.Wait(ctx, effect, isOpen); err != nil {
			return err
		} else if open {
			break
		}
	}
	if button == "" {
		var could bool
		if err := page.Eval(ctx, `!!(window.consent?.open && (window.consent.open(), true))`, &could); err != nil {
			return err
		}
		if !could && !found {
			return &CannotError{c.Name(), withdraw, "this page has neither a link to the settings nor the script"}
		}
		open, err := element.Wait(ctx, patience, isOpen)
		if err == nil && !open {
			err = errors.New("charter: the settings do not open")
		}
		if err != nil {
			return err
		}
	}
	if err := page.Click(ctx, button); err != nil {
		return err
	}
	return page.Settle(ctx)
}

// Kept asks the server. If the page may not, a banner tells as much.
func (c *charter) Kept(ctx context.Context, page Page) (kept, known bool, err error) {
	var state struct{ Answered, Known bool }
	err = element.Call(ctx, page, &state, `
		try {
			const {at, ask} = await (await fetch(argument.path + "state.json", {cache: "no-store", signal: AbortSignal.timeout(3000)})).json();
			return {Answered: !!at && !ask, Known: true};
		} catch {} // perhaps a policy of the page
		if (find([".charter-banner"]).some(seen)) return {Answered: false, Known: true};
		return {Answered: true, Known: !!window.consent?.state?.at};`, map[string]any{"path": c.path})
	return state.Answered && state.Known, state.Known, err
}

// quote writes a string for a CSS selector.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\a `).Replace(s) + `"`
}

// list writes names for a sentence.
func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	if len(names) > 20 {
		names = append(names[:20:20], "…")
	}
	return strings.Join(names, ", ")
}
