package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/walk"
)

func TestAComponentFollowsTheVisitorsChoice(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	walk.Through(t, site, `async () => {
		await click(".ask button");
		await click("dialog.charter-settings [name='category:third-party'][value=some]");
		await click("dialog.charter-settings [name=allow][value='third-party:Vimeo']");
		await click("dialog.charter-settings [value=save]");
	}`, `() => until(".ask", () => find(".ask"))`)
}
