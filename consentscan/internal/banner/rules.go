package banner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/element"
)

// Rules are of autoconsent, in the order of their file. The zero value has none.
type Rules struct{ list []*rule }

// Len returns the number of rules.
func (r Rules) Len() int { return len(r.list) }

const (
	maxRules = 16 << 20 // bytes
	// maxStepVersion is that of the newest steps that are known here.
	maxStepVersion = 2
)

// ParseRules reads one rule of autoconsent in JSON, a list of them, or its own rules.json.
// The error has every mistake, each with its rule and step. What a rule says for other
// programs is left out: how to hide a banner in advance, and what its author has noted.
func ParseRules(r io.Reader) (Rules, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxRules+1))
	switch {
	case err != nil:
		return Rules{}, err
	case len(content) > maxRules:
		return Rules{}, fmt.Errorf("the file has more than %d MB", maxRules>>20)
	}
	written, err := cutRules(content)
	if err != nil {
		return Rules{}, err
	}
	var (
		rules    Rules
		mistakes []error
	)
	for i, raw := range written {
		parsed, err := parseRule(raw)
		name := fmt.Sprintf("rule %d", i+1)
		if parsed != nil && parsed.Name != "" {
			name = fmt.Sprintf("rule %q", parsed.Name)
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", name, err))
			continue
		}
		rules.list = append(rules.list, parsed)
	}
	if len(mistakes) > 0 {
		return Rules{}, errors.Join(mistakes...)
	}
	if len(rules.list) == 0 {
		return Rules{}, errors.New("the file has no rule")
	}
	return rules, nil
}

// cutRules returns the JSON of each rule.
func cutRules(content []byte) ([]json.RawMessage, error) {
	content = bytes.TrimSpace(bytes.TrimPrefix(content, []byte("\ufeff")))
	var rules []json.RawMessage
	if bytes.HasPrefix(content, []byte("[")) {
		return rules, withLine(json.Unmarshal(content, &rules), content)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(content, &object); err != nil {
		return nil, withLine(err, content)
	}
	if all, ok := object["autoconsent"]; ok {
		if err := json.Unmarshal(all, &rules); err != nil {
			return nil, fmt.Errorf("autoconsent: %w", err)
		}
		return rules, nil
	}
	if _, ok := object["r"]; ok && object["s"] != nil {
		return nil, errors.New("the compact form of autoconsent's rules cannot be read: take rules.json")
	}
	return []json.RawMessage{content}, nil
}

// withLine adds to a mistake in JSON where it is.
func withLine(err error, content []byte) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(content[:min(int(syntax.Offset), len(content))], []byte("\n")), err)
}

// A rule is one as autoconsent writes it.
type rule struct {
	Name       string     `json:"name"`
	RunContext runContext `json:"runContext"`
	// Cosmetic says that it hides the banner and answers nothing.
	Cosmetic bool `json:"cosmetic"`
	// Intermediate says that another rule goes on when this one has opted out.
	Intermediate bool       `json:"intermediate"`
	StepVersion  int        `json:"minimumRuleStepVersion"`
	DetectCMP    []ruleStep `json:"detectCmp"`
	DetectPopup  []ruleStep `json:"detectPopup"`
	OptIn        []ruleStep `json:"optIn"`
	OptOut       []ruleStep `json:"optOut"`
	Test         []ruleStep `json:"test"`
}

type runContext struct {
	Main       *bool  `json:"main"` // nil: true
	Frame      bool   `json:"frame"`
	URLPattern string `json:"urlPattern"` // a regular expression of JavaScript
}

