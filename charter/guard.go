package charter

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/decision"
)

// A Guard says under which names the scripts of a page can store nothing: see
// [Config.Guard].
type Guard uint8

const (
	GuardOff      Guard = iota // they can store what they like
	GuardDeclared              // under those that are declared, until the visitor allows them
	GuardAll                   // under these, and under those that nobody declared
)

// guardedKinds are what scripts set that the guard can see.
var guardedKinds = []consent.Kind{consent.HTTPCookie, consent.LocalStorage, consent.SessionStorage}

// The numbers of needs begin with 0.
const never = -1

// guard returns what guard.js is called with, if there is a guard. The error names each mistake in the config.
func (h *headMaker) guard(config Config) (string, error) {
	if err := h.checkGuard(config); err != nil || config.Guard == GuardOff {
		return "", err
	}
	g := guardMaker{headMaker: h}
	own := []string{h.c.mw.Cookie().Name, h.c.mw.FormerCookieName()}
	var fields []string
	for _, kind := range guardedKinds {
		rules := h.c.rules(kind, g.needOf)
		if kind == consent.HTTPCookie {
			rules = slices.DeleteFunc(rules, func(rule []any) bool { return slices.Contains(own, rule[0].(string)) })
			for _, name := range own { // only the server sets it
				if name != "" {
					rules = slices.Insert(rules, 0, []any{name, never})
				}
			}
		}
		if config.Guard == GuardAll {
			if kind == consent.HTTPCookie {
				rules = append(rules, []any{"charter"}) // script.js sets it to see whether cookies are kept
			}
			rules = append(rules, []any{"*", never})
		}
		fields = append(fields, kind.String()+":"+ruleList(rules))
	}
	if config.GuardReport != "" {
		address, err := json.Marshal(config.GuardReport)
		if err != nil {
			return "", err
		}
		fields = append(fields, fmt.Sprintf(reportFunction, address))
	}
	fields = append(fields, "needs:["+strings.Join(g.needs, ",")+"]", "marks:"+g.marks())
	return "{" + strings.Join(fields, ",") + "}", nil
}

// reportFunction tells package inventory of each name once, and says that it has. It is not
// in guard.js, since no visitor's page needs it.
const reportFunction = `report:(told=>(kind,name)=>{` +
	`const names=JSON.stringify({page:location.pathname,names:{[kind]:[name]}});` +
	`told.has(names)||told.add(names)&&navigator.sendBeacon(%s,names);` +
	`return true})(new Set)`

func (h *headMaker) checkGuard(config Config) error {
	var mistakes []error
	if config.Guard > GuardAll {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.Guard: %d is none of the constants", config.Guard))
	}
	if config.Guard != GuardOff && h.c.mw.Cookie().HttpOnly {
		mistakes = append(mistakes, errors.New("charter: Config.Guard: no script can read the decision, as HttpOnly of consent.Config says"))
	}
	if config.GuardReport != "" && config.Guard == GuardOff {
		mistakes = append(mistakes, errors.New("charter: Config.GuardReport: there is no Guard to tell of"))
	}
	if config.GuardReport != "" && localPath(config.GuardReport) == "" {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.GuardReport: %q is no path on the site", config.GuardReport))
	}
	return errors.Join(mistakes...)
}

// A guardMaker collects what has to be met for names to pass.
type guardMaker struct {
	*headMaker
	needs []string // each a category's number and a mark
}

// needOf returns the number of what lets one declaration pass; nil if nothing has to. Of
// one provider, what is anonymous waits for no consent, and the rest for no objection.
func (g *guardMaker) needOf(cookie consent.Cookie) any {
	if cookie.Category == consent.Necessary {
		return nil
	}
	mark := decision.Mark(0)
	if cookie.NeedsConsent() {
		mark = scriptMark(cookie)
	}
	need := fmt.Sprintf("[%d,%d]", g.number(cookie.Category), mark)
	at := slices.Index(g.needs, need)
	if at < 0 {
		at = len(g.needs)
		g.needs = append(g.needs, need)
	}
	return at
}

// marks returns those of the providers of each category.
func (g *guardMaker) marks() string {
	all := make([][]string, len(g.categories))
	for _, cookie := range g.c.cookies {
		at := slices.Index(g.categories, cookie.Category)
		if mark := fmt.Sprint(scriptMark(cookie)); at >= 0 && cookie.NeedsConsent() && !slices.Contains(all[at], mark) {
			all[at] = append(all[at], mark)
		}
	}
	lists := make([]string, len(all))
	for i, marks := range all {
		lists[i] = "[" + strings.Join(marks, ",") + "]"
	}
	return "[" + strings.Join(lists, ",") + "]"
}

// number returns the number of a category, which it may be the first to have.
func (h *headMaker) number(category consent.Category) int {
	if !slices.Contains(h.categories, category) {
		h.categories = append(h.categories, category)
	}
	return slices.Index(h.categories, category)
}

// ruleList returns rules as guard.js takes them. It is code, which cannot end the element
// that it stands in.
func ruleList(rules [][]any) string {
	codes := make([]string, len(rules))
	for i, rule := range rules {
		code := "[" + regularExpression(rule[0].(string))
		for _, number := range rule[1:] {
			code += fmt.Sprintf(",%d", number)
		}
		codes[i] = code + "]"
	}
	return "[" + strings.Join(codes, ",") + "]"
}

// regularExpression returns one of JavaScript for a name or a pattern.
func regularExpression(pattern string) string {
	var b strings.Builder
	b.WriteString("/^")
	for _, c := range pattern {
		switch {
		case c == '*':
			b.WriteString(".*")
		case c < ' ' || c == '<' || c == 0x7F:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c == 0x2028 || c == 0x2029: // they end a line
			fmt.Fprintf(&b, `\u%04x`, c)
		case strings.ContainsRune(`\^$.|?+()[]{}/`, c):
			b.WriteString(`\` + string(c))
		default:
			b.WriteRune(c)
		}
	}
	b.WriteString("$/s")
	return b.String()
}
