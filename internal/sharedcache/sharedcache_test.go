package sharedcache_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/sharedcache"
)

func TestPrivateDropsWhatLetsASharedCacheKeepTheResponse(t *testing.T) {
	tests := []struct {
		given []string
		want  string // "" where nothing has to change
	}{
		{nil, "private"},
		{[]string{"private"}, ""},
		{[]string{"max-age=60, Private"}, ""},
		{[]string{"public, max-age=60"}, "private, max-age=60"},
		{[]string{"PUBLIC", "S-MaxAge=5 , max-age=60"}, "private, max-age=60"},
		{[]string{"private, s-maxage=5"}, "private"},
		{[]string{`private="set-cookie", max-age=60`}, "private, max-age=60"},
		{[]string{`no-cache="a, public", public`}, `private, no-cache="a, public"`},
		{[]string{`x="\", public", public`}, `private, x="\", public"`},
		{[]string{`x="open, public`}, `private, x="open, public`},
		{[]string{`x="\`}, `private, x="\`},
		{[]string{"no-store"}, "private, no-store"},
		{[]string{" , ,"}, "private"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.given, " | "), func(t *testing.T) {
			got, changed := sharedcache.Private(test.given)
			assert.Equal(t, test.want != "", changed)
			if changed {
				assert.Equal(t, test.want, got)
			}
		})
	}
}

func TestTargetedFieldsAreKnownInAnyLetterCase(t *testing.T) {
	for _, name := range []string{"CDN-Cache-Control", "cloudflare-cdn-cache-control", "Surrogate-Control", "edge-control", "x-accel-expires"} {
		assert.True(t, sharedcache.IsTargeted(name), name)
	}
	for _, name := range []string{"Cache-Control", "Expires", "-Cache-Control", "Vary"} {
		assert.False(t, sharedcache.IsTargeted(name), name)
	}
}
