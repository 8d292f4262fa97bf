package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/walk"
)

func TestAFragmentFollowsTheVisitorsChoice(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	walk.Through(t, site, `async () => {
		await click("[hx-get]");
		await click(".charter-placeholder [value=add]"); // of the first
	}`, `async () => {
		await click("[hx-get]");
		await until("placeholder", () => document.querySelectorAll(".charter-placeholder").length === 2);
	}`)
}
