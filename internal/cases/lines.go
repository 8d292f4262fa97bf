package cases

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A Row is one row of the table in package setcookie of what browsers do with a Set-Cookie
// line.
type Row struct {
	Number            int    // in the file
	Written           string // the line's column, as it stands there
	Line              string
	Dates             []string // the response's own Date fields
	Chromium, Firefox Outcome
}

// An Outcome is what a browser does with a line.
type Outcome struct {
	Does string // "sends", "ignored" or "deleted"
	Sent string // the Cookie field, if it sends one
}

// String returns the outcome as the table writes it.
func (o Outcome) String() string {
	if o.Does == "sends" {
		return quote(o.Sent)
	}
	return o.Does
}

// ReadRows reads the table, testdata/lines.txt of package setcookie, whose first lines
// explain it.
func ReadRows(t testing.TB, path string) []Row {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var rows []Row
	scanner := bufio.NewScanner(file)
	for number := 1; scanner.Scan(); number++ {
		text := scanner.Text()
		if text == "" || text[0] == '#' {
			continue
		}
		r, err := readRow(text)
		if err != nil {
			t.Fatalf("%s:%d: %v", path, number, err)
		}
		r.Number = number
		rows = append(rows, r)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func readRow(text string) (r Row, err error) {
	rest := text
	if r.Line, rest, err = unquote(rest); err != nil {
		return Row{}, err
	}
	for {
		after, dated := strings.CutPrefix(strings.TrimLeft(rest, " "), "dated ")
		if !dated {
			break
		}
		var date string
		if date, rest, err = unquote(after); err != nil {
			return Row{}, err
		}
		r.Dates = append(r.Dates, date)
	}
	r.Written = strings.TrimSpace(text[:len(text)-len(rest)])
	for column, to := range map[string]*Outcome{"->": &r.Chromium, "|": &r.Firefox} {
		_, after, found := strings.Cut(rest, "  "+column+"  ")
		if !found {
			return Row{}, fmt.Errorf("no column after %q", column)
		}
		switch word, _, _ := strings.Cut(after, " "); word {
		case "ignored", "deleted":
			to.Does = word
		default:
			to.Does = "sends"
			if to.Sent, _, err = unquote(after); err != nil {
				return Row{}, err
			}
		}
	}
	return r, nil
}

// unquote reads Go's quoted strings from the beginning of s, each of which may
// have a count after it.
func unquote(s string) (text, rest string, err error) {
	for s = strings.TrimLeft(s, " "); strings.HasPrefix(s, `"`); s = strings.TrimLeft(s, " ") {
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", "", fmt.Errorf("%s: %w", s, err)
		}
		piece, err := strconv.Unquote(quoted)
		if err != nil {
			return "", "", fmt.Errorf("%s: %w", quoted, err)
		}
		s = s[len(quoted):]
		times := 1
		if after, ok := strings.CutPrefix(s, "*"); ok {
			digits := after[:len(after)-len(strings.TrimLeft(after, "0123456789"))]
			if times, err = strconv.Atoi(digits); err != nil {
				return "", "", fmt.Errorf("%s: %w", s, err)
			}
			s = after[len(digits):]
		}
		text += strings.Repeat(piece, times)
		if !strings.HasPrefix(s, " \"") {
			return text, s, nil
		}
	}
	return "", "", fmt.Errorf("no quoted string at %q", s)
}

// quote writes what unquote reads.
func quote(s string) string {
	var pieces []string
	for s != "" || pieces == nil {
		run := len(s) - len(strings.TrimLeft(s, s[:min(1, len(s))]))
		if run > 20 {
			pieces = append(pieces, fmt.Sprintf("%s*%d", ascii(s[:1]), run))
			s = s[run:]
			continue
		}
		end := len(s)
		for i := range len(s) - min(20, len(s)) {
			if strings.Count(s[i:i+21], s[i:i+1]) == 21 {
				end = i
				break
			}
		}
		pieces = append(pieces, ascii(s[:end]))
		s = s[end:]
	}
	return strings.Join(pieces, " ")
}

// ascii quotes bytes above 0x7F as such, whether or not they are UTF-8.
func ascii(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= 0x80 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			quoted := strconv.QuoteToASCII(s[i : i+1])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return `"` + b.String() + `"`
}
