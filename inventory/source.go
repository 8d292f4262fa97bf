package inventory

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/hosts"
)

// source returns a file of Go that declares what was found, in a package of this name. It
// compiles as it stands. What nobody can know from outside says TODO: as a category or a purpose, a
// registry refuses that, so that no draft reaches visitors.
//
// Categories are proposed by purpose, since consent is for each purpose apart (EDPB
// guidelines 05/2020, §§ 42 to 44), and the provider says already who sets a cookie. A
// comment names the category by who sets it, for a site that asks so.
func (r *report) source(name string) string {
	var declarations, rest strings.Builder
	timed := false
	for _, f := range r.Cookies {
		c, reason := f.declaration()
		if reason != "" {
			fmt.Fprintf(&rest, "\n// %s cannot be declared: %s.\n", strconv.Quote(f.Name), reason)
			continue
		}
		timed = timed || c.Lifetime > 0
		for _, line := range f.comments() {
			fmt.Fprintf(&declarations, "\t// %s\n", line)
		}
		writeDeclaration(&declarations, c, !f.setHere() && !f.isStored())
	}
	for _, f := range r.Faults {
		rest.WriteString("\n")
		for _, line := range f.comments() {
			fmt.Fprintf(&rest, "// %s\n", line)
		}
	}

	var b strings.Builder
	b.WriteString("package " + name + "\n\nimport (\n")
	if timed {
		b.WriteString("\t\"time\"\n\n")
	}
	if declarations.Len() > 0 {
		b.WriteString("\t\"golang.org/x/text/language\"\n\n")
	}
	b.WriteString("\t\"github.com/cookiecharter/consent\"\n)\n\n")
	if declarations.Len() == 0 {
		b.WriteString(nothingLeft + "var cookies = consent.MustRegistry()\n")
	} else {
		b.WriteString(preamble + "var cookies = consent.MustRegistry(\n" + declarations.String() + ")\n")
	}
	b.WriteString(rest.String())
	return b.String()
}

const preamble = `// cookies declares what the inventory has found on this site apart from what was
// declared before. It is a draft: visitors read what stands in it, so that every
// TODO needs an answer, and MustRegistry refuses it until then. A cookie is
// consent.Necessary only if the law exempts it: a login, a basket, a setting that
// the visitor asked for.
`

const nothingLeft = `// Nothing is left to declare. Do not put this file in place of the declarations
// that there are: it has none of them.
`

// todo stands for what neither a name nor a line says. A registry refuses each of them. What
// a developer has to check stands in a purpose, and not in a comment, which is easily forgotten.
const (
	todoProvider   = "TODO: who sets it and answers for it"
	todoPurpose    = "TODO: what it is for, in words for visitors"
	todoWellKnown  = todoPurpose + ", after a check that it is the well-known cookie of this name"
	todoKnownHost  = todoPurpose + ", after a check of what the site takes from this well-known host"
	todoAttributes = " Check Domain, Path and Lifetime: it was seen with others too."
	todoCategory   = consent.Category("TODO")
)

// purpose returns what a developer has to write and to check.
func (f *finding) purpose() consent.Text {
	purpose := todoPurpose
	if f.Known != nil {
		purpose = todoWellKnown
	}
	if f.Known != nil && f.isHost() {
		purpose = todoKnownHost
	}
	if f.Known != nil && f.Known.Kind != "" {
		purpose += ". It is " + f.Known.Kind + "."
	}
	if len(f.Attributes) > 1 {
		purpose = strings.TrimSuffix(purpose, ".") + "." + todoAttributes
	}
	return consent.Text{language.English: purpose}
}

// draft returns a declaration with all that is known of what was found.
func (f *finding) draft() consent.Cookie {
	c := consent.Cookie{
		Provider: todoProvider,
		Name:     f.Name,
		Purpose:  f.purpose(),
		Category: todoCategory,
	}
	if k := f.Known; k != nil {
		c.Category = cmp.Or(k.Purpose, todoCategory)
		if k.Provider != "" {
			c.Provider = k.Provider
		}
		if k.Service != "" {
			c.Service = consent.Text{language.English: k.Service}
		}
		if k.Seconds != nil {
			c.Lifetime = time.Duration(*k.Seconds) * time.Second
		}
	}
	if len(f.Attributes) > 0 {
		c.Domain, c.Path, c.Lifetime = f.Attributes[0].Domain, f.Attributes[0].Path, 0
		for _, a := range f.Attributes { // the charter must not say less
			c.Lifetime = max(c.Lifetime, time.Duration(a.Seconds)*time.Second)
		}
	}
	if hosts.IsLoopback(c.Domain) {
		c.Domain = "" // no browser of a visitor keeps a cookie of it
	}
	if f.isStored() {
		c.Kind, c.Origins, c.Lifetime = consent.Kind(f.Kind), f.Origins, 0 // what is known of the name is a cookie's
	}
	return c
}

