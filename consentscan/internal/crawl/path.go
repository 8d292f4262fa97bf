package crawl

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// downloads are the endings of paths that are no pages, between spaces.
const downloads = " 7z aac ai apk atom avi avif bin bmp bz2 css csv deb dmg doc docx eot eps epub exe flac gif gpx gz ico ics iso " +
	"jar jpeg jpg js json kml kmz m3u8 m4a m4v map mjs mkv mobi mov mp3 mp4 mpeg mpg msi odp ods odt ogg ogv otf " +
	"parquet pdf pkg png ppt pptx ps psd rar rdf rpm rss rtf shp svg tar tgz tif tiff torrent tsv ttf txt vcf " +
	"wasm wav webm webmanifest webp wmv woff woff2 xls xlsx xml xz zip zst "

func isDownload(p string) bool {
	ending := strings.TrimPrefix(path.Ext(p), ".")
	return ending != "" && strings.Contains(downloads, " "+strings.ToLower(ending)+" ")
}

// logouts are parts of paths and queries by which sites name the end of a visit, without
// signs between words.
var logouts = []string{"logout", "logoff", "logmeout", "signout", "signoff", "deconnexion", "déconnexion", "deconnecter", "déconnecter", "disconnect", "abmelden", "ausloggen", "afmelden", "uitloggen", "cerrarsesion", "cerrarsesión", "desconectar", "terminarsessao", "disconnetti", "esci", "wyloguj", "loggaut", "loggut", "logud", "kirjauduulos", "odhlasit", "odhlásit"}

// IsLogout reports whether an address looks as if it would end a visit, such as "/logout"
// or "/?action=sign-out": such a word fills a part of its path, or a name or value of its
// query, perhaps next to other words.
func IsLogout(u *url.URL) bool {
	parts := strings.FieldsFunc(u.Path+"&"+queryText(u), func(r rune) bool { return strings.ContainsRune("/&=;.+ ", r) })
	for _, part := range parts {
		joined := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(part))
		for _, word := range logouts {
			// "esci" is a part of other words, the long ones of none.
			if joined == word || len(word) > 4 && strings.Contains(joined, word) {
				return true
			}
		}
	}
	return false
}

func queryText(u *url.URL) string {
	text, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		return u.RawQuery
	}
	return text
}

// isEndless reports whether a path looks as if each page added to it.
func isEndless(p string) bool {
	segments := strings.Split(strings.Trim(p, "/"), "/")
	if len(segments) > maxSegments {
		return true
	}
	times := make(map[string]int)
	for _, segment := range segments {
		if times[segment]++; times[segment] > maxRepeats {
			return true
		}
	}
	return false
}

// shapeOf returns a path with "#" for each number.
func shapeOf(p string) string {
	var shape strings.Builder
	inNumber := false
	for _, r := range p {
		if isDigit := r >= '0' && r <= '9'; !isDigit {
			shape.WriteRune(r)
			inNumber = false
		} else if !inNumber {
			shape.WriteByte('#')
			inNumber = true
		}
	}
	return shape.String()
}

// A pattern is compared with a path.
type pattern struct {
	parts     []string // between the stars
	withQuery bool
}

// parsePatterns returns every mistake, each with the option and its text.
func parsePatterns(option string, texts []string) ([]pattern, error) {
	var (
		patterns []pattern
		mistakes []error
	)
	for _, text := range texts {
		switch {
		case text == "":
			mistakes = append(mistakes, fmt.Errorf("%s: an empty pattern", option))
		case text[0] != '/' && text[0] != '*':
			mistakes = append(mistakes, fmt.Errorf(`%s: %q begins with neither "/" nor "*"`, option, text))
		case len(text) > maxAddress:
			mistakes = append(mistakes, fmt.Errorf("%s: a pattern has more than %d bytes", option, maxAddress))
		default:
			patterns = append(patterns, pattern{strings.Split(text, "*"), strings.Contains(text, "?")})
		}
	}
	return patterns, errors.Join(mistakes...)
}

func matchesAny(patterns []pattern, u *url.URL) bool {
	for _, p := range patterns {
		// A person may write a letter as it is, or as it stands in the address.
		if p.matches(u, u.Path) || p.matches(u, u.EscapedPath()) {
			return true
		}
	}
	return false
}

func (p pattern) matches(u *url.URL, path string) bool {
	if p.withQuery {
		path += "?" + u.RawQuery
	}
	rest, ok := strings.CutPrefix(path, p.parts[0])
	if !ok {
		return false
	}
	if len(p.parts) == 1 {
		return rest == ""
	}
	last := p.parts[len(p.parts)-1]
	for _, part := range p.parts[1 : len(p.parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, last)
}
