package preference_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/preference"
	"github.com/cookiecharter/consent/internal/signature"
)

const (
	name     = "prefs"
	lifetime = 100 * time.Hour
)

var (
	key     = bytes.Repeat([]byte("k"), 32)
	old     = bytes.Repeat([]byte("o"), 32)
	foreign = bytes.Repeat([]byte("f"), 32)
)

// cookie is the one of the tests, unless they are about its attributes.
func cookie() *preference.Cookie {
	return preference.New(http.Cookie{Name: name, Path: "/", MaxAge: int(lifetime / time.Second)}, "", [][]byte{key, old})
}

// pair returns "name=value" of a decision taken at this time, in whole
// milliseconds, and signed now.
func pair(t testing.TB, at time.Time) string {
	t.Helper()
	line, err := cookie().Line(&decision.Decision{Time: at})
	require.NoError(t, err)
	pair, _, _ := strings.Cut(line, ";")
	return pair
}

// signed returns "name=value" with a signature over any bytes.
func signed(t testing.TB, over string, key, payload []byte) string {
	t.Helper()
	value, err := signature.New(over, [][]byte{key}, lifetime).Sign(payload)
	require.NoError(t, err)
	return name + "=" + value
}

// claiming returns "name=value" that claims to be signed at this time.
func claiming(at time.Time, i int) string {
	return name + "=" + encode(fmt.Sprintf("%d|%d|no mac", at.Unix(), i))
}

func TestWhatALineCarriesIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now()
		d := decision.Decision{Revision: 7, Time: at, Objection: true, Reference: [16]byte{1},
			Answers: decision.MakeAnswers(map[decision.Mark]decision.Answer{decision.MarkOf("statistics", "Matomo"): decision.Yes, decision.MarkOf("a", "b"): decision.No})}
		line, err := cookie().Line(&d)
		require.NoError(t, err)
		set, err := http.ParseSetCookie(line)
		require.NoError(t, err)
		got, found := cookie().Newest(set.Name+"="+set.Value, nil)
		require.True(t, found)
		assert.Equal(t, d, got)
	})
}

func TestALineHasTheAttributesOfTheCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := decision.Decision{Time: time.Now()}
		for want, attributes := range map[string]http.Cookie{
			"Max-Age=60":                               {},
			"Path=/; Max-Age=60; SameSite=Lax":         {Path: "/", SameSite: http.SameSiteLaxMode},
			"Domain=example.org; Max-Age=60":           {Domain: "example.org"},
			"Max-Age=60; HttpOnly":                     {HttpOnly: true},
			"Max-Age=60; Secure":                       {Secure: true},
			"Max-Age=60; Secure; SameSite=None":        {Secure: true, SameSite: http.SameSiteNoneMode},
			"Path=/a; Max-Age=60; HttpOnly; Secure":    {Path: "/a", HttpOnly: true, Secure: true, Value: "does not count"},
			"Max-Age=60; SameSite=Strict; Partitioned": {SameSite: http.SameSiteStrictMode, Partitioned: true},
			"Path=/; Domain=example.org; Max-Age=60":   {Path: "/", Domain: ".example.org"},
		} {
			attributes.Name, attributes.MaxAge = name, 60
			c := preference.New(attributes, "", [][]byte{key})
			line, err := c.Line(&d)
			require.NoError(t, err)
			pair, rest, _ := strings.Cut(line, "; ")
			assert.Equal(t, want, rest)
			assert.Regexp(t, `^prefs=[A-Za-z0-9_=-]+$`, pair)
			assert.Equal(t, attributes, c.Attributes())
			assert.Equal(t, name, c.Name())
			assert.Equal(t, time.Minute, c.Lifetime())
		}
	})
}

func TestALineLastsForAsLongAsItsDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for age, want := range map[time.Duration]int{
			0:                          360_000,
			999 * time.Millisecond:     360_000,
			time.Second:                359_999,
			99 * time.Hour:             3_600,
			lifetime - time.Second:     1,
			lifetime - time.Nanosecond: 1,
			-4 * time.Minute:           360_000, // by the clock of another server
		} {
			line, err := cookie().Line(&decision.Decision{Time: now.Add(-age)})
			require.NoError(t, err)
			assert.Contains(t, line, fmt.Sprintf("; Max-Age=%d", want), age)
		}
	})
}

func TestADecisionThatNoBrowserStoresIsAnError(t *testing.T) {
	_, err := cookie().Line(&decision.Decision{Time: time.Now(), Answers: make(decision.Answers, 2400)})
	assert.Error(t, err)
	_, err = cookie().Line(&decision.Decision{Time: time.Now(), Answers: make(decision.Answers, 2000)})
	assert.NoError(t, err)
}

func TestStandsHasTwoBounds(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]bool{
		-time.Hour:                       false,
		-5 * time.Minute:                 false,
		-5*time.Minute + time.Nanosecond: true,
		0:                                true,
		lifetime - time.Nanosecond:       true,
		lifetime:                         false,
		1000 * time.Hour:                 false,
	} {
		assert.Equal(t, want, cookie().Stands(now.Add(-age), now), age)
	}
	assert.False(t, cookie().Stands(time.Time{}, now), "no decision")
}

func TestNewestFindsOnlyWhatIsValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		payload := (&decision.Decision{Time: now}).Append(nil)
		good := pair(t, now)
		value := strings.TrimPrefix(good, name+"=")
		for what, test := range map[string]struct {
			header string
			want   bool
		}{
			"one":                       {good, true},
			"among others":              {"a=b; " + good + "; c=d", true},
			"without white space":       {"a=b;" + good + ";c=d", true},
			"with more white space":     {"a=b; \t " + good + " \t ;", true},
			"beside an empty one":       {name + "=; " + good + "; " + name, true},
			"beside a malformed one":    {name + "=x; " + good, true},
			"by an old key":             {signed(t, name, old, payload), true},
			"from 4:59 ahead":           {pair(t, now.Add(299*time.Second)), true},
			"from 5:00 ahead":           {pair(t, now.Add(300*time.Second)), false},
			"about to expire":           {pair(t, now.Add(-lifetime+time.Millisecond)), true},
			"expired":                   {pair(t, now.Add(-lifetime)), false},
			"nothing":                   {"", false},
			"no value":                  {name, false},
			"an empty value":            {name + "=", false},
			"another cookie":            {"a=b", false},
			"under another name":        {"other=" + value, false},
			"under a longer name":       {"x" + good, false},
			"in another letter case":    {"Prefs=" + value, false},
			"as another cookie's value": {"a=" + good, false},
			"a name alone":              {value, false},
			"by a foreign key":          {signed(t, name, foreign, payload), false},
			"for another cookie":        {signed(t, "other", key, payload), false},
			"signed, but no decision":   {signed(t, name, key, []byte("yes")), false},
			"signed, but empty":         {signed(t, name, key, nil), false},
			"cut short":                 {good[:len(good)-4], false},
			"longer":                    {good + "AAAA", false},
			"quoted":                    {name + `="` + value + `"`, false},
			"with another letter":       {name + "=A" + value[1:], false},
			"unsigned":                  {name + "=" + encode(string(payload)), false},
		} {
			_, found := cookie().Newest(test.header, nil)
			assert.Equal(t, test.want, found, what)
		}
	})
}

func TestADecisionIsFoundUntilItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		found := func(header string) bool {
			_, found := cookie().Newest(header, nil)
			return found
		}
		header := pair(t, time.Now())
		time.Sleep(lifetime - time.Millisecond)
		assert.True(t, found(header))
		time.Sleep(time.Millisecond)
		assert.False(t, found(header))
	})
}

func TestADecisionThatWasRestoredStandsNoLongerForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now()
		time.Sleep(99 * time.Hour)
		again := pair(t, at)
		time.Sleep(time.Hour)
		_, found := cookie().Newest(again, nil)
		assert.False(t, found)
	})
}

func TestTheNewestWinsWhateverTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		newest := time.Now()
		valid := []string{
			pair(t, newest.Add(-2*time.Hour)), pair(t, newest.Add(-time.Millisecond)), pair(t, newest),
			signed(t, name, foreign, (&decision.Decision{Time: newest.Add(time.Minute)}).Append(nil)),
			pair(t, newest.Add(time.Hour)), // which no clock can have said
		}
		for i := range valid {
			for j := range valid {
				order := slices.Clone(valid)
				order[0], order[i] = order[i], order[0]
				order[1], order[j] = order[j], order[1]
				got, found := cookie().Newest(strings.Join(order, "; "), nil)
				require.True(t, found)
				assert.Equal(t, newest, got.Time, "%d %d", i, j)
			}
		}
	})
}

// A restored decision is older than its signature.
func TestNotTheSignatureSaysWhichIsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := time.Now()
		time.Sleep(time.Hour)
		newest := time.Now()
		first := pair(t, newest)
		time.Sleep(time.Hour)
		got, found := cookie().Newest(pair(t, old)+"; "+first, nil)
		assert.True(t, found)
		assert.Equal(t, newest, got.Time)
	})
}

func TestOfMoreThanSixTheNewestByClaimAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now()
		good := pair(t, at)
		claims := func(n int, when func(i int) time.Time) (pairs []string) {
			for i := range n {
				pairs = append(pairs, claiming(when(i), i))
			}
			return pairs
		}
		earlier := func(i int) time.Time { return at.Add(-time.Duration(i+1) * time.Second) }
		later := func(i int) time.Time { return at.Add(time.Duration(i+1) * time.Second) }
		never := func(i int) time.Time { return at.Add(time.Duration(i+301) * time.Second) }
		junk := func(n int) (pairs []string) {
			for i := range n {
				pairs = append(pairs, fmt.Sprintf("%s=junk%d", name, i))
			}
			return pairs
		}
		for what, test := range map[string]struct {
			planted []string
			want    bool
		}{
			"five later":                     {claims(5, later), true},
			"six later":                      {claims(6, later), false},
			"five later, 20 earlier":         {append(claims(5, later), claims(20, earlier)...), true},
			"20 earlier, 5 later":            {append(claims(20, earlier), claims(5, later)...), true},
			"six earlier":                    {claims(6, earlier), true},
			"20 that nobody can have signed": {claims(20, never), true},
			"20 that claim nothing":          {junk(20), true},
			"six that claim nothing":         {junk(6), true},
			"five that claim nothing":        {junk(5), true},
			"the same twenty times":          {slices.Repeat(claims(1, later), 20), true},
			"each of five four times":        {slices.Repeat(claims(5, later), 4), true},
			"five four times, and one more":  {append(slices.Repeat(claims(5, later), 4), claims(1, earlier)...), true},
			"each of 20 four times, earlier": {slices.Repeat(claims(20, earlier), 4), true},
		} {
			for position := range len(test.planted) + 1 {
				order := slices.Insert(slices.Clone(test.planted), position, good)
				got, found := cookie().Newest(strings.Join(order, "; "), nil)
				assert.Equal(t, test.want, found, "%s, at %d", what, position)
				if found {
					assert.Equal(t, at, got.Time)
				}
			}
		}
	})
}

func TestOfManyValidOnesTheNewestIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var valid []string
		var newest time.Time
		for range 20 {
			newest = time.Now()
			valid = append(valid, pair(t, newest))
			time.Sleep(time.Second)
		}
		reversed := slices.Clone(valid)
		slices.Reverse(reversed)
		for _, order := range [][]string{valid, reversed, append(slices.Clone(reversed[10:]), reversed[:10]...)} {
			got, found := cookie().Newest(strings.Join(order, "; "), nil)
			require.True(t, found)
			assert.Equal(t, newest, got.Time)
		}
	})
}

