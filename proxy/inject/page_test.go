package inject

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const bannerTag = `<script src="/cookies/script.js" defer></script>`

// pages mark with | where the tags come; one without has no such place.
var pages = map[string]string{
	"usual":                        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n  |<title>t</title></head><body>",
	"a charset first":              "<!doctype html><html><head><meta charset=utf-8>\n<META name=a content='>'><!-- > -->|<title>",
	"a policy first":               "<html><head><meta http-equiv=Content-Security-Policy content=\"script-src 'self'\"/>|<script>",
	"no head":                      "<!doctype html>\n|<title>t</title><p>",
	"no head, but a body":          "<html>\n|<body>text",
	"text alone":                   "<!doctype html>\n|Not found",
	"an empty head":                "<html><head>|</head><body></body></html>",
	"no doctype":                   "<head>|<base href='/'>",
	"comments and <head> in one":   "<!-- <html><head><title> -->\n<?xml version='1.0'?><!doctype html><!----><!--> <html><head>|<title>",
	"a doctype with a subset":      `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html xmlns="x">|<link>`,
	"'>' in an attribute":          "<html data-a='<head>' data-b=\">\"><head data-c='>'>|<script>",
	"upper case and a slash":       "<HTML/><HEAD\n>|<STYLE>",
	"a byte order mark":            "\ufeff \n<!doctype html>|<link>",
	"a header is no head":          "<html>|<header>",
	"a '<' that begins nothing":    "<html> |< b",
	"another encoding":             "<html><head>|<title>\xe9\xff\x00",
	"frames":                       "<html><head>|</head><frameset>",
	"a fragment":                   "<div><head></div>",
	"a fragment of a head":         "<meta charset=utf-8><title>t</title>",
	"a fragment with a comment":    "<!-- a --> <p>",
	"JSON with the wrong type":     `{"html": "<html><head>"}`,
	"an image with the wrong type": "\x89PNG\r\n\x1a\n<html><head>",
	"UTF-16, least first":          "\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00",
	"UTF-16 without a mark":        "<\x00h\x00t\x00m\x00l\x00>\x00",
	"UTF-16, most first":           "\x00<\x00h\x00t\x00m\x00l\x00>",
	"half a mark":                  "\xef\xbb",
	"nothing":                      "",
	"blank":                        " \n",
	"a doctype alone":              "<!doctype html>\n",
	"cut in a comment":             "<html><!-- ",
	"cut in a tag":                 "<html><head",
	"cut in an attribute":          "<html><head data-a='>",
	"cut after '<'":                "<html><head><",
	"cut after '</'":               "<html><head></",
	"cut in a doctype":             "<!doct",
	"an endless comment":           "<html><!--" + strings.Repeat(" ", 2*maxToken) + "--><head><title>",
	"an endless name":              "<html><" + strings.Repeat("a", 2*maxToken) + ">",
}

func TestTheTagsComeFirstInTheHeadOfAPage(t *testing.T) {
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			want := strings.Replace(page, "|", bannerTag, 1)
			page = strings.Replace(page, "|", "", 1)
			for how, reader := range map[string]io.Reader{
				"at once":      strings.NewReader(page),
				"byte by byte": iotest.OneByteReader(strings.NewReader(page)),
				"with its end": iotest.DataErrReader(strings.NewReader(page)),
			} {
				if how == "byte by byte" && len(page) > maxToken {
					continue // each byte is a look at all before it
				}
				got, err := io.ReadAll(iotest.OneByteReader(&injected{Reader: reader, tag: []byte(bannerTag)}))
				require.NoError(t, err)
				assert.Equal(t, want, string(got), how)
			}
		})
	}
}

func TestNothingOfAPageWaitsButATagsName(t *testing.T) {
	name := regexp.MustCompile(`^(</?[a-zA-Z]*)?$`)
	for what, page := range pages {
		page = strings.Replace(page, "|", "", 1)
		for cut := 1; cut < min(len(page), 300); cut++ {
			var s search
			before, _, f, err := s.read(strings.NewReader(page[:cut]))
			require.NoError(t, err)
			if f == unknown {
				kept := strings.TrimPrefix(page[:cut], string(before))
				isMark := kept == "\xef" || kept == "\xef\xbb"
				assert.True(t, isMark || name.MatchString(kept), "%s, cut after %d: %q", what, cut, kept)
			}
		}
	}
}

// The quick way to the place leads to the same place.
func FuzzQuickPlace(f *testing.F) {
	for _, page := range pages {
		f.Add([]byte(strings.Replace(page, "|", "", 1)))
	}
	for _, page := range []string{
		"<!doctype html><html lang=en><meta a=b/>", "<html a==\"x>\"><p>", "<html a=b=\"x>\"><p>", "<html a= \">\"><p>", "<html a/b><p>", "<html a=\"b\"c><p>",
		"<head/><p>", "<html a='x'/><title>", "<1><p>", "<-a><p>", "<html><-><p>", "<html><1 >", "<meta><html><p>", "<html <head>><p>",
	} {
		f.Add([]byte(page))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		place, known := quickPlace(page)
		if !known {
			return
		}
		s := search{tail: page}
		_, want, f := s.tokenize()
		require.Equal(t, []any{want, found}, []any{place, f})
	})
}

func FuzzInjection(f *testing.F) {
	for _, page := range pages {
		f.Add([]byte(strings.Replace(page, "|", "", 1)), 3)
	}
	f.Fuzz(func(t *testing.T, page []byte, cut int) {
		whole, err := io.ReadAll(&injected{Reader: bytes.NewReader(page), tag: []byte(bannerTag)})
		require.NoError(t, err)
		cut = max(0, min(cut, len(page)))
		inTwo, err := io.ReadAll(&injected{Reader: io.MultiReader(bytes.NewReader(page[:cut]), bytes.NewReader(page[cut:])), tag: []byte(bannerTag)})
		require.NoError(t, err)
		require.Equal(t, whole, inTwo, "the place does not depend on how the page comes")
		if !bytes.Contains(page, []byte(bannerTag)) {
			require.Equal(t, string(page), strings.Replace(string(whole), bannerTag, "", 1), "nothing else changes")
		}
	})
}
