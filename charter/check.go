package charter

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}?`)

// placeholders are what the sentences hold beside words; all others hold none.
var placeholders = map[string][]string{
	"Ask":       {"{purposes}"},
	"AskOptOut": {"{purposes}"},
	"Decided":   {"{date}"},
	"Allowed":   {"{providers}"},
	"Embedded":  {"{provider}"},
	"Show":      {"{provider}"},
}

// check says what keeps w from speaking to a visitor: each sentence that is
// missing or whose placeholders are not the right ones, and each plural form
// that some number needs.
func (w *words) check() error {
	var mistakes []string
	for key, sentence := range w.sentences() {
		if sentence == "" {
			mistakes = append(mistakes, key+" is missing")
		} else if got := placeholder.FindAllString(sentence, -1); !slices.Equal(got, placeholders[key]) {
			mistakes = append(mistakes, fmt.Sprintf("%s holds the placeholders %q and should hold %q", key, got, placeholders[key]))
		}
	}
	// The plural of a number depends on its last digits, and on none beyond
	// millions.
	needed := make(map[plural.Form]bool)
	for n := range 1000 {
		needed[plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)] = true
	}
	for _, unit := range units {
		for form := range needed {
			if got := placeholder.FindAllString(w.Units[unit.name][formNames[form]], -1); !slices.Equal(got, []string{"{n}"}) {
				mistakes = append(mistakes, fmt.Sprintf("%s.%s is missing or lacks its {n}", "Units."+unit.name, formNames[form]))
			}
		}
	}
	if len(mistakes) == 0 {
		return nil
	}
	slices.Sort(mistakes)
	return errors.New(strings.Join(mistakes, "; "))
}

// checkKeys names the units and categories that nothing is said with.
func (w *words) checkKeys() error {
	there := make(map[string]bool)
	for _, unit := range units {
		there[unit.name] = true
	}
	for _, unit := range slices.Sorted(maps.Keys(w.Units)) {
		if !there[unit] {
			return fmt.Errorf("%q is no unit", "Units."+unit)
		}
	}
	for _, category := range slices.Sorted(maps.Keys(w.Categories)) {
		if !known(category) {
			return fmt.Errorf("%q is none of the library's", "Categories."+string(category))
		}
	}
	return nil
}

// sentences returns every sentence by the name of its key.
func (w *words) sentences() map[string]string {
	all := make(map[string]string)
	v := reflect.ValueOf(*w)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && f.Type.Kind() == reflect.String {
			all[f.Name] = v.Field(i).String()
		}
	}
	for _, category := range kinds {
		all["Categories."+string(category)+".Title"] = w.Categories[category].Title
		all["Categories."+string(category)+".About"] = w.Categories[category].About
	}
	return all
}
