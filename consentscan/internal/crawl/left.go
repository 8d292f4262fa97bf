package crawl

import (
	"fmt"
	"net/url"
)

// A reason is why an address of the site was left out.
type reason int

const (
	forbidden reason = iota + 1
	logout
	variant
	endless
	tooDeep
	tooMany
	unwanted   // as the options say: nothing to tell
	charterOwn // nothing to look at
)

// told are the sentences for reasons that a person may not expect. The first %d is how
// many, the %s one of them.
var told = []struct {
	why  reason
	text string
}{
	{forbidden, "robots.txt keeps consentscan away from %d addresses, such as %s: they were not looked at"},
	{logout, "%d links would log out, such as %s: they were left out"},
	{variant, "%d addresses differ from others in their query alone, such as %s: 3 of each page were looked at"},
	{endless, "%d addresses have a path that grows with each link, such as %s: they were left out"},
	{tooDeep, "%d addresses are more links away than was asked for, such as %s: they were not looked at"},
	{tooMany, "%d addresses were too many to remember, such as %s: they were not looked at"},
}

// leftOut counts addresses. Of an endless site only so many are told apart.
type leftOut struct {
	known   map[string]bool
	example string
}

const maxLeftOut = 10000

func (c *Crawl) leave(why reason, u *url.URL) {
	out := c.left[why]
	if out == nil {
		out = &leftOut{known: make(map[string]bool), example: shorten(u.RequestURI())}
		c.left[why] = out
	}
	if len(out.known) < maxLeftOut {
		out.known[keyOf(u)] = true
	}
}

// Problems returns what was not looked at, and why, each a sentence for a person.
func (c *Crawl) Problems() []string {
	problems := append([]string(nil), c.problems...)
	for _, t := range told {
		if out := c.left[t.why]; out != nil {
			problems = append(problems, fmt.Sprintf(t.text, len(out.known), out.example))
		}
	}
	if c.handed == c.o.Pages && c.queued > 0 {
		problems = append(problems, fmt.Sprintf("%d more pages were found than the %d that were looked at", c.queued, c.handed))
	}
	return problems
}

const maxProblems = 50

func (c *Crawl) problem(format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, fmt.Sprintf(format, args...))
	}
}

// shorten keeps a sentence readable, whatever a site links to.
func shorten(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
