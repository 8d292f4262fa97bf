// Package steps reads and runs the few steps by which a visitor logs in.
package steps

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
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
	Fill(ctx context.Context, selector, text string) error
}

// Steps are run in their order. The zero value has none.
type Steps struct{ list []step }

type step struct {
	line     int
	verb     string
	target   string // an address, or a selector
	text     string // of "fill"
	duration time.Duration
}

const (
	maxBytes = 64 << 10
	maxSteps = 200
	maxWait  = time.Minute
	// appears is how long an element is waited for.
	appears = 15 * time.Second
)

// Len returns the number of steps.
func (s Steps) Len() int { return len(s.list) }

// Parse reads a step from each line:
//
//	# comments and blank lines are left out
//	open /login
//	fill #user alice
//	fill "form.login input[name=password]" $SHOP_PASSWORD
//	click button[type=submit]
//	wait #account
//	wait 2s
//
// A selector that another word follows is quoted if it has spaces outside of brackets. A
// text that is "$" and a name is a variable, which getenv returns; quotes keep a text as
// it is. The error has every mistake, each with its line.
func Parse(r io.Reader, getenv func(string) string) (Steps, error) {
	var (
		s        Steps
		mistakes []error
		size     int
	)
	lines := bufio.NewScanner(io.LimitReader(r, maxBytes+1))
	lines.Buffer(nil, maxBytes+2)
	for n := 1; lines.Scan(); n++ {
		if size += len(lines.Bytes()) + 1; size > maxBytes {
			return Steps{}, fmt.Errorf("line %d: the file has more than %d bytes", n, maxBytes)
		}
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || text[0] == '#' {
			continue
		}
		parsed, err := parse(text, getenv)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		parsed.line = n
		s.list = append(s.list, parsed)
	}
	if err := lines.Err(); err != nil {
		mistakes = append(mistakes, err)
	}
	if len(s.list) > maxSteps {
		mistakes = append(mistakes, fmt.Errorf("line %d: more than %d steps", s.list[maxSteps].line, maxSteps))
	}
	if len(mistakes) > 0 {
		return Steps{}, errors.Join(mistakes...)
	}
	return s, nil
}

func parse(line string, getenv func(string) string) (step, error) {
	verb, rest := line, ""
	if i := strings.IndexAny(line, " \t"); i > 0 {
		verb, rest = line[:i], strings.TrimSpace(line[i:])
	}
	s := step{verb: verb}
	var err error
	switch verb {
	case "open":
		if s.target, err = whole("open", "an address", rest); err == nil {
			err = checkAddress(s.target)
		}
	case "click":
		s.target, err = whole("click", "a selector", rest)
	case "wait":
		if s.target, err = whole("wait", `a selector, or a time such as "2s"`, rest); err == nil && s.target[0] >= '0' && s.target[0] <= '9' {
			s.duration, err = parseWait(s.target)
		}
	case "fill":
		s.target, rest, err = cutSelector(rest)
		if err == nil {
			s.text, err = parseText(rest, getenv)
		}
	default:
		err = fmt.Errorf("%q is no step: want open, fill, click or wait", verb)
	}
	return s, err
}

// whole returns what follows a verb, without the quotes around it.
func whole(verb, what, rest string) (string, error) {
	inner, isQuoted, err := unquote(rest)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", verb, err)
	case isQuoted:
		rest = inner
	}
	if strings.TrimSpace(rest) == "" {
		return "", fmt.Errorf("%s: want %s", verb, what)
	}
	return rest, nil
}

// unquote returns what is between quotes, if s begins with one and ends with its like. A
// quote inside is part of the text if it is of the other kind.
func unquote(s string) (inner string, isQuoted bool, err error) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return s, false, nil
	}
	end := strings.IndexByte(s[1:], s[0])
	switch {
	case end < 0:
		return "", false, fmt.Errorf("a quote %c is not closed", s[0])
	case end+2 < len(s):
		return "", false, errors.New("something follows the closing quote")
	}
	return s[1 : end+1], true, nil
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("open: %q is no address", address)
	case u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https", u.Opaque != "":
		return fmt.Errorf("open: %q: want a path, or an address with http or https", address)
	}
	return nil
}

func parseWait(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf(`wait: %q is no time, such as "2s" or "500ms"`, s)
	case d <= 0 || d > maxWait:
		return 0, fmt.Errorf("wait: %s is not between 0s and %s", s, maxWait)
	}
	return d, nil
}