func parseRule(raw json.RawMessage) (*rule, error) {
	r := new(rule)
	if err := json.Unmarshal(raw, r); err != nil {
		return r, err
	}
	var mistakes []error
	if r.Name == "" {
		mistakes = append(mistakes, errors.New("name: none"))
	}
	if r.StepVersion > maxStepVersion {
		mistakes = append(mistakes, fmt.Errorf("minimumRuleStepVersion: %d is newer than %d, the newest that is known here", r.StepVersion, maxStepVersion))
	}
	if len(r.DetectCMP) == 0 {
		mistakes = append(mistakes, errors.New("detectCmp: no steps"))
	}
	for _, part := range []struct {
		name  string
		steps []ruleStep
	}{{"detectCmp", r.DetectCMP}, {"detectPopup", r.DetectPopup}, {"optIn", r.OptIn}, {"optOut", r.OptOut}, {"test", r.Test}} {
		if err := checkSteps(part.name, part.steps); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	return r, errors.Join(mistakes...)
}

// A ruleStep is a check or an action. Several in one step have all to succeed.
type ruleStep struct {
	Exists           selector   `json:"exists"`
	Visible          selector   `json:"visible"`
	WaitFor          selector   `json:"waitFor"`
	WaitForVisible   selector   `json:"waitForVisible"`
	Click            selector   `json:"click"`
	WaitForThenClick selector   `json:"waitForThenClick"`
	Wait             *float64   `json:"wait"` // ms
	Hide             selector   `json:"hide"` // each of them
	RemoveClass      string     `json:"removeClass"`
	SetStyle         string     `json:"setStyle"`
	AddStyle         string     `json:"addStyle"`
	CookieContains   string     `json:"cookieContains"`
	Eval             string     `json:"eval"`
	If               *ruleStep  `json:"if"`
	Then             []ruleStep `json:"then"`
	Else             []ruleStep `json:"else"`
	Any              []ruleStep `json:"any"`

	Timeout  float64  `json:"timeout"` // ms; zero: 10 s
	Check    string   `json:"check"`   // "any", "all", "none"
	All      bool     `json:"all"`
	Method   string   `json:"method"` // "display" or "opacity"
	Selector selector `json:"selector"`
	Negated  bool     `json:"negated"`
	Optional bool     `json:"optional"`
	Comment  string   `json:"comment"`
	Text     string   `json:"text"` // a note too: what a button says

	unknown string
}

// selector is one string, or several.
type selector element.Selector

func (s *selector) UnmarshalJSON(content []byte) error {
	var one string
	if json.Unmarshal(content, &one) == nil {
		*s = selector{one}
		return nil
	}
	if err := json.Unmarshal(content, (*[]string)(s)); err != nil {
		return errors.New("a selector is a string, or a list of strings")
	}
	return nil
}

func (s selector) element() element.Selector { return element.Selector(s) }

// UnmarshalJSON keeps the name of what is not known, so that the mistake names its step.
func (s *ruleStep) UnmarshalJSON(content []byte) error {
	type plain ruleStep
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	err := decoder.Decode((*plain)(s))
	if err == nil {
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		s.unknown = fmt.Sprintf("%s: %s is of the wrong type", wrongType.Field, wrongType.Value)
	} else {
		s.unknown = err.Error()
	}
	return nil
}

const maxStepTime = 30 * time.Second

func checkSteps(place string, steps []ruleStep) error {
	var mistakes []error
	for i := range steps {
		if err := steps[i].check(fmt.Sprintf("%s step %d", place, i+1)); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	return errors.Join(mistakes...)
}

func (s *ruleStep) check(place string) error {
	if s.unknown != "" {
		return fmt.Errorf("%s: %s", place, s.unknown)
	}
	var mistakes []error
	mistake := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf(place+": "+format, args...))
	}
	does := s.RemoveClass != "" || s.SetStyle != "" || s.AddStyle != "" || s.CookieContains != "" || s.Eval != "" || s.Wait != nil || s.If != nil || len(s.Any) > 0
	for _, one := range []selector{s.Exists, s.Visible, s.WaitFor, s.WaitForVisible, s.Click, s.WaitForThenClick, s.Hide} {
		does = does || one != nil
		for _, part := range one {
			if part == "" {
				mistake("an empty selector")
			}
		}
	}
	if !does {
		mistake("it does nothing that is known here")
	}
	if (s.RemoveClass != "" || s.SetStyle != "" || s.AddStyle != "") && len(s.Selector) == 0 {
		mistake("selector: none")
	}
	if s.Check != "" && s.Check != "any" && s.Check != "all" && s.Check != "none" {
		mistake("check: %q is not any, all or none", s.Check)
	}
	if s.Wait != nil && (*s.Wait < 0 || *s.Wait > float64(maxStepTime/time.Millisecond)) {
		mistake("wait: %g ms is not between 0 and %s", *s.Wait, maxStepTime)
	}
	if s.Timeout < 0 || s.Timeout > float64(maxStepTime/time.Millisecond) {
		mistake("timeout: %g ms is not between 0 and %s", s.Timeout, maxStepTime)
	}
	if s.If != nil {
		mistakes = append(mistakes, s.If.check(place+" if"))
		if len(s.Then) == 0 && len(s.Else) == 0 {
			mistake("if: neither then nor else")
		}
	} else if len(s.Then) > 0 || len(s.Else) > 0 {
		mistake("then, else: no if")
	}
	mistakes = append(mistakes, checkSteps(place+" then", s.Then), checkSteps(place+" else", s.Else), checkSteps(place+" any", s.Any))
	return errors.Join(mistakes...)
}
