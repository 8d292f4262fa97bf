package charter

import (
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A Config holds the settings of a [Charter]. Only Middleware is required.
type Config struct {
	// Middleware holds the declarations and saves the decisions. Required. The
	// charter's handler must run inside its Wrap.
	Middleware *consent.Middleware

	// Path is the path below which the charter answers. It begins and ends with "/";
	// between slashes it holds letters, digits and "-._~" only. A site that mounts
	// the handler there does so without http.StripPrefix. Empty means "cookies/"
	// below the CookiePath of [consent.Config], where every path has to lie as browsers see
	// it.
	Path string

	// Prefix is the beginning of the path that a proxy in front takes off, or
	// [http.StripPrefix] around the whole site, such as "/shop": browsers see the charter at
	// Prefix and Path. Empty means that the path arrives whole.
	Prefix string

	// Name is the name of the site, with which the banner begins. Empty means "this site",
	// in each language.
	Name string

	// PolicyURL is the address of the site's privacy policy, to which the charter's page
	// links: a path on the site, or an address with https. Empty means none.
	PolicyURL string

	// Updated is the day on which the charter was last changed; its page says so. The zero
	// Time says nothing.
	Updated time.Time

	// Layout is the form and the place of the banner. Empty means [BottomBar].
	Layout Layout

	// Button adds a button to the settings to pages with a [Charter.Banner], or with the
	// script, once the visitor has decided. It lies over the corner of the window, and below
	// the confirmation of a decision until that is closed.
	Button bool

	// Nonce, if not nil, returns the nonce of the Content-Security-Policy of the response to
	// a request; the tags that the charter writes, and those that its script makes, carry
	// it. Empty means none.
	Nonce func(*http.Request) string

	// Language is the language of the site, for visitors whose languages have no
	// sentences. The zero Tag means English.
	Language language.Tag

	// LanguageOf, if not nil, returns the language that a visitor has chosen at
	// the site. It takes precedence over the browser's Accept-Language. The zero
	// Tag means that the visitor has chosen none.
	LanguageOf func(*http.Request) language.Tag

	// Categories describes the site's own categories. Each category that has a
	// declaration needs a Title and an About. Those that package consent names may be
	// described too; a field that is empty there keeps the library's text.
	Categories map[consent.Category]Category

	// Languages holds the site's own sentences: files such as "fr.json", in the
	// form of those in this package's folder languages. A file for one of this
	// package's languages changes the sentences that it holds; a file for another
	// language has to hold all of them, but for categories that are not shown. The files lie at the root: use [fs.Sub] for
	// files that are embedded from a folder. Nil means none.
	Languages fs.FS

	// Templates replaces this package's templates of the same names:
	//
	//	banner       the question, and the notes that take its place
	//	button       the button of Config.Button
	//	link         the link to the settings
	//	placeholder  a text in place of content that needs consent
	//	page         the charter's page, which holds "form" and "tables"
	//	settings     the dialog of the script, which holds "form"
	//	form         the choices by category and provider
	//	tables       the declared cookies
	//	text         one text, with its language; used by the others
	//	details      who is behind a provider; shown by "form" and "tables"
	//	records      the page of Config.History, which holds "decisions"
	//	decisions    what is recorded of the visitor; each of them holds "screen"
	//	screen       what was on the screen when the visitor decided
	//
	// Begin with a copy from this package's folder templates, which shows the data
	// that each template is given. Keep the names and values that the forms post: by
	// "by", "said" and "shows" a record knows what was on the screen.
	// A template that fails is a mistake. Nil means none.
	Templates *template.Template

	// Style is a style sheet in place of this package's: a file, to which pages link. To
	// add some rules only, append them to [DefaultStyle]: they then stand in the pages with
	// the banner's. Nil means this package's; empty means none.
	Style []byte

	// Failed is called with the reason if a posted decision was not saved, or not
	// recorded; the visitor sees a message too. It is also called, with
	// [consent.ErrOutside], if the page is requested outside the middleware's Wrap,
	// since nothing can be saved there; with [consent.ErrNotKept] if a browser does not
	// keep a decision; if one does not say that a post comes from this site; and if a page
	// asks for content that no visitor can allow. The last three are told once, since every
	// visitor can say so. Nil means that [slog.Default] logs it.
	Failed func(*http.Request, error)

	// Account, if not nil, returns the ID of the user who is signed in as a request says, "" for
	// nobody. What somebody decides while signed in then holds for them on every device on
	// which they sign in, and nothing of it remains in a browser after they have signed out: that
	// has the decision again that it had before. The charter notices a sign-in and a sign-out by
	// itself, in each request through [Charter.Wrap], which has to be around the whole site. The
	// function is called before the site's own handlers, and must not wait for anything: a
	// middleware for sessions belongs outside of Wrap. Banner and forms say before the choice that
	// it holds for the account; the first page after a sign-in tells that the account's applies
	// (CNIL, deliberation no. 2025-131 of 18 December 2025). The rule for a browser that has
	// decided something else is that of [consent.Middleware.Restore]. Nil means that the site
	// has no accounts. Account and Accounts need each other, and a [consent.Config.Recorder].
	Account func(*http.Request) string

	// Accounts keep what users decide: the Users of the module's ledger. A sign-in asks them, and
	// each page after five minutes; after 30 seconds if they have answered nothing, or failed. If they
	// do not answer within two seconds, the page is served, and what the browser has stands. Failed
	// is told. Nil means that the site has no accounts.
	Accounts Accounts

	// GPCSince is the day since when the site has honored Global Privacy Control. The
	// charter then says so at "/.well-known/gpc.json", which belongs to sites whose
	// [consent.Config.Regime] knows [consent.OptOut] (Global Privacy Control, "GPC
	// Support Resource"). The zero Time says nothing.
	GPCSince time.Time

	// Signals are the tags of others that are to be told what the visitor has decided, such
	// as [Google]. [Charter.Head] tells them before they run; a page that cannot call it
	// loads "head.js" below the path, without defer, before any tag. Nil means none.
	Signals []Signal

	// Guard holds back what the scripts of a page store, as a cookie or in local or session
	// storage, under a name that the visitor has not allowed: the script sees no error, and
	// nothing is stored. It is in the script that [Charter.Head] writes, and in "head.js",
	// which have to come before any other. A script that means to can go round it: gates and
	// [consent.Cookie.Origins] keep scripts away. Zero is [GuardOff].
	Guard Guard

	// GuardReport, where you develop, is the path at which package inventory answers, such as
	// "/debug/cookies". It is told of the names, and nothing is held back. Empty means that
	// the Guard does its work.
	GuardReport string

	// History, if not nil, reads what Recorder of [consent.Config] has kept, which has to be
	// set. A visitor with a reference then finds a link in the form to "records" below the
	// path: a page with what is recorded of their decisions, and "records.json", which is
	// the receipt of these. The reference is that of the visitor's own cookie, and of no
	// other (Regulation (EU) 2016/679, article 15). Nil means that there is neither.
	History History

	// Aside, if not nil, returns HTML that the charter's page shows below the form. The notice
	// of a record does not hold it, and says that there was more.
	Aside func(*http.Request) template.HTML
}

// A Category is the description of a category for visitors.
type Category struct {
	Title consent.Text // a word or two
	About consent.Text // one sentence: what the category covers

	// For says what for, in a few words that follow "it uses others", such as "to offer you
	// a chat". Empty means the title in quotes.
	For consent.Text
}

// A Layout is the form and the place of the banner in the window.
type Layout string

const (
	BottomBar Layout = "bar"     // along the foot of the window
	TopBar    Layout = "top-bar" // along its head
	BottomBox Layout = "box"     // in the lower corner, at the end of lines
	TopBox    Layout = "top-box" // in the upper one
	Card      Layout = "card"    // in the middle
)

var layouts = []Layout{BottomBar, TopBar, BottomBox, TopBox, Card}
