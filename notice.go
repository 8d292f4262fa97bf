package consent

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"golang.org/x/text/language"
)

// A Notice is what visitors can read before they decide. One notice serves every visitor
// who reads the same; it never changes. Package charter makes one of the very control that
// was used: see [Screen.Notice]. A site that asks by itself makes it with
// [Registry.Notice].
type Notice struct {
	content     []byte
	fingerprint [sha256.Size]byte
}

// A Screen is what the control by which a visitor decides has on the screen, such as a
// banner, and nothing of what is one click away. It holds nothing of the visitor: in its
// sentences {date}, {providers}, {reference} and {title} stand for what differs between
// visitors, which is in their records, and for the title of embedded content.
type Screen struct {
	Language  string `json:"language"`            // of the texts, a BCP 47 tag; "" if that is not known
	Direction string `json:"direction,omitempty"` // "rtl" for a script that runs from right to left

	// Control is "banner", "settings" (the dialog), "page" (the charter's), "form" (one of
	// these two, if the form does not say which), "placeholder", or "program": it has posted
	// the decision, and what it showed is not known.
	Control string `json:"control"`

	Pressed    string           `json:"pressed,omitempty"`    // the Value of the button that was used
	Regime     string           `json:"regime"`               // under which it was drawn, as Regime.String writes it; "" if that is not known
	Host       string           `json:"host,omitempty"`       // of the site, by the request, with a port if that has one; "" if it is no host, or one of too many
	Layout     string           `json:"layout,omitempty"`     // of the banner
	Lines      []Line           `json:"lines,omitempty"`      // all that could be read, from the top to the foot
	Cut        bool             `json:"cut,omitempty"`        // there was more than a notice holds
	Changed    bool             `json:"changed,omitempty"`    // the site has changed since it drew the control, or the decision or the law that this showed, or the answer is none that it can give: what was on the screen is not known, and there are no Lines
	OwnAnswers bool             `json:"ownAnswers,omitempty"` // the form held what the visitor had answered so far, as the records before have it unless that failed; otherwise Line.Checked has what was chosen in advance
	Categories []ScreenCategory `json:"categories,omitempty"` // that the lines name
	Layers     []Layer          `json:"layers,omitempty"`     // one click away
	Templates  string           `json:"templates,omitempty"`  // the SHA-256 sum of the templates, in hexadecimal
	Style      string           `json:"style,omitempty"`      // the same of the style sheet
}

// A Line is one text on a [Screen].
type Line struct {
	Text      string `json:"text"`
	As        LineAs `json:"as,omitempty"`
	Language  string `json:"language,omitempty"`  // if it is not that of the screen
	Direction string `json:"direction,omitempty"` // the same of the direction
	Value     string `json:"value,omitempty"`     // of a button: what it posts, such as "accept"; "" if it posts nothing
	Checked   bool   `json:"checked,omitempty"`   // an option or a box was chosen in advance
	Folded    bool   `json:"folded,omitempty"`    // it was seen only once the summary above it was opened
}

// A LineAs is the form in which a [Line] was shown.
type LineAs string

const (
	AsText    LineAs = ""
	AsHeading LineAs = "heading"
	AsButton  LineAs = "button"
	AsLink    LineAs = "link"
	AsOption  LineAs = "option" // one of several, of which one can be chosen
	AsBox     LineAs = "box"    // to be ticked
	AsSummary LineAs = "summary"
	AsItem    LineAs = "item" // of a list
	AsRow     LineAs = "row"  // the cell that begins a row of a table
	AsCell    LineAs = "cell" // another cell
)

// A ScreenCategory is a category that a [Screen] names, with those of its providers that
// it names too.
type ScreenCategory struct {
	Category  Category `json:"category"`
	Providers []string `json:"providers,omitempty"`
}

// A Layer is what a visitor reaches from a [Screen] with one click.
type Layer struct {
	Name string `json:"name"` // "settings" or "charter"
	Path string `json:"path"`
}

// maxNotice is the size limit of a notice of a screen, in bytes: some five thousand cookies.
const maxNotice = 1 << 20

// screenVersion is that of the JSON of a screen.
const screenVersion = 1

// Notice makes the notice of a screen. A notice of more than 1 MiB loses its last lines, and
// says so.
func (s Screen) Notice() *Notice {
	for {
		// The version comes first: what follows may differ in another one.
		content := marshal(struct {
			Version int `json:"version"`
			Screen
		}{screenVersion, s})
		if len(content) <= maxNotice || len(s.Lines)+len(s.Categories) == 0 {
			return NewNotice(content)
		}
		s.Cut = true
		if len(s.Lines) == 0 {
			s.Categories = nil
		}
		s.Lines = s.Lines[:len(s.Lines)*3/4]
	}
}

// Notice makes the notice of these declarations in one language, with the
// sentences that say more, each under a name that the site chooses: for a site that
// shows all of them where it asks. The texts are
// those for a visitor who reads lang; site is the site's own language.
func (r *Registry) Notice(lang, site language.Tag, sentences map[string]string) *Notice {
	shown := noticeContent{Language: lang.String(), Sentences: sentences, Cookies: make([]noticeCookie, len(r.cookies)), Providers: r.providers}
	for i, c := range r.cookies {
		service, _ := c.Service.In(site, lang)
		purpose, _ := c.Purpose.In(site, lang)
		shown.Cookies[i] = noticeCookie{
			Provider: c.Provider, Service: service, Name: c.Name, Purpose: purpose,
			Category: c.Category, Lifetime: int64(c.Lifetime / time.Second), NeedsConsent: c.NeedsConsent(),
		}
		if c.Kind != HTTPCookie {
			shown.Cookies[i].Kind = c.Kind.String()
		}
	}
	return NewNotice(marshal(shown))
}

type noticeContent struct {
	Language  string            `json:"language"`
	Sentences map[string]string `json:"sentences,omitempty"`
	Cookies   []noticeCookie    `json:"cookies"`
	Providers []Provider        `json:"providers,omitempty"`
}

type noticeCookie struct {
	Provider     string   `json:"provider"`
	Service      string   `json:"service,omitempty"`
	Name         string   `json:"name"`
	Purpose      string   `json:"purpose"`
	Category     Category `json:"category"`
	Kind         string   `json:"kind,omitempty"` // "" for an HTTP cookie
	Lifetime     int64    `json:"lifetime"`       // in seconds
	NeedsConsent bool     `json:"needsConsent"`
}

// marshal is for texts and numbers.
func marshal(shown any) []byte {
	content, err := json.Marshal(shown)
	if err != nil {
		panic(err) // they alone have no such error
	}
	return content
}

// NewNotice returns the notice that has this content: for who gives back a [Record] that was
// kept, with what [Notice.Content] returned then. It does not look into the content, and
// keeps the slice, which must not be changed.
func NewNotice(content []byte) *Notice {
	return &Notice{content: content, fingerprint: sha256.Sum256(content)}
}

// Content returns the notice as a JSON object. One of [Screen.Notice] has "version", which
// is 1, and the fields of [Screen]. One of [Registry.Notice] has no version: it has
// "language", "sentences" by name,
// and "cookies", each with "provider", "service", "name", "purpose", "category",
// "kind" unless it is an HTTP cookie, "lifetime" in seconds and "needsConsent"; and
// "providers", if the registry has details of them. It is the same bytes for the same
// notice, and must not be changed.
func (n *Notice) Content() []byte { return n.content }

// Fingerprint returns the SHA-256 sum of the content, by which a site keeps each
// notice once.
func (n *Notice) Fingerprint() [sha256.Size]byte { return n.fingerprint }
