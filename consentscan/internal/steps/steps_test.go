package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/steps"
)

var environment = map[string]string{"SHOP_PASSWORD": "s3cr3t", "EMPTY": ""}

func getenv(name string) string { return environment[name] }

// A page writes down what is done to it.
type page struct {
	did    []string
	fails  map[string]error // by what is done
	appear int              // how often it is asked for an element until one is seen
	come   int              // how often it is asked for an element until there is one
}

func (p *page) do(format string, args ...any) error {
	act := fmt.Sprintf(format, args...)
	p.did = append(p.did, act)
	return p.fails[act]
}

func (p *page) Open(_ context.Context, url string) error       { return p.do("open %s", url) }
func (p *page) Settle(context.Context) error                   { return p.do("settle") }
func (p *page) Click(_ context.Context, selector string) error { return p.do("click %s", selector) }
func (p *page) Fill(_ context.Context, selector, text string) error {
	return p.do("fill %s=%s", selector, text)
}
func (p *page) Eval(_ context.Context, expression string, result any) error {
	p.appear, p.come = p.appear-1, p.come-1
	count := func(left int) int {
		if left < 0 {
			return 1
		}
		return 0
	}
	return json.Unmarshal(fmt.Appendf(nil, `{"All": %d, "Visible": %d}`, count(p.come), count(p.appear)), result)
}

func run(t *testing.T, text string, p *page) error {
	t.Helper()
	s, err := steps.Parse(strings.NewReader(text), getenv)
	require.NoError(t, err)
	base, err := url.Parse("https://example.org/shop/")
	require.NoError(t, err)
	return s.Run(t.Context(), p, base)
}

func TestStepsAreRunInTheirOrder(t *testing.T) {
	p := &page{appear: 2}
	require.NoError(t, run(t, "\ufeff# a login\r\n\r\n  open /login\r\nfill #user alice\nfill  \"form.login input[name=password]\"\t${SHOP_PASSWORD}\nclick button[type=submit]\nwait #account\nwait 5ms\nopen account\n", p))
	assert.Equal(t, []string{
		"open https://example.org/login", "fill #user=alice", "fill form.login input[name=password]=s3cr3t",
		"click button[type=submit]", "settle", "open https://example.org/shop/account",
	}, p.did)
	assert.Negative(t, p.appear, "it has waited for the element")
}

func TestWhatALineMeans(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"open https://login.example.com/x?y=1#z", "open https://login.example.com/x?y=1#z"},
		{"open \"/a b\"", "open https://example.org/a%20b"},
		{"click form.login > button", "click form.login > button"},
		{`click "#a b"`, "click #a b"},
		{`click 'input[value="Log in"]'`, `click input[value="Log in"]`},
		{`click input[value="Log in"]`, `click input[value="Log in"]`},
		{`fill input[name="first name"] Ada L.`, `fill input[name="first name"]=Ada L.`},
		{`fill input:is([name="a b"], #c) x`, `fill input:is([name="a b"], #c)=x`},
		{`fill input[name="a] b"] x`, `fill input[name="a] b"]=x`},
		{`fill #a "  spaces  "`, "fill #a=  spaces  "},
		{`fill #a ""`, "fill #a="},
		{`fill #a '$SHOP_PASSWORD'`, "fill #a=$SHOP_PASSWORD"},
		{`fill #a "pa$$word"`, "fill #a=pa$$word"},
		{"fill #a $SHOP_PASSWORD", "fill #a=s3cr3t"},
		{"fill #a # is no comment here", "fill #a=# is no comment here"},
	} {
		t.Run(test.line, func(t *testing.T) {
			p := new(page)
			require.NoError(t, run(t, test.line, p))
			assert.Equal(t, test.want, p.did[0])
		})
	}
}

func TestEveryMistakeIsToldWithItsLine(t *testing.T) {
	text := strings.Join([]string{
		"login", "open", "open javascript:alert(1)", "open ftp://example.org", "fill", "fill #a", "fill \"#a", "fill '' x", "fill \"#a\"x y",
		"fill #a $MISSING", "fill #a $EMPTY", "fill #a pre$SHOP_PASSWORD", "fill #a \"open", "click", "click ''", "click 'a' b", "wait", "wait 2x", "wait 0s", "wait 2m", "ope\tx",
	}, "\n")
	_, err := steps.Parse(strings.NewReader(text), getenv)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		`"login" is no step`, "open: want an address", "javascript:alert(1)", "ftp://example.org", "want a selector and a text", `written into "#a"`, "not closed", "the selector is empty", "a space after",
		"the environment has no MISSING", "the environment has no EMPTY", "a variable stands alone", "not closed", "click: want a selector", "click: want a selector", "something follows", "wait: want", "wait: \"2x\"", "wait: 0s", "wait: 2m", `"ope" is no step`,
	} {
		require.Greater(t, len(lines), i)
		assert.Contains(t, lines[i], want)
		assert.True(t, strings.HasPrefix(lines[i], fmt.Sprintf("line %d: ", i+1)), lines[i])
	}
	assert.NotContains(t, err.Error(), "s3cr3t")
}

func TestAFileIsBounded(t *testing.T) {
	_, err := steps.Parse(strings.NewReader(strings.Repeat("wait 1s\n", 201)), getenv)
	require.ErrorContains(t, err, "line 201: more than 200 steps")
	_, err = steps.Parse(strings.NewReader(strings.Repeat("# comment\n", 10000)), getenv)
	require.ErrorContains(t, err, "more than 65536 bytes")
	_, err = steps.Parse(strings.NewReader(strings.Repeat("x", 70000)), getenv)
	require.Error(t, err)
}

func TestAFailureNamesLineAndStepAndNoSecret(t *testing.T) {
	p := &page{fails: map[string]error{"fill #password=s3cr3t": errors.New(`cannot type "s3cr3t" there`)}}
	err := run(t, "open /login\n\nfill #password $SHOP_PASSWORD\nclick #go", p)
	require.EqualError(t, err, `line 3: fill #password: cannot type "…" there`)
	assert.Len(t, p.did, 2, "nothing is done after it")

	p = &page{fails: map[string]error{"click #go": errors.New("no visible #go")}}
	require.EqualError(t, run(t, "click #go", p), "line 1: click #go: no visible #go")
}

// The page that a click leads to may come late.
func TestWhatIsNotThereYetIsWaitedFor(t *testing.T) {
	for _, line := range []string{"click #go", "fill #user alice"} {
		p := &page{come: 3}
		require.NoError(t, run(t, line, p))
		assert.Negative(t, p.come, line)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	s, err := steps.Parse(strings.NewReader("wait #never"), getenv)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err = s.Run(ctx, &page{appear: 1 << 30}, new(url.URL))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "line 1: wait #never")
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "open /login", "fill #user alice\nfill #password $SHOP_PASSWORD", "fill \"a b\" 'c'", "click button[type=\"a b\"]", "wait 2s", "wait #x", "# x\n\n", "fill #a ${SHOP_PASSWORD}", "fill ]) x", "open http://[::1", "\ufeffopen /",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := steps.Parse(strings.NewReader(text), getenv)
		if err != nil {
			if s.Len() != 0 {
				t.Error("steps next to an error")
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(line, "line ") && !strings.Contains(line, "token too long") {
					t.Errorf("no line in %q", line)
				}
			}
			return
		}
		if s.Len() > strings.Count(text, "\n")+1 {
			t.Errorf("%d steps in %q", s.Len(), text)
		}
	})
}
