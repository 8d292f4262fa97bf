package browse_test

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/consentscan/internal/browse"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// The page and the network tell of a request independently. On a busy machine the page may
// be far ahead: it has the answer to what it posted, and has brought in what is allowed.
func TestWhatAnAnswerAllowsBelongsToItWheneverTheNetworkTellsOfItsCookies(t *testing.T) {
	early := request("1", "GET", "https://early.test/")
	post, went, heard := request("2", "POST", "https://shop.test/cookies/"), cookies("2", "of-before"), heard("2")
	tag := request("3", "GET", "https://tag.test/")
	next, with := request("4", "GET", "https://shop.test/next"), cookies("4", "of-after")
	for name, order := range map[string][]any{
		"before the request":       {early, went, post, heard, tag, next, with},
		"with the request":         {early, post, went, heard, tag, next, with},
		"after what is brought in": {early, post, heard, tag, went, next, with},
		"last of all":              {early, post, heard, tag, next, with, went},
	} {
		for _, allows := range []bool{true, false} {
			assert.Equal(t, map[string]string{"early.test": "new", "of-before": "new", "tag.test": "answered", "of-after": "answered"}, stages("new", allows, order...), name)
		}
	}
}

// A page that lives goes on with what was allowed until it has heard that this is over. On a
// busy machine that takes a while.
func TestWhatARefusalEndsMayGoOnUntilThePageHasHeardOfIt(t *testing.T) {
	const site = "https://shop.test/cookies/"
	again, late := request("1", "POST", "https://heat.test/"), request("3", "POST", "https://late.test/")
	post, went, said := request("2", "POST", site), cookies("2", "of-before"), answer("2", "of-after")
	form, shown := request("2", "POST", site), &page.EventFrameNavigated{Frame: &cdp.Frame{ID: "main", LoaderID: "2", URL: site}}
	form.Type, form.FrameID = network.ResourceTypeDocument, "main"
	failed := &network.EventLoadingFailed{RequestID: "2"}
	ping := request("2", "POST", site)
	ping.Type = network.ResourceTypePing
	for name, order := range map[string][]any{
		"by fetch":                             {post, went, again, said, heard("2"), late},
		"the network knows it first":           {post, went, said, again, heard("2"), late},
		"the network knows all of it first":    {went, said, post, again, heard("2"), late},
		"by a form":                            {form, went, said, again, shown, late},
		"by a form whose answer shows nothing": {form, went, said, again, failed, late},
		"by a ping":                            {again, ping, went, said, late},
	} {
		assert.Equal(t, map[string]string{"heat.test": "accepted", "of-before": "accepted", "of-after": "answered", "late.test": "answered"}, stages("accepted", false, order...), name)
	}
}

func request(id, method, url string) *network.EventRequestWillBeSent {
	return &network.EventRequestWillBeSent{RequestID: network.RequestID(id), DocumentURL: "https://shop.test/", Type: network.ResourceTypeFetch,
		Request: &network.Request{URL: url, Method: method}, Initiator: new(network.Initiator)}
}

// cookies tells which one has gone with a request.
func cookies(id, name string) any {
	return &network.EventRequestWillBeSentExtraInfo{RequestID: network.RequestID(id),
		AssociatedCookies: []*network.AssociatedCookie{{Cookie: &network.Cookie{Name: name, Domain: "shop.test"}}}}
}

// answer tells which one was set by the site.
func answer(id, name string) any {
	return &network.EventResponseReceivedExtraInfo{RequestID: network.RequestID(id), Headers: network.Headers{"Set-Cookie": name + "=1"}}
}

// heard tells that the page has the answer.
func heard(id string) any {
	return &network.EventResponseReceived{RequestID: network.RequestID(id), Type: network.ResourceTypeFetch}
}

// stages returns in which stage each host was contacted, and each cookie sent or stored, by
// a visitor who answers.
func stages(before string, allows bool, order ...any) map[string]string {
	v, page := browse.Without(browse.NewSite("shop.test", nil), before)
	v.Answering("answered", allows)
	v.Clicked()
	for _, event := range order {
		v.Event(page, event)
	}
	v.Stage("answered")
	found := make(map[string]string)
	for _, e := range v.Events() {
		if e.Act == seen.Contacted {
			found[e.Host] = e.Stage
		} else {
			found[e.Name] = e.Stage
		}
	}
	return found
}
