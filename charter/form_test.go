package charter_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The answer for a category rules; boxes count only if it leaves the answer to them.
func TestTheAnswerForACategoryRulesItsBoxes(t *testing.T) {
	boxes := map[string][]string{
		"no box": nil, "one box": {"statistics:Matomo"}, "the other box": {"statistics:Plausible"}, "both boxes": {"statistics:Matomo", "statistics:Plausible"},
	}
	ticked := map[string]string{"no box": "visits", "one box": "visits _pk_id.1", "the other box": "visits plausible", "both boxes": "visits _pk_id.1 plausible"}
	for name, test := range map[string]struct {
		answers []string
		want    func(boxes string) string
	}{
		"none":                    {nil, func(boxes string) string { return ticked[boxes] }},
		"some":                    {[]string{"some"}, func(boxes string) string { return ticked[boxes] }},
		"allow":                   {[]string{"allow"}, func(string) string { return "visits _pk_id.1 plausible" }},
		"refuse":                  {[]string{"refuse"}, func(string) string { return "visits" }},
		"empty":                   {[]string{""}, func(string) string { return "visits" }},
		"unknown":                 {[]string{"ALLOW"}, func(string) string { return "visits" }},
		"allow and refuse":        {[]string{"allow", "refuse"}, func(string) string { return "visits" }},
		"refuse and allow":        {[]string{"refuse", "allow"}, func(string) string { return "visits" }},
		"allow twice":             {[]string{"allow", "allow"}, func(string) string { return "visits" }},
		"some and allow":          {[]string{"some", "allow"}, func(string) string { return "visits" }},
		"some twice":              {[]string{"some", "some"}, func(string) string { return "visits" }},
		"one that is not the one": {[]string{"some", "refuse"}, func(string) string { return "visits" }},
	} {
		for boxed, values := range boxes {
			t.Run(name+", "+boxed, func(t *testing.T) {
				s := newSite(t, nil)
				response := s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "category:statistics": test.answers, "allow": values})
				assert.Equal(t, http.StatusSeeOther, response.StatusCode)
				assert.Equal(t, test.want(boxed), s.allowed())
				assert.Empty(t, s.asked(), "who has saved the form has answered for everything")
			})
		}
	}
}

func TestTheAnswerForOneCategorySaysNothingOfAnother(t *testing.T) {
	s := newSite(t, nil)
	s.do("POST", "/cookies/", url.Values{
		"choice": {"save"}, "category:statistics": {"refuse"}, "category:third-party": {"allow"}, "category:nonsense": {"allow"}, "category:necessary": {"refuse"},
		"allow": {"statistics:Matomo", "chat:Chat"},
	})
	assert.Equal(t, "visits <ad> chat", s.allowed())
	assert.Equal(t, []string{"statistics=refuse", "third-party=allow", "chat=allow"}, s.chosen())
}

func TestAnAnswerOtherThanSaveCountsNoRadio(t *testing.T) {
	everything := url.Values{"category:statistics": {"allow"}, "category:third-party": {"allow"}, "category:chat": {"allow"}, "allow": {"chat:Chat"}}
	for choice, want := range map[string]string{"refuse": "visits", "add": "visits chat"} {
		s := newSite(t, nil)
		form := url.Values{"choice": {choice}}
		for name, values := range everything {
			form[name] = values
		}
		s.do("POST", "/cookies/", form)
		assert.Equal(t, want, s.allowed(), choice)
	}
	s := newSite(t, nil)
	s.do("POST", "/cookies/", url.Values{"choice": {"accept"}, "category:statistics": {"refuse"}})
	assert.Equal(t, "visits _pk_id.1 plausible <ad> chat", s.allowed(), "the button says all")
}

// What a visitor finds in the form, and saves as it is, is what they had.
func TestAFormThatIsSavedAsItIsChangesNothing(t *testing.T) {
	for i, before := range []url.Values{
		nil,
		{"choice": {"refuse"}},
		{"choice": {"accept"}},
		{"choice": {"save"}, "category:statistics": {"some"}, "allow": {"statistics:Plausible"}, "object": {"1"}},
		{"choice": {"save"}, "category:chat": {"allow"}},
		{"choice": {"add"}, "allow": {"statistics:Matomo"}},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			s := newSite(t, nil)
			if before != nil {
				s.do("POST", "/cookies/", before)
			}
			want := s.allowed()
			for _, form := range []string{s.get("/cookies/"), s.part("/cookies/banner.js?show=settings&back=/")} {
				s.do("POST", "/cookies/", filled(form))
				assert.Equal(t, want, s.allowed())
			}
			assert.Empty(t, s.asked())
		})
	}
}

// filled returns what a browser posts of a form by the button that saves it.
func filled(page string) url.Values {
	form := url.Values{"choice": {"save"}}
	for _, field := range checkedIn(page) {
		form.Add(field[0], field[1])
	}
	return form
}

func TestAnObjectionHasABoxOfItsOwn(t *testing.T) {
	s := newSite(t, nil)
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "category:statistics": {"allow"}, "object": {"1"}})
	assert.Equal(t, "_pk_id.1 plausible", s.allowed(), "a yes to others is no yes to anonymous statistics")
	assert.Equal(t, []string{"statistics=allow", "statistics:Matomo", "statistics:Plausible", "third-party=refuse", "chat=refuse", "1"}, s.chosen())
	assert.Contains(t, s.said(), "You object to anonymous statistics.")

	s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"chat:Chat"}})
	assert.Equal(t, "_pk_id.1 plausible chat", s.allowed(), "a placeholder ends none")
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "category:statistics": {"allow"}})
	assert.Equal(t, "visits _pk_id.1 plausible", s.allowed())
	s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "object": {"1"}})
	s.do("POST", "/cookies/", url.Values{"choice": {"accept"}})
	assert.Contains(t, s.allowed(), "visits", "accepting all ends it")
}

func TestACategoryWithOneProviderNeedsNoBoxes(t *testing.T) {
	page := newSite(t, nil).get("/cookies/")
	assert.Equal(t, []string{"refuse", "allow", "some"}, found(page, `name="category:statistics" value="([^"]*)"`))
	assert.Equal(t, []string{"refuse", "allow"}, found(page, `name="category:chat" value="([^"]*)"`))
	assert.Equal(t, []string{"statistics:Matomo", "statistics:Plausible"}, found(page, `name="allow" value="([^"]*)"`))
	assert.Empty(t, found(page, `(name="category:necessary")`))
	assert.Equal(t, []string{"save", "refuse", "accept"}, found(page, `<button name="choice" value="([^"]*)"`))
	assert.NotContains(t, page, " open>", "nothing is open that nobody has chosen")
}
