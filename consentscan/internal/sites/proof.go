package sites

// A Step is one of a proof, which a browser takes on the site. It is written as a word
// and what belongs to it:
//
//	visit /about           open a page, until it is loaded
//	wait 2s                do nothing
//	accept, refuse,        answer, by the banner or as the charter's form does
//	withdraw, object       withdraw what was accepted; object to anonymous statistics
//	click SELECTOR         click
//	fill SELECTOR TEXT     type
//	scroll                 scroll by a screen
//	move                   move the mouse
//	leave                  open an empty page
//	send NAME: VALUE       send a field with each request from now on
//	forget                 forget the requests so far
//	eval EXPRESSION        run a script, and await it
//
// These have to come true within seconds:
//
//	cookie NAME [DOMAIN]   the browser keeps the cookie
//	hit HOST/PATH          the request has arrived
//	true EXPRESSION        it holds in the page, once awaited
//
// And these have to be true at once:
//
//	no-cookie NAME
//	no-hit HOST/PATH
//	unseen REASON          no other means than a scan shows the fault
type Step struct {
	// Line is that of the file.
	Line     int
	Do, What string
}

var verbs = []string{
	"visit", "wait", "accept", "refuse", "withdraw", "object", "click", "fill", "scroll", "move", "leave", "send", "forget", "eval",
	"cookie", "hit", "true", "no-cookie", "no-hit", "unseen",
}
