package judge

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/internal/hosts"
	"github.com/cookiecharter/consent/internal/origins"
	"github.com/cookiecharter/consent/internal/pattern"
	"github.com/cookiecharter/consent/internal/variable"
	"github.com/cookiecharter/consent/inventory"
)

// A tracer is a cookie or an entry, or a family of them: all that one declaration's name
// covers, or names that nobody declared and that differ in a variable part alone.
type tracer struct {
	id
	names, hosts map[string]bool // as they were seen
	cloaked      string

	declared  []int // the declarations that judge it, by number
	elsewhere []int // those of its name which are about another host
	otherKind bool  // declared tells of another kind

	// draft is of a tracer that nobody declared.
	draft consent.Cookie

	// What a first look at all events has found, by the names of stages.
	stored, kept map[string]bool
	storing      map[string]*seen.Event // by stage, what stored it first: who did it is known
	// without: it was stored though not allowed, in a stage that is no withdrawal;
	// unasked: before any answer.
	without, unasked bool
}

// An id tells one tracer from another, and is the same in each scan. Host is empty for what
// lies at the site's own hosts, which are one.
type id struct {
	kind seen.Kind
	name string // as declared, or a pattern
	host string
}

// declarations finds what a registry declares for a tracer or a host.
type declarations struct {
	all   []consent.Cookie
	names map[consent.Kind]*pattern.Set[*rule]
}

// opens reports whether something is declared that a gate waits for: a category, or one
// provider of it.
func (d *declarations) opens(waitsFor string) bool {
	category, provider, isOne := strings.Cut(waitsFor, ":")
	if category == string(consent.Necessary) && !isOne {
		return true // the cookie of the answer is one
	}
	return slices.ContainsFunc(d.all, func(c consent.Cookie) bool {
		return string(c.Category) == category && (!isOne || c.Provider == provider)
	})
}

// A rule is what is declared under one name, by their numbers.
type rule struct {
	name    string
	numbers []int
}

func newDeclarations(registry *consent.Registry) *declarations {
	d := &declarations{names: make(map[consent.Kind]*pattern.Set[*rule])}
	if registry != nil {
		d.all = registry.Cookies()
	}
	type key struct {
		kind consent.Kind
		name string
	}
	rules := make(map[key]*rule)
	for i, c := range d.all {
		at := key{c.Kind, c.Name}
		if rules[at] == nil {
			rules[at] = &rule{name: c.Name}
			if d.names[c.Kind] == nil {
				d.names[c.Kind] = new(pattern.Set[*rule])
			}
			d.names[c.Kind].Put(c.Name, rules[at])
		}
		rules[at].numbers = append(rules[at].numbers, i)
	}
	return d
}

func (d *declarations) lookup(kind consent.Kind, name string) *rule {
	if d.names[kind] == nil {
		return nil
	}
	found, _ := d.names[kind].Match(name)
	return found
}

// tracer returns what is declared of a tracer that an event tells of.
func (d *declarations) tracer(e *seen.Event) *tracer {
	kind := seen.Declared[e.Kind]
	t := &tracer{
		id: id{kind: e.Kind, name: e.Name}, cloaked: e.Cloaked,
		names: make(map[string]bool), hosts: make(map[string]bool), stored: make(map[string]bool), kept: make(map[string]bool), storing: make(map[string]*seen.Event),
	}
	if e.Third {
		t.host = e.Host
	}
	if found := d.lookup(kind, e.Name); found != nil {
		t.name = found.name
		for _, i := range found.numbers {
			if !e.Third || concerns(d.all[i], e) {
				t.declared = append(t.declared, i)
			} else {
				t.elsewhere = append(t.elsewhere, i)
			}
		}
		return t
	}
	for other := consent.HTTPCookie; other < consent.Other && !e.Third; other++ {
		if found := d.lookup(other, e.Name); found != nil {
			t.name, t.declared, t.otherKind = found.name, found.numbers, true
			return t
		}
	}
	// An error means that no declaration can have the name, and the draft has it all the same.
	t.draft, _ = inventory.Draft(kind, e.Name, nil)
	t.name = family(t.draft.Name)
	return t
}

// family returns the pattern of a name with a variable part, or the name.
func family(name string) string {
	if strings.Contains(name, "*") {
		return name
	}
	if from, to, ok := variable.Part(name); ok {
		return name[:from] + "*" + name[to:]
	}
	return name
}

// concerns reports whether a declaration is about what lies at the host of an event: of a
// cookie by Domain too, and there a port tells no host from another (RFC 6265 section 8.5).
func concerns(c consent.Cookie, e *seen.Event) bool {
	if slices.ContainsFunc(c.Origins, func(origin string) bool { return covers(origin, e) }) {
		return true
	}
	if e.Kind != seen.Cookie {
		return false
	}
	host := hosts.Name(e.Host)
	lies := func(domain string) bool {
		domain = strings.ToLower(strings.TrimPrefix(domain, "."))
		return domain != "" && hosts.Under(host, domain)
	}
	return lies(c.Domain) || slices.ContainsFunc(c.Also, func(p consent.Place) bool { return lies(p.Domain) }) ||
		slices.ContainsFunc(c.Origins, func(origin string) bool {
			_, at, _ := strings.Cut(origin, "://")
			at = hosts.Name(at)
			// "https://player.ads.example" sets a cookie for all of ads.example.
			return hosts.Under(at, host) || origins.Overlap("https://"+at, "https://"+host)
		})
}

// covers reports whether an origin names the host of an event, or the one behind it.
func covers(origin string, e *seen.Event) bool {
	return origins.Overlap(origin, "https://"+e.Host) || e.Cloaked != "" && origins.Overlap(origin, "https://"+e.Cloaked)
}

// A contact is a host that was contacted and is not the site's, or several that differ in a
// variable part, or that one origin names.
type contact struct {
	name     string // the same in each scan
	hosts    map[string]bool
	cloaked  string
	declared []int
	without  bool // it was contacted though not allowed, in a stage that is no withdrawal
}

// contact returns what is declared of the host of an event.
func (d *declarations) contact(e *seen.Event) *contact {
	c := &contact{name: hostFamily(e.Host), cloaked: e.Cloaked, hosts: make(map[string]bool)}
	best := ""
	for i, declared := range d.all {
		named := false
		for _, origin := range declared.Origins {
			if covers(origin, e) {
				named = true
				// The most specific one, which is the longest.
				if cmp.Or(cmp.Compare(len(origin), len(best)), cmp.Compare(best, origin)) > 0 {
					best = origin
				}
			}
		}
		if named {
			c.declared = append(c.declared, i)
		}
	}
	if best != "" {
		_, c.name, _ = strings.Cut(best, "://")
	}
	return c
}

// hostFamily returns the pattern of hosts such as "r3---sn-25ge7nzr.video.example", or the
// host: what differs lies below the registrable domain.
func hostFamily(host string) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(hosts.Name(host))
	if err != nil {
		return host
	}
	from, to, ok := variable.Part(host)
	if below := strings.Index(strings.ToLower(host), domain); !ok || to >= below {
		return host
	}
	return host[:from] + "*" + host[to:]
}
