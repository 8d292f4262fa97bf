package browse_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/consentscan/internal/browse"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// The page and the network tell of a request independently. On a busy machine the page may
// be far ahead: it has the answer to what it posted, and has brought in what is allowed.
func TestWhatAnAnswerAllowsBelongsToItWheneverTheNetworkTellsOfItsCookies(t *testing.T) {
	request := func(id, method, url string) any {
		return &network.EventRequestWillBeSent{RequestID: network.RequestID(id), DocumentURL: "https://shop.test/", Type: network.ResourceTypeFetch,
			Request: &network.Request{URL: url, Method: method}, Initiator: new(network.Initiator)}
	}
	cookies := func(id, name string) any {
		return &network.EventRequestWillBeSentExtraInfo{RequestID: network.RequestID(id),
			AssociatedCookies: []*network.AssociatedCookie{{Cookie: &network.Cookie{Name: name, Domain: "shop.test"}}}}
	}
	early := request("1", "GET", "https://early.test/")
	post, went := request("2", "POST", "https://shop.test/cookies/"), cookies("2", "of-before")
	tag := request("3", "GET", "https://tag.test/")
	next, with := request("4", "GET", "https://shop.test/next"), cookies("4", "of-after")
	for name, order := range map[string][]any{
		"before the request":       {early, went, post, tag, next, with},
		"with the request":         {early, post, went, tag, next, with},
		"after what is brought in": {early, post, tag, went, next, with},
		"last of all":              {early, post, tag, next, with, went},
	} {
		for _, allows := range []bool{true, false} {
			v, page := browse.Without(browse.NewSite("shop.test", nil), "new")
			v.Answering("accepted", allows)
			v.Clicked()
			for _, event := range order {
				v.Event(page, event)
			}
			v.Stage("accepted")
			stages := make(map[string]string)
			for _, e := range v.Events() {
				if e.Act == seen.Contacted {
					stages[e.Host] = e.Stage
				} else {
					stages[e.Name] = e.Stage
				}
			}
			assert.Equal(t, map[string]string{"early.test": "new", "of-before": "new", "tag.test": "accepted", "of-after": "accepted"}, stages, name)
		}
	}
}
