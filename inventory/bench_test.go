package inventory_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

// random returns a name that no other has.
func random(kind string, i int) string {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	switch kind {
	case "one pattern":
		return "cart_" + strconv.FormatUint(r.Uint64(), 16)
	case "known pattern":
		return "_ga_" + strconv.FormatUint(r.Uint64(), 36)
	case "many patterns":
		return strconv.FormatUint(r.Uint64()%100_000, 36) + "x_" + strconv.FormatUint(r.Uint64()%1000, 10)
	default:
		return strconv.FormatUint(r.Uint64(), 36)
	}
}

var floods = []string{"no pattern", "one pattern", "many patterns", "known pattern"}

func BenchmarkObserve(b *testing.B) {
	registry := consent.MustRegistry(declarations(1000)...)
	r := httptest.NewRequest("GET", "/shop/basket", nil)
	attributes := consent.Attributes{Path: "/", Lifetime: time.Hour, Secure: true, SameSite: "Lax"}
	b.Run("seen before", func(b *testing.B) {
		found := inventory.New(registry)
		e := consent.Event{Cookie: "visitor", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared, Attributes: attributes}
		b.ReportAllocs()
		for b.Loop() {
			found.Observe(r, e)
		}
	})
	for _, flood := range floods {
		names := make([]string, 1<<16)
		for i := range names {
			names[i] = random(flood, i)
		}
		b.Run("random, "+flood, func(b *testing.B) {
			found := inventory.New(registry)
			e := consent.Event{Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared, Attributes: attributes}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e.Cookie = names[i%len(names)]
				found.Observe(r, e)
			}
		})
	}
}

func BenchmarkWrap(b *testing.B) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	const many = 1 << 13
	requests := make([]*http.Request, many)
	for i := range requests {
		requests[i] = httptest.NewRequest("GET", "/shop/basket", nil)
		for j := range 10 {
			requests[i].AddCookie(&http.Cookie{Name: random("no pattern", 10*i+j), Value: "0123456789abcdef"})
		}
	}
	handler := inventory.New(nil).Wrap(next)
	b.Run("10 random cookies", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			handler.ServeHTTP(nil, requests[i%many])
		}
	})
	for _, cookies := range []int{0, 1, 10} {
		r := httptest.NewRequest("GET", "/shop/basket", nil)
		for i := range cookies {
			r.AddCookie(&http.Cookie{Name: "visitor" + string(rune('a'+i)), Value: "0123456789abcdef"})
		}
		handler := inventory.New(nil).Wrap(next)
		b.Run(fmt.Sprintf("%d cookies", cookies), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(nil, r)
			}
		})
	}
}

func declarations(n int) []consent.Cookie {
	var cookies []consent.Cookie
	for i := range n {
		name := fmt.Sprintf("declared%d", i)
		if i%2 == 1 {
			name += "_*"
		}
		cookies = append(cookies, consent.Cookie{
			Provider: "Site", Name: name, Purpose: consent.Text{language.English: "x"}, Category: consent.Necessary,
		})
	}
	return cookies
}

// maxBytes is how much an inventory may hold in memory.
const maxBytes = 16 << 20

// The long trial, 10 million names of each kind:
//
//	go test -run '^$' -bench Flood -benchtime 10000000x ./inventory
func BenchmarkFlood(b *testing.B) {
	for _, flood := range floods {
		b.Run(flood, func(b *testing.B) {
			b.ReportMetric(float64(flooded(b, flood, b.N))/(1<<20), "MB")
		})
	}
}

func TestAFloodOfRandomNamesLeavesItSmall(t *testing.T) {
	for _, flood := range floods {
		assert.Less(t, flooded(t, flood, 20_000), uint64(maxBytes/4), flood)
	}
}

// flooded returns how much an inventory holds after n names that came in
// responses, and as many in requests.
func flooded(t testing.TB, kind string, n int) uint64 {
	return held(t, func(found *inventory.Inventory) {
		handler := found.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest("GET", "/", nil)
		for i := range n {
			name := random(kind, i)
			r.URL.Path = "/" + name
			found.Observe(r, consent.Event{
				Cookie: name, Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared,
				Attributes: consent.Attributes{Path: "/" + name, Lifetime: time.Duration(i) * time.Second},
			})
			r.Header["Cookie"] = []string{name + "=1"}
			handler.ServeHTTP(nil, r)
		}
	})
}

// Everything that is kept of a name is made as long as it can be.
func TestLongNamesPathsAndAttributesLeaveItSmall(t *testing.T) {
	long := func(words ...string) string {
		return strings.Repeat("y_", (250-len(strings.Join(words, "")))/2) + strings.Join(words, "")
	}
	value := strings.Repeat("v", 20_000) // which no name keeps alive
	bytes := held(t, func(found *inventory.Inventory) {
		handler := found.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest("GET", "/", nil)
		for i := range 3000 {
			word := letters(i)
			for part := range 4 {
				name := long("word", word)
				if i%2 == 0 { // of which three come under a pattern
					name = long("word", word, "_", strconv.Itoa(10_000_000+part))
				}
				r.URL.Path = "/" + strconv.Itoa(part) + long(word)
				e := consent.Event{Cookie: name, Outcome: consent.OutcomeRemoved, Attributes: consent.Attributes{
					Domain: long(word)[200:], Path: "/" + long(word)[60:] + strconv.Itoa(part), Lifetime: time.Hour,
				}}
				for _, e.Reason = range []consent.Reason{consent.ReasonUndeclared, consent.ReasonUnreadable, consent.ReasonInTrailer} {
					found.Observe(r, e)
				}
				r.Header["Cookie"] = []string{name + "=" + value}
				handler.ServeHTTP(nil, r)
			}
		}
	})
	assert.Less(t, bytes, uint64(maxBytes))
	assert.Greater(t, bytes, uint64(maxBytes/10), "or this tries less than it says")
}

// letters returns a word of four letters for each number.
func letters(i int) string {
	var word [4]byte
	for at := range word {
		word[at] = 'a' + byte(i%26)
		i /= 26
	}
	return string(word[:])
}

// held returns how much an inventory holds in memory when it has been fed.
func held(t testing.TB, feed func(*inventory.Inventory)) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	found := inventory.New(nil)
	feed(found)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(found)
	if after.HeapAlloc < before.HeapAlloc {
		return 0
	}
	return after.HeapAlloc - before.HeapAlloc
}
