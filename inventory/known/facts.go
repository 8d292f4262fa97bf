package main

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A fact is what is known of one name, or pattern of names: a provider and its
// service, or a library and what the cookie is.
type fact struct {
	pattern, provider, service, category, lifetime string
	purpose                                        string // "" if the category says it, or nothing does
	library, kind                                  string
}

// categories returns what known.txt says of the category: who sets the cookie, and
// what for.
func (f fact) categories() string {
	if f.purpose == "" {
		return f.category
	}
	return f.category + "/" + f.purpose
}

// distinct makes facts of the rows with a distinctive name, and drops each name that
// two providers use.
func distinct(rows []row) []fact {
	spelling := spellings(rows)
	found := make(map[string]fact)
	disputed := make(map[string]bool)
	for _, r := range rows {
		if !r.distinctive() {
			continue
		}
		for _, pattern := range r.patterns() {
			f := fact{pattern: pattern, provider: spelling[strings.ToLower(r.provider())], service: r.platform, category: r.mapped(), purpose: r.purpose(), lifetime: lifetime(r.retention)}
			if strings.EqualFold(f.service, f.provider) {
				f.service = ""
			}
			before, twice := found[pattern]
			disputed[pattern] = disputed[pattern] || twice && before.provider != f.provider
			if !twice {
				found[pattern] = f
			}
		}
	}
	maps.DeleteFunc(found, func(pattern string, _ fact) bool { return disputed[pattern] })
	return slices.Collect(maps.Values(found))
}

// leastLetters is how many letters and digits a name needs to be distinctive.
const leastLetters = 3

// distinctive reports whether the name of r points to one provider. A short name, or
// one of general words alone, may be anybody's.
func (r row) distinctive() bool {
	if necessary[r.name] || famous[r.name] || narrower[r.name] != "" {
		return true
	}
	letters := 0
	for _, c := range r.name {
		if !isSeparator(c) {
			letters++
		}
	}
	// "_ga" and "IDE" are distinctive; "did" and "fr" are anybody's.
	if !strings.HasPrefix(r.name, "_") && strings.ToUpper(r.name) != r.name {
		letters--
	}
	if letters < leastLetters || misleading[r.name] || r.retention == "Local Storage" {
		return false
	}
	for _, word := range strings.FieldsFunc(split.ReplaceAllString(r.name, "${1}_${2}"), isSeparator) {
		if !general[strings.ToLower(word)] {
			return true
		}
	}
	return false
}

// split finds where a new word begins in a name without separators.
var split = regexp.MustCompile(`([a-z])([A-Z])`)

func isSeparator(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

func endsInSeparator(name string) bool {
	r, _ := utf8.DecodeLastRuneInString(name)
	return isSeparator(r)
}

// patterns returns the names of r in the form that declarations have, none where
// a declaration cannot have one.
func (r row) patterns() []string {
	name := strings.ReplaceAll(r.name, "NNN", "*")
	if strings.ContainsAny(name, " ,;=%") || strings.Count(name, "*") > 1 {
		return nil
	}
	switch {
	case narrower[r.name] != "":
		return []string{narrower[r.name]}
	case !r.prefix:
		return []string{name}
	case !endsInSeparator(name) && len(name) < 6 && !strings.Contains(name[1:], "_"):
		// "_gat" is how "_gate" begins too.
		return []string{name, name + "_*"}
	default:
		return []string{name + "*"}
	}
}

func (r row) mapped() string {
	category := categories[r.category]
	switch {
	case necessary[r.name]:
		return "necessary"
	case category == "first-party" && r.domain != "": // it is set on another site
		return "third-party"
	default:
		return category
	}
}

// purpose returns what r is for, if the data says more of it than its category.
func (r row) purpose() string {
	if necessary[r.name] {
		return ""
	}
	return cmp.Or(products[r.platform], purposes[r.category], r.ofNetwork())
}

func (r row) ofNetwork() string {
	if categories[r.category] == "statistics" {
		return ""
	}
	return networks[r.platform]
}

// spellings returns of each provider, in lower case, the spelling that most rows
// have, since consent is asked for by it.
func spellings(rows []row) map[string]string {
	count := make(map[string]int)
	for _, r := range rows {
		count[r.provider()]++
	}
	best := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(count)) {
		key := strings.ToLower(name)
		if before, known := best[key]; !known || count[name] > count[before] {
			best[key] = name
		}
	}
	return best
}
