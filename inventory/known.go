package inventory

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/pattern"
)

// The facts come from the Open Cookie Database (jkwakman/Open-Cookie-Database,
// Apache-2.0), and those of Go libraries from their source; NOTICE says more. The
// folder known holds the table, and the program that makes this text of it.
//
//go:embed known/known.txt
var knownText string

// A fact is what the name of a well-known cookie says about it. It is a hint: anybody
// may give any name to a cookie.
type fact struct {
	pattern  string           // a name, which may hold one '*'
	provider string           // "" if each site is its own
	service  string           // "" if it is the provider's only one
	library  string           // of Go, that has the name by default; "" for all others
	kind     string           // what that library's cookie is: "a session"
	category consent.Category // of the model: for what is not exempt or statistics, by who sets it
	purpose  consent.Category // by what it is for; "" if that is not known
	lifetime time.Duration
	timed    bool // lifetime is known
}

// known returns the facts by name. It reads them when they are first asked for.
var known = sync.OnceValue(func() *pattern.Set[*fact] {
	set := new(pattern.Set[*fact])
	var provider, service, library, kind string
	for line := range strings.Lines(knownText) {
		line = strings.TrimSuffix(line, "\n")
		if who, ok := strings.CutPrefix(line, "@"); ok {
			provider, service, _ = strings.Cut(who, "\t")
			library, kind = "", ""
			continue
		}
		if which, ok := strings.CutPrefix(line, "%"); ok {
			provider, service = "", ""
			library, kind, _ = strings.Cut(which, "\t")
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] == "#" {
			continue
		}
		lifetime, timed := readLifetime(fields[1])
		category, purpose := readCategory(fields[0])
		for _, name := range fields[2:] {
			set.Put(name, &fact{name, provider, service, library, kind, category, purpose, lifetime, timed})
		}
	}
	return set
})

// readCategory reads "third-party/advertising", "third-party", if the purpose is not
// known, or "statistics", which is one.
func readCategory(s string) (category, purpose consent.Category) {
	before, after, _ := strings.Cut(s, "/")
	category, purpose = consent.Category(before), consent.Category(after)
	if purpose == "" && !byWhoSetsIt(category) {
		purpose = category
	}
	return category, purpose
}

// byWhoSetsIt reports whether a category says who sets a cookie, and not what for.
func byWhoSetsIt(c consent.Category) bool { return c == consent.FirstParty || c == consent.ThirdParty }

const day = 24 * time.Hour

// readLifetime reads "390d", "0" or, if it is not known, "?".
func readLifetime(s string) (lifetime time.Duration, timed bool) {
	if s == "0" {
		return 0, true
	}
	unit := map[byte]time.Duration{'d': day, 'h': time.Hour, 'm': time.Minute, 's': time.Second}[s[len(s)-1]]
	n, err := strconv.Atoi(s[:len(s)-1])
	return time.Duration(n) * unit, err == nil
}

// recall returns what is known of a name, nil if nothing is.
func recall(name string) *fact {
	f, _ := known().Match(name)
	return f
}
