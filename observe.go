package consent

// An Event tells what became of one cookie in one response: its name, never
// its value.
type Event struct {
	Cookie  string // as the browser would name it; "" for one without a name
	Outcome Outcome
	Reason  Reason
}

// An Outcome is what the middleware did with a cookie.
type Outcome string

const (
	Removed Outcome = "removed" // the line that would have set it was taken out
	Expired Outcome = "expired" // the browser was told to delete it, as the visitor refuses it
	Passed  Outcome = "passed"  // it went through for want of a declaration
)

// A Reason is why a cookie was removed or expired, or worth a mention.
type Reason string

const (
	Undeclared Reason = "undeclared" // nobody declared a cookie of this name
	Undecided  Reason = "undecided"  // the visitor has not answered for it
	Refused    Reason = "refused"    // the visitor has refused it
	Objected   Reason = "objected"   // the visitor objects to anonymous statistics
	Unreadable Reason = "unreadable" // no browser reads the line, or not for certain
	InTrailer  Reason = "trailer"    // it came behind the body, where no browser looks for cookies
)
