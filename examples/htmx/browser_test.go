package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/walk"
)

func TestAFragmentFollowsTheVisitorsChoice(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	// It may take a moment until htmx listens to the button.
	const show = `until("placeholder", () => find(".charter-placeholder") || find("[hx-get]").click())`
	walk.Through(t, site, `async () => {
		await `+show+`;
		await click(".charter-placeholder [value=add]"); // of the first
	}`, `() => `+show)
}
