package banner

import (
	"strings"
)

// match returns the places of the choices that a name means: by their own names first, then
// by those of the same meaning, then by what they belong to.
func match(choices []choice, wanted string) []int {
	for _, same := range []func(a, b string) bool{
		func(a, b string) bool { return plain(a) == plain(b) },
		func(a, b string) bool { return meaning(a) != "" && meaning(a) == meaning(b) },
	} {
		for _, field := range []func(choice) []string{
			func(c choice) []string { return unless(c.Inner, c.Names) },
			func(c choice) []string { return c.Groups },
			func(c choice) []string { return unless(!c.Inner, c.Names) },
		} {
			var found []int
			for i, c := range choices {
				for _, name := range field(c) {
					if same(name, wanted) {
						found = append(found, i)
						break
					}
				}
			}
			if len(found) > 0 {
				return found
			}
		}
	}
	return nil
}

func unless(not bool, names []string) []string {
	if not {
		return nil
	}
	return names
}

// plain returns a name without what sites write differently: "firstParty", "first-party".
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "", "'", "", "’", "").Replace(strings.TrimSpace(name)))
}

// meanings are names that mean the same, the category of package consent first.
var meanings = [][]string{
	{"statistics", "statistic", "stats", "analytics", "analytic", "analysis", "performance", "measurement", "audience", "audiencemeasurement", "performanceandanalytics", "statistiques", "statistik", "mesuredaudience"},
	{"advertising", "ads", "ad", "advertisement", "advertisements", "marketing", "targeting", "publicité", "werbung", "advertisingnetwork"},
	{"social-networks", "social", "socialmedia", "socialnetwork"},
	{"embedded-media", "video", "videos", "media", "embeds", "embedded", "multimedia"},
	{"chat", "support", "livechat"},
	{"personalisation", "personalization", "personalised", "personalized"},
	{"appearance", "preferences", "preference", "functionality", "functional"},
}

func meaning(name string) string {
	p := plain(name)
	for _, same := range meanings {
		for _, other := range same {
			if plain(other) == p {
				return same[0]
			}
		}
	}
	return ""
}
