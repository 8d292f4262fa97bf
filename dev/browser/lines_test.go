package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cookiecharter/consent/internal/browsertest"
	"github.com/cookiecharter/consent/internal/cases"
)

// The table of package setcookie is only worth what browsers make of it: these tests take
// every row to them. The browser opens a page that walks through the rows: for each it has
// the line set by a host of its own, and asks that host for what it was sent. The hosts are
// of one site with the page, so that none of their cookies is a third party's.

const table = "../../internal/setcookie/testdata/lines.txt"

func TestTheTableSaysWhatChromiumDoes(t *testing.T) {
	t.Parallel()
	walkTable(t, browsertest.Chromium).compare(t, "Chromium", func(r cases.Row) cases.Outcome { return r.Chromium })
}

func TestTheTableSaysWhatFirefoxDoes(t *testing.T) {
	t.Parallel()
	walkTable(t, browsertest.Firefox).compare(t, "Firefox", func(r cases.Row) cases.Outcome { return r.Firefox })
}

// A tableWalk serves the pages that lead a browser through the rows, and keeps
// what it sent.
type tableWalk struct {
	walk
	rows []cases.Row

	mu   sync.Mutex
	sent map[string]string // by step and row, as the URL says: "/see?12"
	last string
}

func walkTable(t *testing.T, open func(t *testing.T, url string)) *tableWalk {
	w := &tableWalk{walk: newWalk(), rows: cases.ReadRows(t, table), sent: make(map[string]string)}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	open(t, "http://rows.localhost:"+port)
	if !w.ends() {
		w.mu.Lock()
		defer w.mu.Unlock()
		t.Fatalf("the browser does not go on through the table; its last request was %q", w.last)
	}
	return w
}

// tablePage walks through the rows, several at a time. Each line is set on two
// hosts: one that is fresh, and one that has a cookie of that name. A request
// that fails is one without an answer.
const tablePage = `<!doctype html><script>
let next = 0;
const walk = async () => {
  for (let n; (n = next++) < %d;) {
    const get = async (host, step) => {
      const url = "http://" + host + n + ".rows.localhost:" + location.port + "/" + step + "?" + n;
      try { await fetch(url, {mode: "no-cors", credentials: "include", cache: "no-store"}) } catch {}
    };
    for (const step of ["set", "see"]) await get("fresh", step);
    for (const step of ["plant", "see-planted", "set", "see-after"]) await get("planted", step);
  }
};
Promise.all(Array.from({length: 32}, walk)).then(() => fetch("/done"));
</script>`

func (w *tableWalk) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.note()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = r.Host + r.URL.String()
	switch r.URL.Path {
	case "/":
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(rw, tablePage, len(w.rows))
		return
	case "/done":
		close(w.done)
		return
	}
	n, err := strconv.Atoi(r.URL.RawQuery)
	if err != nil || n >= len(w.rows) {
		http.NotFound(rw, r)
		return
	}
	switch r.URL.Path {
	case "/plant":
		for _, line := range plantsFor(w.rows[n].Line) {
			rw.Header().Add("Set-Cookie", line)
		}
	case "/set":
		sendRaw(rw, w.rows[n])
	default:
		w.sent[r.URL.String()] = strings.Join(r.Header["Cookie"], "; ")
	}
}

// sendRaw sends a row's line byte for byte, which net/http would clean, and no
// Date but the row's.
func sendRaw(rw http.ResponseWriter, r cases.Row) {
	conn, _, err := rw.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n")
	for _, date := range r.Dates {
		fmt.Fprintf(conn, "Date: %s\r\n", date)
	}
	fmt.Fprintf(conn, "Set-Cookie: %s\r\n\r\n", r.Line)
}

// plantsFor returns the lines that set a cookie which the given one may delete.
func plantsFor(line string) []string {
	pair, _, _ := strings.Cut(line, ";")
	name, _, named := strings.Cut(pair, "=")
	name = strings.Trim(name, " \t")
	attributes := ""
	if strings.HasPrefix(strings.ToLower(name), "__") {
		attributes = "; Secure; Path=/; HttpOnly"
	} else {
		attributes = "; Path=/"
	}
	lines := []string{name + "=planted" + attributes}
	if !named || name == "" {
		lines = append(lines, "=planted"+attributes)
	}
	return lines
}

func (w *tableWalk) compare(t *testing.T, browser string, expected func(cases.Row) cases.Outcome) {
	for i, r := range w.rows {
		sent := func(step string) string { return w.sent[step+"?"+strconv.Itoa(i)] }
		for _, step := range []string{"/see", "/see-planted", "/see-after"} {
			if _, asked := w.sent[step+"?"+strconv.Itoa(i)]; !asked {
				t.Errorf("lines.txt:%d: %s never asked for %s", r.Number, browser, step)
			}
		}
		got := cases.Outcome{Does: "ignored"}
		switch {
		case sent("/see") != "":
			got = cases.Outcome{Does: "sends", Sent: sent("/see")}
		case sent("/see-after") != sent("/see-planted"):
			got.Does = "deleted"
		}
		if got != expected(r) {
			t.Errorf("lines.txt:%d: %s: %s does %s, not %s", r.Number, r.Written, browser, got, expected(r))
		}
	}
}
