// Package judge compares what was seen of a site with what the site declares. It says one
// thing for each cause, however many stages and pages show it.
package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// Options change what is judged. The zero Options are those of a site that sets the
// library up as it comes.
type Options struct {
	// OwnCookies are further names than [consent.CookieName] under which the site's own
	// hosts keep the visitor's answer, which needs no declaration.
	OwnCookies []string
}

// Judge returns what a scan shows that is not as it should be, sorted by level, check,
// kind, name and host. A nil registry declares nothing. What is exempt is no finding:
// necessary tracers, and anonymous statistics to which the visitor does not object.
//
// A stage whose choice names a category or a provider that is not in the registry is not
// judged by what it allows.
func Judge(scan *seen.Scan, registry *consent.Registry, options Options) []finding.Finding {
	declared := newDeclarations(registry)
	j := &judge{
		scan:         scan,
		own:          append([]string{consent.CookieName}, options.OwnCookies...),
		declarations: declared,
		stages:       stagesOf(scan, declared.all),
		bySight:      make(map[id]*tracer),
		tracers:      make(map[id]*tracer),
		byHost:       make(map[[2]string]*contact),
		contacts:     make(map[string]*contact),
		causes:       make(map[causeKey]*cause),
		observed:     make([]bool, len(declared.all)),
	}
	for i := range scan.Events {
		j.look(&scan.Events[i])
	}
	for i := range scan.Events {
		j.judge(&scan.Events[i])
	}
	j.judgeAnswers()
	j.judgeUnseen()

	findings := make([]finding.Finding, 0, len(j.causes))
	for _, c := range j.causes {
		findings = append(findings, j.finding(c))
	}
	slices.SortFunc(findings, func(a, b finding.Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level)),
			strings.Compare(string(a.Check), string(b.Check)), strings.Compare(a.Kind, b.Kind),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Host, b.Host), strings.Compare(a.Fingerprint, b.Fingerprint),
		)
	})
	return findings
}

type judge struct {
	scan         *seen.Scan
	own          []string
	declarations *declarations
	stages       map[string]*stage

	bySight  map[id]*tracer // by the name and host that was seen
	tracers  map[id]*tracer
	byHost   map[[2]string]*contact // by host, and the host behind it
	contacts map[string]*contact
	causes   map[causeKey]*cause
	observed []bool // of each declaration: something of it was seen
}

// judge adds an event to the causes that it shows.
func (j *judge) judge(e *seen.Event) {
	switch e.Act {
	case seen.Contacted:
		if e.Third {
			j.judgeContact(e)
		}
	case seen.Stored, seen.Kept, seen.Sent:
		if j.exempt(e) {
			return
		}
		if t := j.tracer(e); len(t.declared) == 0 {
			j.judgeUndeclared(e, t)
		} else {
			j.judgeDeclared(e, t)
		}
	case seen.Blocked:
		level := finding.Warning
		if e.Third {
			level = finding.Note
		}
		t := j.tracer(e)
		j.add(finding.BlockedByBrowser, level, t.id, e).tracer = t
	case seen.Signalled:
		j.add(finding.WrongSignal, finding.Error, id{kind: tag, name: e.Name}, e)
	case seen.Held:
		// Without declarations the site has no package charter, and the mark is not ours.
		if len(j.declarations.all) > 0 && !j.declarations.opens(e.Name) {
			j.add(finding.NeverOpens, finding.Warning, id{kind: gate, name: e.Name}, e)
		}
	}
}

// Subjects that are no tracers.
const (
	host seen.Kind = "host"
	tag  seen.Kind = "tag"
	// gate is what a page holds back.
	gate seen.Kind = "gate"
	// answer is what the visitor has said.
	answer seen.Kind = "answer"
)

// judgeDeclared judges a tracer by its declarations.
func (j *judge) judgeDeclared(e *seen.Event, t *tracer) {
	stage := j.stage(e)
	permitted := stage.permits(t.declared)
	if drift := j.drift(e, t, permitted); drift != nil {
		at := e
		if by := t.storing[e.Stage]; by != nil {
			at = by // what lies in the browser says where it lies, and not who put it there
		}
		c := j.add(finding.DeclaredOtherwise, finding.Warning, t.id, at)
		c.tracer, c.drifts = t, append(c.drifts, drift...)
	}
	if permitted {
		return
	}
	if check := checkOf(e, t, stage); check != "" {
		j.add(check, finding.Error, t.id, e).tracer = t
	}
}

