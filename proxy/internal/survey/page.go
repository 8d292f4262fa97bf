package survey

import (
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// A page is what a page says of itself, and what it loads.
type page struct {
	address  *url.URL
	language string
	title    string
	name     string     // of the site, as pages say to social networks
	links    []*url.URL // to other pages
	loads    []*url.URL // scripts, frames and pictures
	held     []*url.URL // the same, which no browser loads until a script has it do so
	forms    []*url.URL // that send something there
	fields   []string   // the names of what forms send, but for what visitors write
	inline   strings.Builder
	within   int // so many templates, when a tag is read
}

const maxLinks = 2000 // of a page, and as many that it loads

func readPage(from io.Reader, address *url.URL) *page {
	p := &page{address: address}
	z := html.NewTokenizer(from)
	z.SetMaxBuf(maxBody)
	within := ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			return p
		case html.TextToken:
			switch within {
			case "script":
				p.inline.Write(z.Text())
				p.inline.WriteByte('\n')
			case "title":
				if p.title == "" {
					p.title = strings.Join(strings.Fields(string(z.Text())), " ")
				}
			}
		case html.EndTagToken:
			if within = ""; z.Token().Data == "template" && p.within > 0 {
				p.within--
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			within = t.Data
			p.tag(t)
		}
	}
}

func (p *page) tag(t html.Token) {
	attributes := make(map[string]string, len(t.Attr))
	for _, a := range t.Attr {
		attributes[a.Key] = a.Val
	}
	switch t.Data {
	case "html":
		p.language = attributes["lang"]
	case "base":
		if base, err := p.address.Parse(attributes["href"]); err == nil && attributes["href"] != "" {
			p.address = base
		}
	case "meta":
		if attributes["property"] == "og:site_name" {
			p.name = strings.Join(strings.Fields(attributes["content"]), " ")
		}
	case "a", "area":
		p.links = p.add(p.links, attributes["href"])
	case "form":
		p.forms = p.add(p.forms, attributes["action"])
	case "input":
		if attributes["type"] == "hidden" && len(p.fields) < maxLinks {
			p.fields = append(p.fields, attributes["name"])
		}
	case "template":
		p.within++
	case "script", "iframe", "img", "embed":
		if p.within > 0 || attributes["type"] == "text/plain" {
			p.held = p.add(p.add(p.held, attributes["src"]), attributes["data-src"])
		} else {
			p.loads = p.add(p.loads, attributes["src"])
		}
	case "link":
		if rel := attributes["rel"]; rel == "preload" || rel == "stylesheet" {
			p.loads = p.add(p.loads, attributes["href"])
		}
	}
}

func (p *page) add(to []*url.URL, address string) []*url.URL {
	u, err := p.address.Parse(strings.TrimSpace(address))
	if address == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" || len(to) == maxLinks {
		return to
	}
	u.Fragment = ""
	return append(to, u)
}