func TestADecisionCountsForItsNameAndPathAlone(t *testing.T) {
	d := decision.Decision{Time: time.Now()}
	under := func(name, path string) *preference.Cookie {
		return preference.New(http.Cookie{Name: name, Path: path, MaxAge: 60}, "", [][]byte{key})
	}
	cookies := []*preference.Cookie{under(name, "/"), under("other", "/"), under(name, "/a"), under(name, "/a/"), under(name, "/b")}
	for i, signs := range cookies {
		line, err := signs.Line(&d)
		require.NoError(t, err)
		pair, _, _ := strings.Cut(line, ";")
		_, value, _ := strings.Cut(pair, "=")
		for j, reads := range cookies {
			_, found := reads.Newest(reads.Name()+"="+value, nil)
			assert.Equal(t, i == j, found, "%d read as %d", i, j)
		}
	}
}

func TestADecisionUnderTheFormerNameCountsIfThereIsNoOther(t *testing.T) {
	former := cookie()
	c := preference.New(http.Cookie{Name: "__Host-prefs", Path: "/", MaxAge: int(lifetime / time.Second)}, name, [][]byte{key})
	assert.Equal(t, name, c.Former())
	assert.Empty(t, former.Former())
	pairOf := func(c *preference.Cookie, revision uint64, at time.Time) string {
		line, err := c.Line(&decision.Decision{Time: at, Revision: revision})
		require.NoError(t, err)
		pair, _, _ := strings.Cut(line, ";")
		return pair
	}
	earlier, now := time.Now().Add(-time.Minute), time.Now()
	for what, test := range map[string]struct {
		header   string
		revision uint64
		found    bool
	}{
		"the former name":                 {pairOf(former, 1, now), 1, true},
		"the new name":                    {pairOf(c, 2, now), 2, true},
		"both, the former one newer":      {pairOf(former, 1, now) + "; " + pairOf(c, 2, earlier), 2, true},
		"the former name, and a forgery":  {pairOf(former, 1, now) + "; __Host-prefs=x", 1, true},
		"a value of one under the other":  {"__Host-" + pairOf(former, 1, now), 0, false},
		"a value of the new one under it": {strings.TrimPrefix(pairOf(c, 2, now), "__Host-"), 0, false},
	} {
		d, found := c.Newest(test.header, nil)
		assert.Equal(t, test.found, found, what)
		assert.Equal(t, test.revision, d.Revision, what)
	}
}

// Of two references at least one is somebody else's.
func TestAReferenceCountsOnlyIfNoOtherIsThere(t *testing.T) {
	mine, planted, later := [16]byte{1}, [16]byte{2}, time.Now().Truncate(time.Millisecond)
	pairOf := func(reference [16]byte, at time.Time) string {
		line, err := cookie().Line(&decision.Decision{Time: at, Reference: reference})
		require.NoError(t, err)
		pair, _, _ := strings.Cut(line, ";")
		return pair
	}
	earlier := later.Add(-time.Minute)
	for what, test := range map[string]struct {
		header string
		want   [16]byte
	}{
		"one":                         {pairOf(mine, later), mine},
		"the same twice":              {pairOf(mine, later) + "; " + pairOf(mine, earlier), mine},
		"one, and one without":        {pairOf(mine, later) + "; " + pairOf([16]byte{}, earlier), mine},
		"one without, and one":        {pairOf([16]byte{}, later) + "; " + pairOf(mine, earlier), [16]byte{}},
		"another that is newer":       {pairOf(mine, earlier) + "; " + pairOf(planted, later), [16]byte{}},
		"another that is older":       {pairOf(planted, earlier) + "; " + pairOf(mine, later), [16]byte{}},
		"another that is not signed":  {pairOf(mine, later) + "; " + pairOf(planted, earlier) + "x", mine},
		"another that nobody has now": {pairOf(mine, later) + "; " + pairOf(planted, later.Add(-lifetime)), mine},
	} {
		d, found := cookie().Newest(test.header, nil)
		assert.True(t, found, what)
		assert.Equal(t, test.want, d.Reference, what)
	}
}
