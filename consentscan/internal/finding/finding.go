// Package finding is what a scan says of a site: a finding for each cause, with the
// places where it was seen, the rule that it touches, and what to write to mend it.
package finding

// A Check is what a finding is about. Its text is the name that a user gives to
// -fail-on, and the rule's id in SARIF.
type Check string

const (
	// Something that needs consent was stored without it.
	StoredWithoutConsent Check = "stored-without-consent"
	// A host that a declaration names was contacted before that was allowed.
	ContactedWithoutConsent Check = "contacted-without-consent"
	// After a withdrawal or a refusal, something was still sent, stored or contacted.
	UsedAfterWithdrawal Check = "used-after-withdrawal"
	// What was withdrawn still lies in the browser.
	LeftBehind Check = "left-behind"
	// A cookie or an entry that nobody declared.
	Undeclared Check = "undeclared"
	// It is not as declared: lifetime, domain, path, kind.
	DeclaredOtherwise Check = "declared-otherwise"
	// It is declared, and no stage has seen it.
	NeverSeen Check = "never-seen"
	// A third party that no Origins name was contacted.
	UndeclaredOrigin Check = "undeclared-origin"
	// A page holds something back for a category or a provider that nobody declared.
	NeverOpens Check = "never-opens"
	// The site asked again, or did not know the answer.
	AnswerNotKept Check = "answer-not-kept"
	// A tag was told what the visitor has not said, or too late.
	WrongSignal Check = "wrong-signal"
	// The browser refuses a cookie that the site sets.
	BlockedByBrowser Check = "blocked-by-browser"
)

// A Level is how grave a finding is.
type Level string

const (
	// Error: what the rules forbid.
	Error Level = "error"
	// Warning: what visitors are told is not so.
	Warning Level = "warning"
	// Note: worth a look.
	Note Level = "note"
)

// A Finding is one cause.
type Finding struct {
	Check Check
	Level Level

	// Subject is what the finding is about: Kind is "cookie", "local storage", …, or
	// "host"; Name the name of the tracer, or a pattern of several, or the host; Host
	// whose it is.
	Kind, Name, Host string
	// Provider and Category are as declared. Empty: not declared.
	Provider, Category string

	// Message is one sentence, without places.
	Message string
	// Mend is what to write: a declaration, a gate, an origin.
	Mend string
	// Rule is the anchor of docs/rules.md that it touches, and Source what the row cites.
	Rule, Source string

	// Stages are the names of all stages in which it was seen. Places are those that
	// show it, at most 20, and More how many were left off.
	Stages []string
	Places []Place
	More   int

	// Fingerprint is the same in each scan of the same fault: hex of a hash of check,
	// kind, name and host.
	Fingerprint string
}

// A Place is where a finding was seen.
type Place struct {
	Stage, Page, Frame string
	// How is a few words: "Set-Cookie of https://…", "script https://… line 12 column 3",
	// "service worker …", "image", "beacon, while the page was left".
	How string
	// Script and Line are those of How, for programs.
	Script string
	Line   int
}
