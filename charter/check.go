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

	"github.com/cookiecharter/consent"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}?`)

// placeholders lists the placeholders of each sentence that has any, sorted.
var placeholders = map[string][]string{
	"Intro":       {"{site}"},
	"Updated":     {"{date}"},
	"Ask":         {"{purposes}", "{settings}", "{site}"},
	"AskOptOut":   {"{presumed}", "{settings}", "{site}"},
	"AskUK":       {"{presumed}", "{purposes}", "{settings}", "{site}"},
	"ForCategory": {"{category}"},
	"Presumed":    {"{allow}"},
	"GPC":         {"{refused}"},
	"GPCExcept":   {"{providers}"},
	"Decided":     {"{date}"},
	"Allowed":     {"{providers}"},
	"Embedded":    {"{provider}"},
	"Show":        {"{provider}"},
	"Visit":       {"{provider}"},

	"RecordsMore":    {"{count}"},
	"RecordsAllowed": {"{providers}"},
	"RecordsRefused": {"{providers}"},

	"Date":    {"{day}", "{month}", "{year}"},
	"ListTwo": {"{first}", "{last}"},
	"ListEnd": {"{first}", "{last}"},
}

// placeholdersIn returns those of a sentence, each once and sorted: a language has its
// own order, and may name a provider twice.
func placeholdersIn(sentence string) []string {
	found := placeholder.FindAllString(sentence, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// check returns an error that names each sentence that is missing or has other
// placeholders than it should, and each plural form that is missing. Only those of the
// library's categories have to have texts that are shown.
func (w *words) check(shown []consent.Category) error {
	var mistakes []string
	for key, sentence := range w.sentences(shown) {
		if sentence == "" {
			mistakes = append(mistakes, key+" is missing")
		} else if got := placeholdersIn(sentence); !slices.Equal(got, placeholders[key]) {
			mistakes = append(mistakes, fmt.Sprintf("%s holds the placeholders %q and should hold %q", key, got, placeholders[key]))
		}
	}
	// A number's form depends on its last digits. A form for whole millions alone,
	// such as the French "many", is not needed.
	needed := make(map[plural.Form]bool)
	for n := range 1000 {
		needed[plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)] = true
	}
	for _, unit := range units {
		for form := range needed {
			if got := placeholder.FindAllString(w.Units[unit.name][formNames[form]], -1); !slices.Equal(got, []string{"{n}"}) {
				mistakes = append(mistakes, fmt.Sprintf("Units.%s.%s is missing or lacks its {n}", unit.name, formNames[form]))
			}
		}
	}
	if len(w.Months) != 12 || slices.Contains(w.Months, "") {
		mistakes = append(mistakes, fmt.Sprintf("Months holds %d names and should hold 12", len(w.Months)))
	}
	if len(mistakes) == 0 {
		return nil
	}
	slices.Sort(mistakes)
	return errors.New(strings.Join(mistakes, "; "))
}

// checkKeys returns an error for a unit or a category that does not exist, such as
// a misspelt one: the decoder takes any key of a map.
func (w *words) checkKeys() error {
	for _, name := range slices.Sorted(maps.Keys(w.Units)) {
		if !slices.ContainsFunc(units, func(u unit) bool { return u.name == name }) {
			return fmt.Errorf("%q is no unit", "Units."+name)
		}
	}
	for _, category := range slices.Sorted(maps.Keys(w.Categories)) {
		if !slices.Contains(libraryCategories, category) {
			return fmt.Errorf("%q is none of the library's", "Categories."+string(category))
		}
	}
	return nil
}

// sentences returns every sentence by its key, those of the library's categories that
// are shown by a key such as "Categories.statistics.Title".
func (w *words) sentences(shown []consent.Category) map[string]string {
	all := make(map[string]string)
	v := reflect.ValueOf(*w)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && f.Type.Kind() == reflect.String {
			all[f.Name] = v.Field(i).String()
		}
	}
	for _, category := range libraryCategories {
		if !slices.Contains(shown, category) {
			continue
		}
		all["Categories."+string(category)+".Title"] = w.Categories[category].Title
		if category != consent.Necessary {
			all["Categories."+string(category)+".For"] = w.Categories[category].For
		}
		all["Categories."+string(category)+".About"] = w.Categories[category].About
	}
	return all
}
