package charter

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cookiecharter/consent"
)

// A Signal tells a tag of others what the visitor has decided. The functions of this
// package, such as [Google], return those that are known; a site can make others. Nothing
// is told to a tag that [Config.Signals] does not hold, and no script of others is loaded.
type Signal struct {
	// Name is the name of the tag, such as "google". Required.
	Name string

	// Purposes says for each word of the tag, such as "ad_storage", what the visitor has to
	// allow, all of it: categories such as "advertising", or single providers such as
	// "advertising:Google". A word that needs nothing is always granted. In a signal of this
	// package, words that are not here keep their usual meaning: see [Google].
	Purposes map[string][]string

	// Call is JavaScript: an expression that amounts to a function. It is called with an
	// object that says of each word "granted" or "denied", and with true if it is for the
	// first time on a page. That says what holds of a visitor who has not answered; what is
	// known of this one follows at once, and each change. Required.
	Call string

	// usual holds what the words of this package's signals need; of that counts what the
	// site has declared. A word for whose purpose nothing is declared is never granted.
	usual map[string][]consent.Category

	// vendor are the names under which visitors read of who hears the words: none is granted
	// by a yes to others alone.
	vendor []string
}

// With returns s with other meanings of some words: see [Signal.Purposes].
func (s Signal) With(purposes map[string][]string) Signal {
	s.Purposes = maps.Clone(s.Purposes)
	if s.Purposes == nil {
		s.Purposes = make(map[string][]string)
	}
	maps.Copy(s.Purposes, purposes)
	return s
}

// A headMaker collects what the script of the head is called with.
type headMaker struct {
	c          *Charter
	categories []consent.Category // by their numbers
	hasExempt  bool               // something is allowed before any answer
}

// need returns an expression that amounts to "granted" if one provider of a category is
// allowed, or the whole category if provider is empty. known is false if nobody has
// declared it.
func (h *headMaker) need(category consent.Category, provider string) (expression string, known bool) {
	var own, others []string // marks
	isExempt := false
	for _, cookie := range h.c.cookies {
		mark := fmt.Sprint(scriptMark(cookie))
		switch isOwn := provider == "" || cookie.Provider == provider; {
		case cookie.Category != category:
			continue
		case !cookie.NeedsConsent():
			isExempt = isExempt || isOwn
		case isOwn && !slices.Contains(own, mark):
			own = append(own, mark)
		case !isOwn && !slices.Contains(others, mark):
			others = append(others, mark)
		}
	}
	if isExempt {
		if len(own) == 0 {
			h.hasExempt = true
			others = nil // what is exempt waits for nobody
		}
		own = append(own, "0")
	}
	if len(own) == 0 {
		return "", false
	}
	number := h.number(category)
	expression = fmt.Sprintf("o(%d,%s)", number, strings.Join(own, ","))
	if len(others) > 0 {
		// As in script.js and on the server, a provider waits until all of its category have
		// an answer, unless it is allowed alone (3).
		expression = fmt.Sprintf(`(x[%s]>2||[%s].every(m=>x[m]===0||o(%d,m)>"e")?%s:"denied")`, own[0], strings.Join(others, ","), number, expression)
	}
	return expression, true
}

// asks reports whether something in a category asks for consent.
func (c *Charter) asks(category consent.Category) bool {
	return slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool {
		return cookie.Category == category && cookie.NeedsConsent()
	})
}

// anybody are the names of whoever it is: a program that a site runs itself is declared under
// the site's own name.
var anybody = []string{""}

// asksFor reports whether something in a category asks for consent of a vendor, which visitors
// read of as the provider or the service.
func (c *Charter) asksFor(category consent.Category, vendor []string) bool {
	return slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool {
		if cookie.Category != category || !cookie.NeedsConsent() {
			return false
		}
		for _, name := range vendor {
			if beginsWith(cookie.Provider, name) {
				return true
			}
			for _, service := range cookie.Service {
				if beginsWith(service, name) {
					return true
				}
			}
		}
		return false
	})
}

// beginsWith reports whether a text begins with a name, in whole words and any letter case:
// "Google Ads" does with "Google", and "Metabase" does not with "Meta". Everything does with "".
func beginsWith(s, name string) bool {
	if len(s) < len(name) || !strings.EqualFold(s[:len(name)], name) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[len(name):])
	return name == "" || len(s) == len(name) || !unicode.IsLetter(next) && !unicode.IsDigit(next)
}

// needsOf returns what a word of a signal needs. never is true if nothing grants it.
func (c *Charter) needsOf(s Signal, word string) (needs []string, never bool) {
	if given, isGiven := s.Purposes[word]; isGiven {
		return given, false
	}
	usual := s.usual[word]
	hasPurpose := false
	for _, category := range usual {
		if c.asks(category) {
			needs = append(needs, string(category))
			hasPurpose = hasPurpose || saysPurpose(category) && c.asksFor(category, s.vendor)
		}
	}
	return needs, len(usual) > 0 && !hasPurpose
}

// saysPurpose reports whether a consent to the category is one to a purpose. FirstParty and
// ThirdParty say who sets something: a visitor who allows a video in ThirdParty has not
// allowed ads.
func saysPurpose(category consent.Category) bool {
	return category != consent.FirstParty && category != consent.ThirdParty
}

