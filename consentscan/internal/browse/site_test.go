package browse_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/consentscan/internal/browse"
)

func TestAHostIsTheSitesOwnByItsRegistrableDomainAndByWhatItStandsFor(t *testing.T) {
	asked := 0
	site := browse.NewSite("www.shop.co.uk", func(_ context.Context, host string) (string, error) {
		asked++
		switch host {
		case "stats.shop.co.uk":
			return "shop.eulerian.example.", nil
		case "img.shop.co.uk":
			return "cdn.shop.co.uk.", nil
		}
		return "", errors.New("no such host")
	})
	for _, test := range []struct {
		host    string
		third   bool
		cloaked string
	}{
		{"www.shop.co.uk", false, ""},
		{"shop.co.uk:8443", false, ""},
		{"SHOP.co.uk.", false, ""},
		{"img.shop.co.uk", false, ""},
		{"gone.shop.co.uk", false, ""},
		{"stats.shop.co.uk", true, "shop.eulerian.example"},
		{"other.co.uk", true, ""},
		{"notshop.co.uk", true, ""},
		{"127.0.0.1:80", true, ""},
		{"[::1]:80", true, ""},
	} {
		third, cloaked := site.Third(test.host)
		assert.Equal(t, test.third, third, test.host)
		assert.Equal(t, test.cloaked, cloaked, test.host)
	}
	before := asked
	site.Third("stats.shop.co.uk")
	assert.Equal(t, before, asked, "a host is asked for once")

	here := browse.NewSite("shop.localhost", nil)
	for host, third := range map[string]bool{"shop.localhost:8080": false, "cdn.shop.localhost": false, "ads.localhost:8080": true, "127.0.0.1": true} {
		is, _ := here.Third(host)
		assert.Equal(t, third, is, host)
	}
}