// declaration returns a declaration of what was found, or the reason why there can
// be none.
func (f *finding) declaration() (c consent.Cookie, impossible string) {
	c = f.draft()
	if strings.Contains(f.Name, "*") && f.Examples == nil && f.Origins == nil {
		return c, "in a declaration '*' stands for any run of characters"
	}
	// The registry knows best what may be declared once every TODO has its answer. A
	// Domain or a Path that may not is one that no browser takes.
	answered := c
	answered.Provider, answered.Purpose, answered.Category = "x", consent.Text{language.English: "x"}, consent.ThirdParty
	_, err := consent.NewRegistry(answered)
	for _, mistake := range mistakes(err) {
		switch mistake.Field {
		case "Domain":
			c.Domain = ""
		case "Path":
			c.Path = ""
		default:
			return c, "its " + strings.ToLower(mistake.Field) + " " + mistake.Reason
		}
	}
	return c, ""
}

// mistakes returns those that a registry has found.
func mistakes(err error) (all []*consent.FieldError) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			all = append(all, mistakes(err)...)
		}
		return all
	}
	if one, ok := errors.AsType[*consent.FieldError](err); ok {
		all = append(all, one)
	}
	return all
}

// setHere reports whether a response of this server was seen to set it.
func (f *finding) setHere() bool { return f.Set > 0 }

func (f *finding) httpOnly() bool {
	return slices.ContainsFunc(f.Attributes, func(a attributes) bool { return a.HttpOnly })
}

// comments say where the cookie was seen, and why its category is what it is.
func (f *finding) comments() (lines []string) {
	if f.setHere() {
		where := "Set by this server on " + f.SetOn.String() + "."
		switch seen := f.seenOn(); {
		case len(seen.Paths) > 0:
			where += " Seen on " + seen.String() + "."
		case seen.More:
			where += " Seen elsewhere."
		}
		lines = append(lines, where)
	} else if f.Origins != nil {
		lines = append(lines, "Contacted by "+f.SentTo.String()+".")
	} else if f.isStored() {
		lines = append(lines, "Stored by a script of "+f.SentTo.String()+".")
	} else {
		lines = append(lines, "Sent by browsers to "+f.SentTo.String()+".",
			"A script sets it, another server of the domain, or this one before it was watched: then take the mark away.")
	}
	if f.Examples != nil {
		lines = append(lines, "Stands for names such as "+list(f.Examples, false)+".")
	}
	check := "Its name is that of a well-known cookie."
	if f.isHost() {
		check = "It is a host of a well-known service."
	}
	switch k := f.Known; {
	case k == nil:
		lines = append(lines, "Nothing is known of it: choose its category.")
		if f.httpOnly() {
			lines = append(lines, "It is HttpOnly, as logins are: if it is one, make it consent.Necessary.")
		}
	case k.Library != "":
		lines = append(lines, "The default name of "+k.Kind+" by "+k.Library+".",
			"That one is exempt from consent, and the provider is you.")
	case k.Category == consent.Necessary:
		lines = append(lines, check, "That one is exempt from consent. If your own servers run its software, the provider is you.")
	case k.Purpose == consent.Statistics:
		lines = append(lines, check, "It needs consent, unless nobody can be found again by it (Anonymous).")
	case k.Purpose == "":
		lines = append(lines, check, "What it is for is not known: choose its category. By who sets it, it is "+categoryNames[k.Category]+".")
	default:
		lines = append(lines, check, "It needs consent, since it is not clearly exempt.")
		if byWhoSetsIt(k.Category) {
			lines = append(lines, "If the site asks by who sets a cookie, it is "+categoryNames[k.Category]+".")
		}
	}
	for _, a := range f.Attributes[min(1, len(f.Attributes)):] {
		lines = append(lines, "It was seen with other attributes too: "+a.String()+".")
	}
	return lines
}

func (p places) String() string { return list(p.Paths, p.More) }

// list joins quoted strings, which hold nothing that could end a comment.
func list(items []string, more bool) string {
	var b strings.Builder
	for i, item := range items {
		switch {
		case i == 0:
		case i == len(items)-1 && !more:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(item))
	}
	if more {
		b.WriteString(" and others")
	}
	return b.String()
}

