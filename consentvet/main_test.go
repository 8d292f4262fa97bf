package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vet runs the command in a directory, as a module of its own.
func vet(t *testing.T, dir string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Setenv("GOWORK", "off")
	dir, err := filepath.Abs(dir)
	require.NoError(t, err)
	var out, log bytes.Buffer
	status = run(dir, args, &out, &log)
	return status, out.String(), log.String()
}

var want = regexp.MustCompile("`([^`]*)`")

// wanted returns the findings that a package's files want, by file and line: they are
// in back quotes after "// want".
func wanted(t *testing.T, dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var lines []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, line := range strings.Split(string(source), "\n") {
			_, comment, _ := strings.Cut(line, "// want ")
			for _, message := range want.FindAllStringSubmatch(comment, -1) {
				lines = append(lines, fmt.Sprintf("%s:%d: %s", filepath.Base(file), i+1, message[1]))
			}
		}
	}
	return lines
}

var column = regexp.MustCompile(`(?m)^(\S+\.go:\d+):\d+: `)

// agrees compares the findings for a package with those that its files want.
func agrees(t *testing.T, name string) {
	t.Helper()
	dir := filepath.Join("testdata", name)
	status, stdout, stderr := vet(t, dir, ".")
	got := strings.Split(strings.TrimSpace(column.ReplaceAllString(stdout, "$1: ")), "\n")
	assert.Equal(t, found, status, stderr)
	expected := wanted(t, dir)
	slices.Sort(expected)
	slices.Sort(got)
	assert.Equal(t, strings.Join(expected, "\n"), strings.Join(got, "\n"))
}

func TestACookieOfNetHTTPHasToBeDeclared(t *testing.T)                { agrees(t, "cookies") }
func TestACookieInAHeaderFieldHasToBeDeclared(t *testing.T)           { agrees(t, "headers") }
func TestASessionOfGorillaHasToBeDeclared(t *testing.T)               { agrees(t, "gorilla") }
func TestASessionManagerHasToBeDeclared(t *testing.T)                 { agrees(t, "manager") }
func TestATokenOfGorillaHasToBeDeclared(t *testing.T)                 { agrees(t, "protect") }
func TestATokenOfNosurfHasToBeDeclared(t *testing.T)                  { agrees(t, "surf") }
func TestACookieOfGinHasToBeDeclared(t *testing.T)                    { agrees(t, "gin") }
func TestACookieOfEchoHasToBeDeclared(t *testing.T)                   { agrees(t, "echo") }
func TestAFrameworksOwnNameCountsUnlessASiteGivesOne(t *testing.T)    { agrees(t, "echoed") }
func TestACookieOfFiberHasToBeDeclared(t *testing.T)                  { agrees(t, "fiber") }
func TestACookieOfMacaronHasToBeDeclared(t *testing.T)                { agrees(t, "macaron") }
func TestACookieOfBeegoHasToBeDeclared(t *testing.T)                  { agrees(t, "beego") }
func TestACookieThatADependencyMakesHasToBeDeclared(t *testing.T)     { agrees(t, "hooked") }
func TestADeclarationThatCodeMayNeedIsNotCalledUnset(t *testing.T)    { agrees(t, "mentioned") }
func TestADeclarationHasToBeSet(t *testing.T)                         { agrees(t, "declarations") }
func TestADeclarationOfAnotherKindIsNotThatOfACookie(t *testing.T)    { agrees(t, "kinds") }
func TestADeclarationMustNotSayTODOToVisitors(t *testing.T)           { agrees(t, "drafts") }
func TestTheMostSpecificPatternCounts(t *testing.T)                   { agrees(t, "patterns") }
func TestADeclarationThatCannotBeReadIsSaidToBe(t *testing.T)         { agrees(t, "unread") }
func TestADeclarationReadInPartMayCoverWhatFitsThatPart(t *testing.T) { agrees(t, "partial") }

func TestASiteThatDeclaresWhatItSetsIsClean(t *testing.T) {
	status, stdout, stderr := vet(t, "testdata", "./clean")
	assert.Equal(t, clean, status)
	assert.Empty(t, stdout)
	assert.Equal(t, "consentvet: cookies: 6 declared, 5 set\n", stderr)
}

func TestASiteOfWhichNothingIsRecognisedIsNotCalledClean(t *testing.T) {
	status, stdout, stderr := vet(t, "testdata", "./nothing")
	assert.Equal(t, nothing, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "consentvet: nothing was recognised in these packages")

	status, stdout, stderr = vet(t, "testdata", "./elsewhere")
	assert.Equal(t, clean, status, "everything is marked")
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "consentvet: these packages set no cookie in a way that this command knows")
}

