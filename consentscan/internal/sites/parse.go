package sites

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/cookiecharter/consent"
)

// A file is a site as it was read.
type file struct {
	registry         *consent.Registry
	plain            bool
	byCountry        bool
	signalsOfGoogle  bool
	setup            string
	expected         []Expectation
	proof            []Step
	routes           []route
	hasPlainWithdraw bool
}

// A route is what one host answers at one path.
type route struct {
	host, path string
	head, body *template.Template
	// padding is how many empty lines come before the body in its template, so that
	// mistakes in it have the line of the file.
	padding int
}

// A section has the line of the file on which its text begins.
type section struct {
	name string
	line int
	text string
}

var (
	heading   = regexp.MustCompile(`^-- (\S.*) --$`)
	routeName = regexp.MustCompile(`^(?:[a-z0-9-]+\.)+example/\S*$`)
	headLine  = regexp.MustCompile(`^([A-Za-z0-9-]+): ?(.*)$`)
	address   = regexp.MustCompile(`((?:https:|wss:)?//)?((?:\*\.)?(?:[a-z0-9-]+\.)+)example\b`)
)

// localize replaces each address of an example by that of the server at port.
func localize(text, port string) string {
	return address.ReplaceAllStringFunc(text, func(found string) string {
		parts := address.FindStringSubmatch(found)
		scheme := strings.NewReplacer("https:", "http:", "wss:", "ws:").Replace(parts[1])
		if scheme == "" { // a host alone, as in a Domain attribute, has no port
			return parts[2] + "localhost"
		}
		return scheme + parts[2] + "localhost:" + port
	})
}

// read reads a file for a server at port. The error joins every mistake, each with the
// file and its line.
func read(path, text, port string) (*file, error) {
	var mistakes []error
	mistake := func(line int, format string, arguments ...any) {
		mistakes = append(mistakes, fmt.Errorf("%s:%d: %w", path, line, fmt.Errorf(format, arguments...)))
	}
	f := &file{}
	seen := map[string]bool{}
	for _, s := range split(localize(text, port)) {
		if seen[s.name] {
			mistake(s.line-1, "there are two sections %q", s.name)
			continue
		}
		seen[s.name] = true
		switch s.name {
		case "declarations":
			registry, err := consent.ReadRegistry(strings.NewReader(s.text))
			if err != nil {
				mistake(s.line, "%w", err)
			}
			f.registry = registry
		case "site":
			f.readSettings(s, mistake)
		case "setup":
			f.setup = s.text
		case "expect":
			f.readExpectations(s, mistake)
		case "proof":
			f.readProof(s, mistake)
		default:
			f.readRoute(s, path, mistake)
		}
	}
	if !seen["declarations"] {
		mistake(1, `there is no section "declarations"`)
	}
	if !seen["shop.localhost/"] {
		mistake(1, `there is no section "shop.example/"`)
	}
	return f, errors.Join(mistakes...)
}

// split leaves out what comes before the first section.
func split(text string) []section {
	var sections []section
	for i, line := range strings.SplitAfter(text, "\n") {
		if found := heading.FindStringSubmatch(strings.TrimRight(line, "\n")); found != nil {
			sections = append(sections, section{name: found[1], line: i + 2})
		} else if len(sections) > 0 {
			sections[len(sections)-1].text += line
		}
	}
	return sections
}

// lines calls do with each line of a section that is neither empty nor a comment.
func (s section) lines(do func(line int, text string)) {
	for i, text := range strings.Split(s.text, "\n") {
		if text = strings.TrimSpace(text); text != "" && !strings.HasPrefix(text, "#") {
			do(s.line+i, text)
		}
	}
}

type mistakeFunc func(line int, format string, arguments ...any)

func (f *file) readSettings(s section, mistake mistakeFunc) {
	s.lines(func(line int, text string) {
		switch text {
		case "banner: plain":
			f.plain = true
		case "law: by country":
			f.byCountry = true
		case "signals: google":
			f.signalsOfGoogle = true
		default:
			mistake(line, "%q is no setting", text)
		}
	})
}

func (f *file) readExpectations(s section, mistake mistakeFunc) {
	s.lines(func(line int, text string) {
		var e Expectation
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil {
			mistake(line, "%w", err)
		} else if e.Check == "" || e.Kind == "" || e.Name == "" {
			mistake(line, "an expectation needs check, kind and name")
		}
		f.expected = append(f.expected, e)
	})
}

func (f *file) readProof(s section, mistake mistakeFunc) {
	s.lines(func(line int, text string) {
		do, what, _ := strings.Cut(text, " ")
		if !slices.Contains(verbs, do) {
			mistake(line, "%q is no step of a proof", do)
		}
		f.proof = append(f.proof, Step{Line: line, Do: do, What: what})
	})
}

func (f *file) readRoute(s section, path string, mistake mistakeFunc) {
	if !routeName.MatchString(strings.Replace(s.name, "localhost/", "example/", 1)) {
		mistake(s.line-1, "the section %q is neither a route nor one of those with a name of their own", s.name)
		return
	}
	head, body, _ := strings.Cut(s.text, "\n\n")
	if strings.HasPrefix(s.text, "\n") { // no head at all
		head, body = "", s.text[1:]
	}
	section{line: s.line, text: head}.lines(func(line int, text string) {
		if !strings.HasPrefix(text, "{{") && !headLine.MatchString(text) {
			mistake(line, "%q is no line of a head", text)
		}
	})
	r := route{padding: s.line + strings.Count(head, "\n")}
	if head != "" {
		r.padding++
	}
	r.host, r.path, _ = strings.Cut(s.name, "/")
	r.path = "/" + r.path
	var err error
	// The functions are bound to each request.
	if r.head, err = template.New(path).Funcs(functions(nil, nil)).Parse(strings.Repeat("\n", s.line-1) + head); err != nil {
		mistake(s.line, "%w", err)
	}
	if r.body, err = template.New(path).Funcs(functions(nil, nil)).Parse(strings.Repeat("\n", r.padding) + body); err != nil {
		mistake(s.line, "%w", err)
	}
	if strings.Contains(body, `id="withdraw"`) {
		f.hasPlainWithdraw = true
	}
	f.routes = append(f.routes, r)
}

// A head is the head of one response.
type head struct {
	status              int
	delay               time.Duration
	header, proxy, hint http.Header
}

func parseHead(text []byte) (head, error) {
	h := head{status: http.StatusOK, header: http.Header{}, proxy: http.Header{}, hint: http.Header{}}
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		found := headLine.FindSubmatch(line)
		if found == nil {
			return h, fmt.Errorf("%q is no line of a head", line)
		}
		name, value := string(found[1]), string(found[2])
		switch name {
		case "Status":
			if _, err := fmt.Sscan(value, &h.status); err != nil {
				return h, fmt.Errorf("status %q: %w", value, err)
			}
		case "Delay":
			var err error
			if h.delay, err = time.ParseDuration(value); err != nil {
				return h, err
			}
		case "Proxy", "Early":
			field := headLine.FindStringSubmatch(value)
			if field == nil {
				return h, fmt.Errorf("%q is no field of a head", value)
			}
			if name == "Proxy" {
				h.proxy.Add(field[1], field[2])
			} else {
				h.hint.Add(field[1], field[2])
			}
		default:
			h.header.Add(name, value)
		}
	}
	return h, nil
}
