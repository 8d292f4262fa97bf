package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingElseChangesIsToldFromWhatDoes(t *testing.T) {
	r, err := compare(suite{module: "example.com/suite", packages: "./...", calls: []string{"ServeHTTP"}}, filepath.Join("testdata", "suite"))
	require.NoError(t, err)
	assert.Equal(t, passed{served: 3, called: 1}, r.passed)
	assert.Equal(t, 4, r.bare.count("pass"))
	assert.Equal(t, 3, r.interposed.count("pass"))
	assert.False(t, r.same())
	require.Len(t, r.differences, 1)
	d := r.differences[0]
	assert.Equal(t, "example.com/suite TestTheWriterIsTheServers", d.test)
	var printed bytes.Buffer
	write(&printed, []report{r})
	assert.Contains(t, printed.String(), "DIFFERS: "+d.test+": bare pass pass pass pass pass pass, interposed fail fail fail fail fail fail\n")
	assert.Contains(t, printed.String(), "suite_test.go:53: writer.w", "the line of the test as its author wrote it")
}

func TestASuiteInWhichNothingPassesProvesNothing(t *testing.T) {
	r := report{suite: suite{module: "example.com/none"}, bare: results{"p T": {outcome: "fail", test: true}}, interposed: results{"p T": {outcome: "fail", test: true}}}
	assert.False(t, r.same())
	var printed bytes.Buffer
	write(&printed, []report{r})
	assert.Contains(t, printed.String(), "PROVES NOTHING: no request of example.com/none")
	assert.Contains(t, printed.String(), "fails both ways, and so shows nothing: p T")
	r.passed.called = 1
	assert.True(t, r.same())
}

func TestADifferenceIsFlakyWhereChanceExplainsIt(t *testing.T) {
	for name, test := range map[string]struct {
		bare, interposed string
		want             bool
	}{
		"always":                     {"pass pass pass", "fail fail fail", false},
		"once, and never again":      {"pass pass pass", "fail pass pass", true},
		"now and then":               {"pass pass pass", "fail pass fail", false},
		"now and then, bare as well": {"pass fail pass", "fail pass fail", true},
		"bare alone":                 {"fail pass pass", "pass pass pass", true},
		"not run again":              {"pass", "fail", false},
	} {
		d := difference{bare: strings.Fields(test.bare), interposed: strings.Fields(test.interposed)}
		assert.Equal(t, test.want, d.flaky(), name)
		assert.Equal(t, test.want, strings.HasPrefix(d.String(), "flaky: "), name)
	}
}

func TestDifferencesAreFoundByName(t *testing.T) {
	of := func(outcome, pkg string, test bool) result { return result{outcome: outcome, pkg: pkg, test: test} }
	bare := results{"p": of("pass", "p", false), "p A": of("pass", "p", true), "p B": of("skip", "p", true), "q": of("pass", "q", false), "q C": of("pass", "q", true)}
	interposed := results{"p": of("fail", "p", false), "p A": of("fail", "p", true), "p D": of("pass", "p", true), "q": of("fail", "q", false), "q C": of("pass", "q", true)}
	var names []string
	found := differences(bare, interposed)
	for _, d := range found {
		names = append(names, d.test)
	}
	assert.Equal(t, []string{"p A", "p B", "p D", "q"}, names, "a package alone where no test of it explains it")
	assert.Equal(t, []string{"p", "q"}, packagesOf(found))
	assert.Contains(t, found[1].String(), "p B: bare skip, interposed -")
	assert.Empty(t, differences(bare, bare))
}

func TestCallsInATestAreInterposedOnTheirLines(t *testing.T) {
	text, name, err := interposeCalls("package p_test\n\nfunc f() {\n\ta(b).ServeHTTP(w,\n\t\tr)\n\tSave(r, w)\n\tl.Accept()\n\tServeHTTP(w)\n}\n", []string{"ServeHTTP", "Accept"})
	require.NoError(t, err)
	assert.Equal(t, "p_test", name)
	assert.Equal(t, "package p_test; import interposed \""+interposedPath+"\"\n\nfunc f() {\n\tinterposed.ServeHTTP(a(b).ServeHTTP)(w,\n\t\tr)\n\tSave(r, w)\n\tl.Accept()\n\tServeHTTP(w)\n}\n", text)
	_, _, err = interposeCalls("no Go", nil)
	assert.Error(t, err)
}

func TestTheServerIsInterposedOrSaysWhyNot(t *testing.T) {
	goroot, err := output(nil, "env", "GOROOT")
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(goroot, "src", "net", "http", "server.go"))
	require.NoError(t, err)
	text, err := interposeServer(string(source))
	require.NoError(t, err, runtime.Version())
	assert.Equal(t, 1, strings.Count(text, "Interpose(handler).ServeHTTP(rw, req)\n}"))
	for source, want := range map[string]string{
		"package http": "no method",
		"package http\nfunc (sh serverHandler) ServeHTTP() { handler.Serve() }":         "ends with handler.Serve()",
		"package http\nfunc (m *ServeMux) ServeHTTP() { handler.ServeHTTP(rw, req) }\n": "no method",
		"package": "expected",
	} {
		_, err := interposeServer(source)
		assert.ErrorContains(t, err, want)
	}
}

func TestResultsAreReadOrSayWhyNot(t *testing.T) {
	_, err := readResults(strings.NewReader(`{"Action":"build-output","Output":"x.go:1: undefined: y\n"}` + "\n" + `{"Action":"build-fail"}` + "\n"))
	assert.ErrorContains(t, err, "undefined: y")
	_, err = readResults(strings.NewReader("no JSON\n"))
	assert.ErrorContains(t, err, "no JSON")
	r, err := readResults(strings.NewReader(`{"Action":"run","Package":"p","Test":"T"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n"))
	require.NoError(t, err)
	assert.Equal(t, results{"p": {outcome: "fail", pkg: "p"}, "p T": {pkg: "p", test: true}}, r, "where its package fails, a test that did not end has not passed")
}

func TestASuiteIsPickedByAPartOfItsModule(t *testing.T) {
	assert.Len(t, pick(nil), len(suites))
	assert.Len(t, pick([]string{"websocket", "coder"}), 2)
	assert.Empty(t, pick([]string{"nobody"}))
}
