package charter

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	// package, words that are not here keep their usual meaning.
	Purposes map[string][]string

	// Call is JavaScript: an expression that amounts to a function. It is called with an
	// object that says of each word whether it is granted, and whether it is called for the
	// first time. The first call comes before anything is looked at, and grants only what
	// needs nothing; what is known of the visitor follows at once, and each change. Required.
	Call string

	// usual holds what the words of this package's signals need; of that counts what the
	// site has declared. A word of which nothing is declared is never granted.
	usual map[string][]consent.Category
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

//go:embed signals/*.min.js
var signalCalls embed.FS

// call returns the function that tells a tag, from the folder signals.
func call(name string) string {
	content, err := signalCalls.ReadFile("signals/" + name + ".min.js")
	if err != nil {
		panic(err) // cannot happen: it is embedded
	}
	return string(content)
}

// Usual meanings.
var (
	measuring   = []consent.Category{consent.Statistics, consent.AudienceMeasurement}
	advertising = []consent.Category{consent.Advertising, consent.ThirdParty}
)

// Google returns the signal of Google's tags, Consent Mode v2, with all of its seven words.
// Each page pushes the command "default" into dataLayer, and "update" once there is a
// decision or a law that presumes one; and after each "update" the event "consent_update",
// for triggers of Google Tag Manager (Google, "Set up consent mode on websites", "Consent
// mode reference").
//
// The words about ads need Advertising and ThirdParty, analytics_storage needs Statistics and
// AudienceMeasurement, personalization_storage needs Personalisation and FirstParty, and
// functionality_storage Appearance and FirstParty, of those in which something that the site
// declares asks for consent. security_storage is always granted.
func Google() Signal {
	return Signal{Name: "google", Call: call("google"), usual: map[string][]consent.Category{
		"ad_storage":              advertising,
		"ad_user_data":            advertising,
		"ad_personalization":      advertising,
		"analytics_storage":       measuring,
		"functionality_storage":   {consent.Appearance, consent.FirstParty},
		"personalization_storage": {consent.Personalisation, consent.FirstParty},
		"security_storage":        {},
	}}
}

// A headMaker collects what the script of the head is called with.
type headMaker struct {
	c          *Charter
	categories []consent.Category // by their numbers
	needs      [][]any
	numbers    map[string]int // of the needs
}

// need returns the number of a need: of one provider of a category, or of the category if
// provider is empty. known is false if nobody has declared it.
func (h *headMaker) need(category consent.Category, provider string) (number int, known bool) {
	key := string(category)
	if provider != "" {
		key = allowValue(category, provider)
	}
	if number, made := h.numbers[key]; made {
		return number, true
	}
	at := slices.Index(h.categories, category)
	if at < 0 {
		at = len(h.categories)
	}
	var own, others []any
	var hasExempt bool
	for _, cookie := range h.c.cookies {
		switch isOwn := provider == "" || cookie.Provider == provider; {
		case cookie.Category != category:
			continue
		case !cookie.NeedsConsent():
			hasExempt = hasExempt || isOwn
		case isOwn && !slices.Contains(own, any(scriptMark(cookie))):
			own = append(own, scriptMark(cookie))
		case !isOwn && !slices.Contains(others, any(-int64(scriptMark(cookie)))):
			others = append(others, -int64(scriptMark(cookie)))
		}
	}
	if len(own) == 0 {
		others = nil // what is exempt waits for nobody
	}
	if hasExempt {
		own = append(own, 0)
	}
	if len(own) == 0 {
		return 0, false
	}
	if at == len(h.categories) {
		h.categories = append(h.categories, category)
	}
	number = len(h.needs)
	h.needs = append(h.needs, slices.Concat([]any{at}, own, others))
	h.numbers[key] = number
	return number, true
}

// asks reports whether something in a category asks for consent.
func (c *Charter) asks(category consent.Category) bool {
	return slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool {
		return cookie.Category == category && cookie.NeedsConsent()
	})
}

// needsOf returns what a word of a signal needs, and what of that nobody has declared.
// never is true if the word is never granted.
func (h *headMaker) needsOf(s Signal, word string) (numbers []int, never bool, mistakes []error) {
	needs, isGiven := s.Purposes[word]
	if !isGiven {
		usual := s.usual[word]
		for _, category := range usual {
			if h.c.asks(category) {
				needs = append(needs, string(category))
			}
		}
		never = len(usual) > 0 && len(needs) == 0
	}
	for _, need := range needs {
		category, provider := cutAllowValue(need)
		if category == consent.Necessary && provider == "" {
			continue
		}
		number, known := h.need(category, provider)
		switch _, anything := h.need(category, ""); {
		case known:
			numbers = append(numbers, number)
		case !anything:
			mistakes = append(mistakes, fmt.Errorf("%s: nothing is declared in the category %q", word, category))
		default:
			mistakes = append(mistakes, fmt.Errorf("%s: nothing of the provider %q is declared in the category %q", word, provider, category))
		}
	}
	return numbers, never, mistakes
}

// signal returns a signal as the script takes it: its function, and one that returns what
// its words amount to. The mistakes do not name the signal.
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
	}{{"Name", s.Name == ""}, {"Purposes", len(words) == 0}, {"Call", strings.TrimSpace(s.Call) == ""}} {
		if field.isEmpty {
			mistakes = append(mistakes, fmt.Errorf("%s is empty", field.name))
		}
	}
	var meanings []string
	for _, word := range words {
		if _, known := s.usual[word]; !known && s.usual != nil {
			mistakes = append(mistakes, fmt.Errorf("Purposes: the tag has no word %q; it has %q", word, slices.Sorted(maps.Keys(s.usual))))
			continue
		}
		numbers, never, undeclared := h.needsOf(s, word)
		for _, mistake := range undeclared {
			mistakes = append(mistakes, fmt.Errorf("Purposes: %w", mistake))
		}
		meaning := "!0"
		if never {
			meaning = "!1"
		}
		for i, number := range numbers {
			if i == 0 {
				meaning = ""
			} else {
				meaning += "&&"
			}
			meaning += fmt.Sprintf("o[%d]", number)
		}
		quoted, _ := json.Marshal(word) // never fails for a string
		meanings = append(meanings, fmt.Sprintf("[%s]:%s", quoted, meaning))
	}
	return fmt.Sprintf("[%s,o=>({%s})]", s.Call, strings.Join(meanings, ",")), mistakes
}

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