// isNever reports whether no word of a signal of this package can ever be granted, but for those
// that need nothing: the tag would wait for good, and nobody would know why.
func (c *Charter) isNever(s Signal) bool {
	for word, usual := range s.usual {
		if _, never := c.needsOf(s, word); !never && len(usual) > 0 {
			return false
		}
	}
	return s.usual != nil
}

// purposesOf returns the categories of which one has to be declared for a word of a signal.
func purposesOf(s Signal) []consent.Category {
	var all []consent.Category
	for _, word := range slices.Sorted(maps.Keys(s.usual)) {
		for _, category := range s.usual[word] {
			if saysPurpose(category) && !slices.Contains(all, category) {
				all = append(all, category)
			}
		}
	}
	return all
}

// meaning returns an expression that amounts to "granted" or "denied", and what of a word's
// needs nobody has declared.
func (h *headMaker) meaning(s Signal, word string) (expression string, mistakes []error) {
	needs, never := h.c.needsOf(s, word)
	if never {
		return `"denied"`, nil
	}
	var expressions []string
	for _, need := range needs {
		category, provider := cutAllowValue(need)
		if category == consent.Necessary && (provider == "" || h.c.providers[need]) {
			continue // no objection stops it
		}
		if expression, known := h.need(category, provider); known {
			expressions = append(expressions, expression)
		} else if _, isDeclared := h.need(category, ""); isDeclared {
			mistakes = append(mistakes, fmt.Errorf("%s: nothing of the provider %q is declared in the category %q", word, provider, category))
		} else {
			mistakes = append(mistakes, fmt.Errorf("%s: nothing is declared in the category %q", word, category))
		}
	}
	switch len(expressions) {
	case 0:
		return `"granted"`, mistakes
	case 1:
		return expressions[0], mistakes
	default:
		return "[" + strings.Join(expressions, ",") + "].sort()[0]", mistakes // "denied" comes first
	}
}

// signal returns a signal as the script takes it. The mistakes do not name the signal.
func (h *headMaker) signal(s Signal) (code string, mistakes []error) {
	words := slices.Collect(maps.Keys(s.Purposes))
	for word := range s.usual {
		if _, isGiven := s.Purposes[word]; !isGiven {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	for _, field := range []struct {
		name    string
		isEmpty bool
	}{{"Name", s.Name == ""}, {purposesField, len(words) == 0}, {"Call", strings.TrimSpace(s.Call) == ""}} {
		if field.isEmpty {
			mistakes = append(mistakes, fmt.Errorf("%s is empty", field.name))
		}
	}
	never := h.c.isNever(s)
	if anybody := (Signal{Purposes: s.Purposes, usual: s.usual, vendor: anybody}); never && !h.c.isNever(anybody) {
		// No mistake: what the tag does without consent may be all that the site wants of it.
		slog.Warn(fmt.Sprintf("charter: Config.Signals (%s): %s: no visitor can grant a word of it, since no provider or service that asks for consent in %q has a name that begins with one of %q: declare it so, or say by With what a word needs", s.Name, purposesField, purposesOf(s), s.vendor))
	} else if never {
		mistakes = append(mistakes, fmt.Errorf("%s: no visitor can grant a word of it: declare what asks for consent in one of the categories %q, or say by With what a word needs", purposesField, purposesOf(s)))
	}
	var meanings []string
	for _, word := range words {
		if _, known := s.usual[word]; !known && s.usual != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: the tag has no word %q; it has %q", purposesField, word, slices.Sorted(maps.Keys(s.usual))))
			continue
		}
		meaning, undeclared := h.meaning(s, word)
		for _, mistake := range undeclared {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", purposesField, mistake))
		}
		key := word
		if !plainWord.MatchString(word) {
			quoted, _ := json.Marshal(word) // never fails for a string
			key = "[" + string(quoted) + "]"
		}
		meanings = append(meanings, key+":"+meaning)
	}
	// The parameters are what head.js tells: granted, whether it is the first time, answers.
	parameters, object, end := "(o,f)", "({"+strings.Join(meanings, ",")+"},f)", ""
	if strings.Contains(object, "x[") {
		parameters = "(o,f,x)"
	}
	if strings.Contains(s.Call, "//") {
		end = "\n" // it may end with a comment
	}
	return parameters + "=>(" + s.Call + end + ")" + object, mistakes
}

const purposesField = "Purposes" // in errors

// plainWord matches words that are keys of an object without quotes.
var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// signals returns the signals as the script takes them. The error names each mistake in
// [Config.Signals].
func (h *headMaker) signals(all []Signal) (string, error) {
	var codes []string
	var mistakes []error
	if len(all) > 0 && h.c.mw.Cookie().HttpOnly {
		mistakes = append(mistakes, errors.New("charter: Config.Signals: no script can read the decision, as HttpOnly of consent.Config says"))
	}
	for i, s := range all {
		code, wrong := h.signal(s)
		if s.Name != "" && slices.ContainsFunc(all[:i], func(before Signal) bool { return before.Name == s.Name }) {
			wrong = append(wrong, errors.New("another one has this name"))
		}
		for _, mistake := range wrong {
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Signals[%d] (%s): %w", i, s.Name, mistake))
		}
		codes = append(codes, code)
	}
	return "[" + strings.Join(codes, ",") + "]", errors.Join(mistakes...)
}
