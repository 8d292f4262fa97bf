package inventory_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
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
		e := consent.Event{Cookie: "visitor", Outcome: consent.Removed, Reason: consent.Undeclared, Attributes: attributes}
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
			e := consent.Event{Outcome: consent.Removed, Reason: consent.Undeclared, Attributes: attributes}
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
		assert.Less(t, flooded(t, flood, 200_000), uint64(16<<20), flood)
	}
}

// flooded returns how much an inventory holds in memory after n names that came
// in long lines of responses, and as many in requests.
func flooded(t testing.TB, kind string, n int) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	found := inventory.New(nil)
	handler := found.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest("GET", "/", nil)
	for i := range n {
		name := random(kind, i)
		r.URL.Path = "/" + name
		found.Observe(r, consent.Event{
			Cookie: name, Outcome: consent.Removed, Reason: consent.Undeclared,
			Attributes: consent.Attributes{Path: "/" + name, Lifetime: time.Duration(i) * time.Second},
		})
		r.Header["Cookie"] = []string{name + "=1"}
		handler.ServeHTTP(nil, r)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(found)
	if after.HeapAlloc < before.HeapAlloc {
		return 0
	}
	return after.HeapAlloc - before.HeapAlloc
}