// String returns the attributes in words.
func (a attributes) String() string {
	s := "kept " + span(a.Seconds) + "; path " + strconv.Quote(a.Path)
	if a.Domain != "" {
		s += ", domain " + strconv.Quote(a.Domain)
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{a.Secure, "Secure"}, {a.HttpOnly, "HttpOnly"}, {a.Partitioned, "Partitioned"}} {
		if flag.set {
			s += ", " + flag.name
		}
	}
	if a.SameSite != "" {
		s += ", SameSite " + strconv.Quote(a.SameSite)
	}
	return s
}

// span returns a lifetime in words.
func span(seconds int64) string {
	for _, unit := range []struct {
		name    string
		seconds int64
	}{{"day", 24 * 60 * 60}, {"hour", 60 * 60}, {"minute", 60}, {"second", 1}} {
		n := seconds / unit.seconds
		switch {
		case n == 0 || seconds%unit.seconds != 0:
		case n == 1:
			return "for 1 " + unit.name
		default:
			return fmt.Sprintf("for %d %ss", n, unit.name)
		}
	}
	return "until the browser is closed"
}

// comments describes a declared cookie that is not as it was declared.
func (f *fault) comments() []string {
	name := strconv.Quote(f.Name)
	if f.Name == "" {
		name = "A cookie"
	}
	lines := []string{name + " " + faultText[f.Reason] + ": on " + f.SetOn.String() + "."}
	for _, a := range f.Attributes {
		lines = append(lines, "It was "+a.String()+".")
	}
	return lines
}

// faultText says what the middleware's reasons mean to whoever declares.
var faultText = map[consent.Reason]string{
	consent.ReasonUndeclared:       "has no name, so that it cannot be declared",
	consent.ReasonUnreadable:       "is a line that no browser reads, or not for certain",
	consent.ReasonInTrailer:        "came after the body, in which no browser looks for cookies",
	consent.ReasonOutlivesDeclared: "is kept for longer than its declared Lifetime",
	consent.ReasonOtherDomain:      "has another Domain than the declared one",
	consent.ReasonOtherPath:        "has another Path than the declared one",
	consent.ReasonNotHttpOnly:      "can be read by scripts, and is declared HttpOnly",
}

// writeDeclaration writes c as gofmt would. What is set elsewhere is marked so
// for consentvet, which would look for it in the source.
func writeDeclaration(b *strings.Builder, c consent.Cookie, elsewhere bool) {
	b.WriteString("\tconsent.Cookie{")
	if elsewhere {
		b.WriteString(" // consentvet: set elsewhere")
	}
	b.WriteString("\n")
	field := func(name, value string) { fmt.Fprintf(b, "\t\t%-9s %s,\n", name+":", value) }
	if kind := kindNames[c.Kind]; kind != "" {
		field("Kind", kind)
	}
	field("Provider", strconv.Quote(c.Provider))
	if c.Service != nil {
		field("Service", "consent.Text{language.English: "+strconv.Quote(c.Service[language.English])+"}")
	}
	field("Name", strconv.Quote(c.Name))
	field("Purpose", "consent.Text{language.English: "+strconv.Quote(c.Purpose[language.English])+"}")
	field("Category", cmp.Or(categoryNames[c.Category], strconv.Quote(string(c.Category))))
	if c.Lifetime > 0 {
		field("Lifetime", expression(c.Lifetime))
	}
	if c.Domain != "" {
		field("Domain", strconv.Quote(c.Domain))
	}
	if c.Path != "" {
		field("Path", strconv.Quote(c.Path))
	}
	if c.Origins != nil {
		field("Origins", fmt.Sprintf("%#v", c.Origins))
	}
	b.WriteString("\t},\n")
}

var categoryNames = map[consent.Category]string{
	consent.Necessary:  "consent.Necessary",
	consent.Statistics: "consent.Statistics",
	consent.FirstParty: "consent.FirstParty",
	consent.ThirdParty: "consent.ThirdParty",

	consent.Personalisation: "consent.Personalisation",
	consent.Advertising:     "consent.Advertising",
	consent.SocialNetworks:  "consent.SocialNetworks",
	consent.EmbeddedMedia:   "consent.EmbeddedMedia",
	consent.Chat:            "consent.Chat",
}

// expression returns a lifetime as one writes it.
func expression(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{day, "24 * time.Hour"}, {time.Hour, "time.Hour"}, {time.Minute, "time.Minute"}} {
		switch {
		case d == unit.length:
			return unit.name
		case d%unit.length == 0:
			return fmt.Sprintf("%d * %s", d/unit.length, unit.name)
		}
	}
	if d == time.Second {
		return "time.Second"
	}
	return fmt.Sprintf("%d * time.Second", d/time.Second)
}