// cutSelector cuts off a selector in quotes, or one that ends at a space outside of
// brackets and their quotes.
func cutSelector(s string) (selector, rest string, err error) {
	if s == "" {
		return "", "", errors.New("fill: want a selector and a text")
	}
	end, depth, quote := len(s), 0, byte(0)
	if s[0] == '"' || s[0] == '\'' {
		closing := strings.IndexByte(s[1:], s[0])
		if closing < 0 {
			return "", "", fmt.Errorf("fill: a quote %c is not closed", s[0])
		}
		selector, rest = s[1:closing+1], s[closing+2:]
		if rest != "" && !strings.ContainsAny(rest[:1], " \t") {
			return "", "", errors.New("fill: want a space after the closing quote")
		}
	} else {
		for i := range len(s) {
			c := s[i]
			switch {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '[' || c == '(':
				depth++
			case c == ']' || c == ')':
				depth--
			}
			if depth <= 0 && (c == ' ' || c == '\t') {
				end = i
				break
			}
		}
		selector, rest = s[:end], s[end:]
	}
	rest = strings.TrimSpace(rest)
	switch {
	case strings.TrimSpace(selector) == "":
		return "", "", errors.New("fill: the selector is empty")
	case rest == "":
		return "", "", fmt.Errorf(`fill: what is to be written into %q? Write "" for nothing`, selector)
	}
	return selector, rest, nil
}

var variable = regexp.MustCompile(`^\$(\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)$`)

// parseText returns what is to be written. Its errors say nothing of it, since it may be
// secret.
func parseText(s string, getenv func(string) string) (string, error) {
	text, isQuoted, err := unquote(s)
	switch {
	case err != nil:
		return "", fmt.Errorf("fill: %w; a text that begins with a quote stands in quotes of the other kind", err)
	case isQuoted:
		return text, nil
	case variable.MatchString(s):
		name := strings.Trim(s, "${}")
		value := getenv(name)
		if value == "" {
			return "", fmt.Errorf("fill: the environment has no %s", name)
		}
		return value, nil
	case strings.Contains(s, "$"):
		return "", errors.New("fill: a variable stands alone; quote the text if the dollar sign is part of it")
	}
	return s, nil
}

// Run does the steps in a page. Addresses are those of base's site unless they say
// otherwise. The error names the line and the step, and never what was filled in.
func (s Steps) Run(ctx context.Context, page Page, base *url.URL) error {
	for _, step := range s.list {
		if err := step.run(ctx, page, base); err != nil {
			if step.text != "" && strings.Contains(err.Error(), step.text) {
				err = errors.New(strings.ReplaceAll(err.Error(), step.text, "…"))
			}
			return fmt.Errorf("line %d: %s %s: %w", step.line, step.verb, step.target, err)
		}
	}
	return nil
}

func (s step) run(ctx context.Context, page Page, base *url.URL) error {
	switch s.verb {
	case "open":
		address, err := base.Parse(s.target)
		if err != nil {
			return err
		}
		return page.Open(ctx, address.String())
	case "fill":
		if err := s.comes(ctx, page); err != nil {
			return err
		}
		return page.Fill(ctx, s.target, s.text)
	case "click":
		if err := s.comes(ctx, page); err != nil {
			return err
		}
		if err := page.Click(ctx, s.target); err != nil {
			return err
		}
		return page.Settle(ctx)
	default: // wait
		if s.duration > 0 {
			return element.Sleep(ctx, s.duration)
		}
		met, err := element.Wait(ctx, appears, func(ctx context.Context) (bool, error) {
			return element.IsVisible(ctx, page, element.CSS(s.target))
		})
		if err == nil && !met {
			err = fmt.Errorf("not visible within %s", appears)
		}
		return err
	}
}

// comes waits until the element is in the page, for no longer than "wait" does. A page may
// rest for a moment before it gives way to the one that the step before has led to: a busy
// machine, or a slow site, takes longer than that. If the element does not come, the step
// itself says what is wrong. The error is the context's.
func (s step) comes(ctx context.Context, page Page) error {
	_, _ = element.Wait(ctx, appears, func(ctx context.Context) (bool, error) {
		found, err := element.Look(ctx, page, element.CSS(s.target))
		return found.All > 0, err
	})
	return ctx.Err()
}
