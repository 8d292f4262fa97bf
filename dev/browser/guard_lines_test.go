package browser

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/cases"
)

// readLines returns the lines of package setcookie's table that a script can set, and some
// that only a script can.
func readLines(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, r := range cases.ReadRows(t, table) {
		if utf8.ValidString(r.Line) && r.Dates == nil {
			lines = append(lines, r.Line)
		}
	}
	require.Greater(t, len(lines), 500)
	return append(lines, "a\n=b", "\na=b", "a=b\n", "a=b\nc=d", "a=b\r\n; Max-Age=0", "\x00a=b", "a=b;\nPath=/", "a=b\x00; Max-Age=0", "a=b; Max-Age=1000\x00", "\u00a0a=b", "\ufeffa=b", "a=b; Max-Age=0; Max-Age=1000", "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=1000")
}

// setLines sets each line in a browser that has no cookie, and in one that has a cookie of
// this name, and returns what document.cookie then says. A page may plant what the guard
// holds back by its server alone.
const setLines = `
const others = () => document.cookie.split("; ").filter(pair => !pair.startsWith("cookies_preferences=")).join("; ");
const emptied = () => {
	for (let i = 0; others() && i < 3; i++) for (const pair of others().split("; ")) for (const line of [pair.split("=")[0] + "=", "=" + pair, pair]) for (const attributes of ["", "; Secure", "; Secure; Partitioned"]) document.cookie = line + "; Max-Age=0; Path=/" + attributes;
};
const results = [];
for (const line of lines) {
	emptied();
	document.cookie = line;
	const fresh = others();
	emptied();
	const name = line.split(";")[0].split("=")[0].trim();
	let planted = "", after = "";
	if (/^[\w.]+$/.test(name) && name !== "cookies_preferences" && /max-age|expires/i.test(line)) {
		await fetch("/plant?" + name);
		planted = others();
		document.cookie = line;
		after = others();
	}
	results.push([fresh, planted, after]);
}
emptied();
return results;
`

// usualEnd matches what says when a cookie ends in the forms that scripts write: whole
// seconds, and dates such as those of toUTCString. Of others the guard may think otherwise
// than a browser; it stores nothing all the same.
var usualEnd = regexp.MustCompile(`(?i)^[^;]*(; ?(path=/|secure|httponly|samesite=\w+|max-age=-?\d{1,20}|expires=\w{3}, (0?[1-9]|1\d|2[0-8])[ -]\w{3}[ -]\d{4} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d (GMT|UTC)))*;?$`)

func TestTheGuardReadsLinesAsBrowsersDo(t *testing.T) {
	t.Parallel()
	lines := readLines(t)
	quoted, err := json.Marshal(lines)
	require.NoError(t, err)
	script := "const lines = " + strings.ReplaceAll(string(quoted), "/", `\/`) + ";" + setLines
	declared := []consent.Cookie{{Name: "a", Provider: "Vimeo", Category: consent.ThirdParty}, {Name: "_ga", Provider: "Vimeo", Category: consent.ThirdParty}, {Name: "a*", Provider: "Valombre", Category: consent.Necessary}}
	for i := range declared {
		declared[i].Purpose = english("Is set by a script.")
	}
	anything := consent.Cookie{Name: "*", Provider: "Vimeo", Category: consent.ThirdParty, Purpose: english("Is anything.")}
	for name, open := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newGuardedSite(t, declared,
				step{script: script},
				step{guard: charter.GuardDeclared, script: script},
				step{guard: charter.GuardAll, script: script},
			)
			s.plants()
			told := s.walk(t, open)
			free, known, none := decoded[[][3]string](t, told[0]), decoded[[][3]string](t, told[1]), decoded[[][3]string](t, told[2])

			s = newGuardedSite(t, []consent.Cookie{anything}, step{script: `await decide({choice: "accept"})`}, step{guard: charter.GuardAll, script: script})
			s.plants()
			told = s.walk(t, open)
			require.Equal(t, "", string(told[0]))
			all := decoded[[][3]string](t, told[1])
			stored, deleted, kept := 0, 0, 0
			is := func(want, got, when, line string) {
				if want != got {
					t.Errorf("%q: %s: %q, not %q", line, when, got, want)
				}
			}
			for i, line := range lines {
				before, planted, after := free[i][0], free[i][1], free[i][2]
				is(strings.Join(free[i][:], "; "), strings.Join(all[i][:], "; "), "everything is allowed", line)
				if before != "" {
					stored++
				}
				for guard, got := range [][3]string{known[i], none[i]} {
					name, _, _ := strings.Cut(before, "=")
					isNamed := strings.Contains(strings.Split(line, ";")[0], "=") // nobody can declare what has no name
					isHeld := name == "a" || name == "_ga" || guard == 1 && !(isNamed && strings.HasPrefix(name, "a"))
					if !isHeld {
						is(before, got[0], "not declared", line)
						continue
					}
					is("", got[0], "nothing is stored", line)
					if planted == "" {
						continue
					}
					if got[2] != "" { // else it is gone, as it may: its name is not allowed
						is(planted, got[2], "what was there stays as it was", line)
					}
					switch usual := usualEnd.MatchString(line); {
					case usual && after == "":
						deleted++
						is("", got[2], "a deletion passes", line)
					case usual:
						kept++
						is(planted, got[2], "no deletion", line)
					}
				}
			}
			require.Greater(t, min(stored, deleted, kept), 20)
		})
	}
}

// plants has the server set cookies that the guard does not see.
func (s *guardedSite) plants() {
	s.mux.HandleFunc("/plant", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", r.URL.RawQuery+"=planted; Path=/")
	})
}