// checkOf returns what an event shows that the stage does not allow; "" if another event
// says it already.
//
// Whatever is stored without asking is stored after a refusal and after a withdrawal too,
// and lies there then: one cause. What lies in the browser is sent: one cause again.
func checkOf(e *seen.Event, t *tracer, stage *stage) finding.Check {
	withdrawal := stage.Earlier != ""
	switch {
	case e.Act == seen.Stored && withdrawal && !t.without:
		return finding.UsedAfterWithdrawal
	case e.Act == seen.Stored:
		return finding.StoredWithoutConsent
	case e.Act == seen.Sent && (!withdrawal || t.stored[e.Stage]):
		return ""
	case e.Act == seen.Sent && t.kept[e.Stage]:
		return finding.LeftBehind
	case e.Act == seen.Sent:
		return finding.UsedAfterWithdrawal
	case t.stored[e.Stage]: // Kept
		return ""
	case e.Third && withdrawal:
		return "" // at the host of others no site deletes anything; it is a fault once it is sent
	case !stage.Answered, !withdrawal && t.unasked:
		return finding.StoredWithoutConsent
	default:
		return finding.LeftBehind
	}
}

// judgeUndeclared judges a tracer that nobody declared.
func (j *judge) judgeUndeclared(e *seen.Event, t *tracer) {
	if e.Act == seen.Kept && t.stored[e.Stage] || e.Act == seen.Sent && len(t.stored)+len(t.kept) > 0 {
		return
	}
	check, level := finding.Undeclared, finding.Warning
	if t.unasked {
		check, level = finding.StoredWithoutConsent, finding.Error
	}
	j.add(check, level, t.id, e).tracer = t
}

// judgeContact judges a request to a host that is not the site's.
func (j *judge) judgeContact(e *seen.Event) {
	c, stage := j.contact(e), j.stage(e)
	check, level := finding.UndeclaredOrigin, finding.Warning
	switch {
	case len(c.declared) > 0 && stage.permits(c.declared):
		return
	case len(c.declared) > 0 && stage.Earlier != "" && !c.without:
		check, level = finding.UsedAfterWithdrawal, finding.Error
	case len(c.declared) > 0:
		check, level = finding.ContactedWithoutConsent, finding.Error
	case stage.Nothing:
		level = finding.Error
	}
	j.add(check, level, id{kind: host, host: c.name}, e).contact = c
}

// judgeAnswers looks for stages in which the site has lost the visitor's answer.
func (j *judge) judgeAnswers() {
	for _, s := range j.scan.Stages {
		if s.Skipped != "" || !s.Answered || s.Kept == nil || *s.Kept {
			continue
		}
		page := ""
		if len(s.Pages) > 0 {
			page = s.Pages[len(s.Pages)-1]
		}
		j.add(finding.AnswerNotKept, finding.Error, id{kind: answer, name: "answer"}, &seen.Event{Stage: s.Name, Page: page})
	}
}

// judgeUnseen looks for declarations of which nothing was seen, though a stage allows it.
func (j *judge) judgeUnseen() {
	for i, c := range j.declarations.all {
		if j.observed[i] || c.Kind == consent.Other || c.Kind == consent.HTTPCookie && slices.Contains(j.own, c.Name) {
			continue
		}
		walked := slices.ContainsFunc(j.scan.Stages, func(s seen.Stage) bool {
			at := j.stages[s.Name]
			return s.Skipped == "" && at.judged && at.allowed[i]
		})
		if walked {
			j.causeOf(finding.NeverSeen, finding.Note, id{kind: seenKind(c.Kind), name: c.Name, host: c.Provider}).number = i
		}
	}
}

// seenKind returns the kind of a declaration as a scan names it.
func seenKind(kind consent.Kind) seen.Kind {
	for name, other := range seen.Declared {
		if other == kind {
			return name
		}
	}
	return ""
}
