package sharedcache_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/rawhead"
	"github.com/cookiecharter/consent/internal/sharedcache"
)

func TestKeepOutDropsWhatLetsASharedCacheKeepTheResponse(t *testing.T) {
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
		{[]string{"public, private"}, "private"},
		{[]string{"private, s-maxage =5"}, "private"},
		{[]string{"private, max-age=60", "no-transform"}, ""},
		{[]string{`private="set-cookie", max-age=60`}, "private, max-age=60"},
		{[]string{`no-cache="a, public", public`}, `private, no-cache="a, public"`},
		{[]string{`x="\", public", public`}, `private, x="\", public"`},
		{[]string{`x="open, public`}, `private, x="open, public`},
		{[]string{`x=\"y", public`}, `private, x=\"y"`}, // outside of quotes a '\' is itself
		{[]string{`x="\`}, `private, x="\`},
		{[]string{"no-store"}, "private, no-store"},
		{[]string{" , ,"}, "private"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.given, " | "), func(t *testing.T) {
			want := test.given
			if test.want != "" {
				want = []string{test.want}
			}
			h := http.Header{"Cache-Control": test.given, "Vary": {"Cookie"}}
			sharedcache.KeepOut(h, nil)
			assert.Equal(t, http.Header{"Cache-Control": want, "Vary": {"Cookie"}}, h)

			fields := []rawhead.Field{{Name: "Vary", Value: "Cookie"}}
			for _, v := range test.given {
				fields = append(fields, rawhead.Field{Name: "cache-control", Value: v})
			}
			var got []string
			kept, _ := sharedcache.KeepOutFields(fields)
			for _, field := range kept {
				if field.Name != "Vary" {
					got = append(got, field.Value)
				}
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestKeepOutKnowsKeysInAnyLetterCase(t *testing.T) {
	h := http.Header{"cache-control": {"public"}, "CACHE-CONTROL": {"max-age=5"}}
	sharedcache.KeepOut(h, nil)
	assert.Equal(t, http.Header{"Cache-Control": {"private, max-age=5"}}, h)
}

// A slice of values may have room, which other requests share.
func TestNothingElseChangesInValuesThatRequestsShare(t *testing.T) {
	one := append(make([]string, 0, 4), "max-age=5")
	other := append(make([]string, 0, 4), "no-transform")
	sharedcache.KeepOut(http.Header{"cache-control": one, "CACHE-CONTROL": other}, nil)
	assert.Equal(t, []string{"max-age=5", "", "", ""}, one[:4])
	assert.Equal(t, []string{"no-transform", "", "", ""}, other[:4])
}

func TestWhatTellsACDNMoreIsTakenOut(t *testing.T) {
	for _, given := range []string{"CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control", "Edge-Control", "X-Accel-Expires"} {
		for _, name := range []string{given, strings.ToLower(given), strings.ToUpper(given)} {
			h := http.Header{name: {"max-age=5"}, "Cache-Control": {"private"}}
			sharedcache.KeepOut(h, nil)
			assert.Equal(t, http.Header{"Cache-Control": {"private"}}, h)
			kept, contradicted := sharedcache.KeepOutFields([]rawhead.Field{{Name: name}, {Name: "Cache-Control", Value: "private"}})
			assert.Len(t, kept, 1)
			assert.True(t, contradicted)
		}
	}
	for _, name := range []string{"Expires", "-Cache-Control", "Vary"} {
		h := http.Header{name: {"x"}, "Cache-Control": {"private"}}
		sharedcache.KeepOut(h, nil)
		assert.Len(t, h, 2, name)
	}
}

func TestAHandlerIsContradictedIfItLetCachesKeepTheResponse(t *testing.T) {
	for given, want := range map[string]bool{
		"": false, "private": false, "no-store": false, "max-age=5": false, "no-cache": false, `ext="public"`: false,
		"public": true, "max-age=5, Public": true, "s-maxage=5": true, "private, s-maxage=1": true, `private="Set-Cookie"`: true,
	} {
		h, fields := http.Header{}, []rawhead.Field(nil)
		if given != "" {
			h["cache-control"] = []string{given}
			fields = []rawhead.Field{{Name: "cache-control", Value: given}}
		}
		assert.Equal(t, want, sharedcache.KeepOut(h, nil), given)
		_, contradicted := sharedcache.KeepOutFields(fields)
		assert.Equal(t, want, contradicted, given)
	}
	assert.True(t, sharedcache.KeepOut(http.Header{"CDN-Cache-Control": {"max-age=5"}}, nil))
}

func TestASharedCacheMayKeepWhatIsNotPrivate(t *testing.T) {
	for given, want := range map[string]bool{
		"": true, "public": true, "max-age=60": true, "no-cache": true, `private="Set-Cookie"`: true, `x="no-store"`: true,
		"private": false, "max-age=60, Private": false, "no-store": false, "NO-STORE": false, "no-cache, no-store": false,
	} {
		assert.Equal(t, want, sharedcache.Allows([]string{given}), given)
	}
	assert.True(t, sharedcache.Allows(nil))
	assert.False(t, sharedcache.Allows([]string{"max-age=5", "private"}))
}

func TestVaryNamesWhatTheResponseDependsOnOnce(t *testing.T) {
	depends := []string{"Cookie", "Accept-Language", "cookie"}
	for what, test := range map[string]struct{ given, want []string }{
		"nothing":            {nil, []string{"Cookie, Accept-Language"}},
		"another":            {[]string{"Accept-Encoding"}, []string{"Accept-Encoding", "Cookie, Accept-Language"}},
		"one of them":        {[]string{"accept-language,Origin"}, []string{"accept-language,Origin", "Cookie"}},
		"all of them":        {[]string{"COOKIE", "Accept-Language"}, []string{"COOKIE", "Accept-Language"}},
		"everything at once": {[]string{"*"}, []string{"*"}},
	} {
		h, fields := http.Header{}, []rawhead.Field(nil)
		for _, v := range test.given {
			h.Add("Vary", v)
			fields = append(fields, rawhead.Field{Name: "vary", Value: v})
		}
		sharedcache.Vary(h, depends)
		assert.Equal(t, test.want, h["Vary"], what)
		var got []string
		for _, field := range sharedcache.VaryFields(fields, depends) {
			got = append(got, field.Value)
		}
		assert.Equal(t, test.want, got, what)
	}
	h := http.Header{"vary": {"Cookie"}}
	sharedcache.Vary(h, []string{"Cookie", "Sec-GPC"})
	assert.Equal(t, http.Header{"vary": {"Cookie"}, "Vary": {"Sec-GPC"}}, h)
}
