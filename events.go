package consent

import "time"

// An Event says what became of one cookie in one response. It holds the name of
// the cookie, never its value.
type Event struct {
	Cookie  string // as the browser would name it; "" for one without a name
	Outcome Outcome
	Reason  Reason

	// Attributes are those of the line that would have set the cookie, or did.
	// They are zero for a cookie that was expired.
	Attributes Attributes

	// ReportOnly says that nothing has been changed: the outcome is what it would
	// have been without [Config.ReportOnly].
	ReportOnly bool
}

// An Outcome is what the middleware did with a cookie.
type Outcome string

const (
	OutcomeRemoved Outcome = "removed" // the line that would have set it was taken out
	OutcomeExpired Outcome = "expired" // the browser was told to delete it, as the visitor refuses it
	OutcomePassed  Outcome = "passed"  // it went through, though nobody declared it or not as it was declared
)

// A Reason is why a cookie was removed or expired, or worth a mention.
type Reason string

const (
	ReasonUndeclared Reason = "undeclared" // nobody declared a cookie of this name
	ReasonUndecided  Reason = "undecided"  // the visitor has not answered for it
	ReasonRefused    Reason = "refused"    // the visitor has refused it
	ReasonObjected   Reason = "objected"   // the visitor objects to anonymous statistics
	ReasonUnreadable Reason = "unreadable" // no browser reads the line, or not for certain
	ReasonInTrailer  Reason = "trailer"    // it came after the body, where no browser looks for cookies
	ReasonOwnCookie  Reason = "own"        // a handler deletes the decision, which is the visitor's to change

	// The charter tells visitors something else than what these cookies do. There
	// is an event for each of these reasons that holds.
	ReasonOutlivesDeclared Reason = "lifetime" // it is kept for longer than its declared Lifetime
	ReasonOtherDomain      Reason = "domain"   // its Domain is not the declared one, so that a deletion would fail
	ReasonOtherPath        Reason = "path"     // its Path is not the declared one, so that a deletion would fail
	ReasonNotHttpOnly      Reason = "httponly" // it is declared HttpOnly, and scripts can read it
)

// Attributes are what a Set-Cookie line says apart from name and value, as browsers
// read it (RFC 6265bis section 5.6).
type Attributes struct {
	Domain      string        // in lower case, without the dot that may begin it; "" for the host alone
	Path        string        // "" if the path of the request decides
	Lifetime    time.Duration // zero until the browser is closed; a century for that long or longer
	Secure      bool
	HttpOnly    bool
	Partitioned bool
	SameSite    string // as it is written
}
