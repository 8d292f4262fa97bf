package site

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/charter"
)

// signals and guards are in settings what [charter.Config] has as values.
var (
	signals = map[string]func() charter.Signal{
		"google": charter.Google, "microsoft": charter.Microsoft, "clarity": charter.Clarity, "meta": charter.Meta,
		"tiktok": charter.TikTok, "matomo": charter.Matomo, "matomo-cookies": charter.MatomoCookies,
		"piano": charter.Piano, "posthog": charter.PostHog, "adobe": charter.Adobe,
	}
	guards = map[string]charter.Guard{"": charter.GuardOff, "declared": charter.GuardDeclared, "all": charter.GuardAll}
)

// SignalNamed returns the signal that settings call by a name, such as "google" or
// "matomo-cookies", for [charter.Config.Signals]. The error names all that there are.
func SignalNamed(name string) (charter.Signal, error) {
	signal, known := signals[name]
	if !known {
		return charter.Signal{}, fmt.Errorf("%q is none of %s", name, strings.Join(slices.Sorted(maps.Keys(signals)), ", "))
	}
	return signal(), nil
}

// GuardNamed returns the guard that settings call by a name: "declared" or "all", and
// [charter.GuardOff] for none. It is for [charter.Config.Guard].
func GuardNamed(name string) (charter.Guard, error) {
	guard, known := guards[name]
	if !known {
		return charter.GuardOff, fmt.Errorf(`%q is neither "declared" nor "all"`, name)
	}
	return guard, nil
}
