package charter

import "embed"

//go:generate go run ../dev/minify .

// The style sheet is in parts: what pages with a banner hold, the layouts of which they
// hold one, and what is in the file alone.
var (
	//go:embed banner.min.css
	bannerStyle string

	//go:embed layouts/*.min.css
	layoutStyles embed.FS

	//go:embed style.min.css
	pageStyle string
)

// layoutParts are the parts of the style sheet for each layout, in their order.
var layoutParts = map[Layout][]string{
	BottomBar: {},
	TopBar:    {"top-bar"},
	BottomBox: {"box"},
	TopBox:    {"box", "top-box"},
	Card:      {"box", "card"},
}

// layoutStyle returns some parts of the style sheet.
func layoutStyle(parts ...string) (css string) {
	for _, part := range parts {
		content, err := layoutStyles.ReadFile("layouts/" + part + ".min.css")
		if err != nil {
			panic(err) // cannot happen: it is embedded
		}
		css += string(content)
	}
	return css
}

// DefaultStyle returns a copy of this package's style sheet. The file banner.css
// begins with a list of the custom properties that a site may set.
func DefaultStyle() []byte {
	return []byte(bannerStyle + layoutStyle("top-bar", "box", "top-box", "card", "button") + pageStyle)
}
