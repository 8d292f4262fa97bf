package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// With DynamicUser, systemd makes a user that has the unit's name, and starts nothing if a
// group has that name already (systemd.exec(5)); nor does it if a group in
// SupplementaryGroups is not there.
func TestTheUnitsGroupIsAnotherThanItsUser(t *testing.T) {
	unit, err := os.ReadFile("../../deploy/consentproxy.service")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^DynamicUser=yes$`, string(unit))
	require.NotRegexp(t, `(?m)^User=`, string(unit), "the user has the unit's name")
	group := regexp.MustCompile(`(?m)^SupplementaryGroups=(.+)$`).FindSubmatch(unit)
	require.NotNil(t, group)
	assert.NotEqual(t, "consentproxy", string(group[1]))

	made := strings.Index(string(unit), "groupadd -r "+string(group[1])+"\n")
	started := strings.Index(string(unit), "systemctl enable --now consentproxy")
	assert.Positive(t, made, "the commands above the unit make the group")
	assert.Less(t, made, started, "before the first start")
}