func TestAPackageBringsThoseOfItsModuleThatItReaches(t *testing.T) {
	status, stdout, stderr := vet(t, "testdata", "./program/cmd")
	assert.Equal(t, found, status, stderr)
	assert.Equal(t, "program/inner/inner.go:7:39: cookie \"inner\" is set by http.SetCookie but not declared\n", stdout)
}

func TestTheExitStatusTellsFindingsFromSourceThatDoesNotCompile(t *testing.T) {
	assert.Equal(t, []int{0, 1, 2, 3}, []int{clean, found, broken, nothing})
}

func TestFindingsStandByFileLineAndColumnInWhicheverOrderPackagesAreNamed(t *testing.T) {
	const findings = `manager/manager.go:13:12: cookie "session" is set by alexedwards/scs but not declared
manager/manager.go:21:15: cookie "named" is set by alexedwards/scs but not declared
manager/manager.go:23:9: cookie "whole" is set by alexedwards/scs but not declared
manager/manager.go:35:11: cookie "configured" is set by alexedwards/scs but not declared
partial/partial.go:12:23: the name of this declaration, "app_*", is not constant and cannot be checked
partial/partial.go:16:39: cookie "app_1" is set by http.SetCookie but no declaration whose name is constant covers it
partial/partial.go:17:39: cookie "app" is set by http.SetCookie but not declared
partial/partial.go:18:39: cookie "app_*" is set by http.SetCookie but no declaration whose name is constant covers it
partial/partial.go:19:39: cookie "site_*" is set by http.SetCookie but not declared
`
	_, stdout, _ := vet(t, "testdata", "./manager", "./partial")
	assert.Equal(t, findings, stdout)
	_, stdout, _ = vet(t, "testdata", "./partial", "./manager")
	assert.Equal(t, findings, stdout)
}

func TestSourceThatDoesNotCompileIsNamed(t *testing.T) {
	write := func(files map[string]string) (dir string) {
		dir = t.TempDir()
		for name, source := range files {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600))
		}
		return dir
	}
	const module = "module example.com/site\n\ngo 1.26.0\n"
	for name, test := range map[string]struct {
		dir, packages, want string
	}{
		"a type": {"testdata", "./broken", "broken/broken.go:6:53: undefined: cookie\n"},
		"a syntax": {
			write(map[string]string{"go.mod": module, "site.go": "package site\n\nfunc {\n"}),
			"./...", "site.go:3:6: expected 'IDENT', found '{'\n",
		},
		"a package that is imported": {
			write(map[string]string{
				"go.mod": module, "site.go": "package site\n\nimport _ \"example.com/site/inner\"\n",
				"inner/inner.go": "package inner\n\nvar x int = \"\"\n",
			}),
			".", "inner/inner.go:3:13: cannot use \"\" (untyped string constant) as int value in variable declaration\n",
		},
		"an import": {
			write(map[string]string{"go.mod": module, "site.go": "package site\n\nimport _ \"example.com/site/none\"\n"}),
			"./...", "site.go:3:10: could not import example.com/site/none",
		},
		"no package": {"testdata", "./none", "./none: "},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := vet(t, test.dir, test.packages)
			assert.Equal(t, broken, status)
			assert.Empty(t, stdout)
			assert.True(t, strings.HasPrefix(stderr, "consentvet: "+test.want), stderr)
			assert.NotContains(t, stderr, "# ", "the compiler's own words")
		})
	}
}

func TestThePackagesHaveToBeNamed(t *testing.T) {
	for _, test := range []struct {
		args []string
		want int
	}{{nil, broken}, {[]string{"-x", "."}, broken}, {[]string{"-h"}, clean}} {
		status, stdout, stderr := vet(t, "testdata", test.args...)
		assert.Equal(t, test.want, status)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, "usage: consentvet packages")
	}
}

// The portal shows its visitors what becomes of a cookie that nobody declared.
func TestTheExamplesDeclareAllButTheOneThatTheyWantRemoved(t *testing.T) {
	const finding = `opendata/portal\.go:\d+:\d+: cookie "gadget" is set by http\.SetCookie but not declared\n`
	status, stdout, stderr := vet(t, "../examples", "./quickstart", "./opendata")
	assert.Equal(t, found, status, stderr)
	assert.Regexp(t, "^"+finding+"$", stdout)

	guide, err := os.ReadFile("../docs/adopting.md")
	require.NoError(t, err)
	assert.Regexp(t, "\n    examples/"+finding, string(guide))
}
