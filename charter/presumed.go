package charter

import (
	"crypto/rand"
	"net/http"

	"github.com/cookiecharter/consent"
)

// presumed holds the categories in which something is allowed to a visitor who has not
// answered.
type presumed struct {
	uk, optOut, optOutGPC categories
}

type categories map[consent.Category]bool

func (c categories) has(category consent.Category) bool { return c[category] }

// refusedByGPC reports whether Global Privacy Control refuses a category.
func (p *presumed) refusedByGPC(category consent.Category) bool {
	return p.optOut[category] && !p.optOutGPC[category]
}

// from returns the least regime that presumes a category.
func (p *presumed) from(category consent.Category) consent.Regime {
	if p.uk[category] {
		return consent.UK
	}
	return consent.OptOut
}

// presumptions asks the rule of package consent about all that is declared: a list here
// would differ from the rule one day. As only a request has a law, it makes a request
// under each.
func presumptions(site *consent.Middleware, of []consent.Category) (p presumed, err error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	for _, law := range []struct {
		regime consent.Regime
		gpc    string
		into   *categories
	}{{consent.UK, "0", &p.uk}, {consent.OptOut, "0", &p.optOut}, {consent.OptOut, "1", &p.optOutGPC}} {
		mw, err := consent.NewMiddleware(consent.Config{
			Registry:   site.Registry(),
			Keys:       [][]byte{key},
			CookieName: site.Cookie().Name, // a decision that fits into the site's cookie fits into this one
			Regime:     func(*http.Request) consent.Regime { return law.regime },
		})
		if err != nil {
			return p, err
		}
		*law.into = make(categories)
		ask := func(_ http.ResponseWriter, r *http.Request) {
			prefs := consent.FromContext(r.Context())
			for _, category := range of {
				(*law.into)[category] = prefs.Presumed(category)
			}
		}
		r, err := http.NewRequest(http.MethodGet, "/", nil)
		if err != nil {
			return p, err
		}
		r.Header.Set("Sec-GPC", law.gpc)
		mw.Wrap(http.HandlerFunc(ask)).ServeHTTP(nowhere{}, r)
	}
	return p, nil
}

// nowhere is the writer of a response that nobody reads.
type nowhere http.Header

func (w nowhere) Header() http.Header       { return http.Header(w) }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}
