// Package rawhead edits the head of a response that a handler writes by itself
// to a hijacked connection, and touches nothing else that passes there.
package rawhead

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// An Edit gets the fields of a head, in order, and returns those to send. A field
// that it leaves as it is goes out byte for byte. The status is 0 if it cannot be
// read.
type Edit func(status int, fields []Field) []Field

// A Field is one field line of a head (RFC 9112 section 5), without the white
// space around name and value. A line without a colon has a Value alone.
type Field struct {
	Name, Value string
	raw         []byte // as it was written; nil for a field to be written anew
}

// ErrHeadTooLong is returned by [Writer.Write] for a head of more than 256 KiB.
// No field of such a head leaves.
var ErrHeadTooLong = errors.New("rawhead: the head of the response is longer than 256 KiB")

const maxHead = 256 << 10

// A Writer holds back the head of an HTTP/1 response until it is whole, and
// sends it edited. After an informational head it expects another one. It passes
// on as it comes what follows the final head, and what is no head at all.
//
// Clients are lenient, and so is the Writer when it decides what is a field:
// Chromium skips up to four bytes before "HTTP", ends a line at a CR or an LF
// alone, and trims white space around a name. Firefox skips anything after an
// informational head, and reads the "ICY" of Shoutcast as a protocol.
type Writer struct {
	dst     io.Writer
	edit    Edit
	upgrade bool   // the request asks for another protocol, so that a 101 ends HTTP
	behind  bool   // an informational head has passed: another one follows, whatever comes before it
	begun   []byte // what may be the beginning of a head, and has been passed on
	skipped int    // bytes before begun that were passed on too
	held    []byte // of a head, what follows begun
	inHead  bool   // a status line has begun
	scanned int    // bytes of held that no head ends in
	taken   int64  // bytes that dst has taken
	done    bool
	err     error
}

// NewWriter returns a Writer that sends to dst. If the request has not asked for an
// upgrade, a 101 is a head before the final one: Chromium then reads another.
func NewWriter(dst io.Writer, edit Edit, upgrade bool) *Writer {
	return &Writer{dst: dst, edit: edit, upgrade: upgrade}
}

// Done reports whether everything written from now on is passed on as it comes.
func (w *Writer) Done() bool { return w.done }

// Write takes all of p, or fails. The bytes that follow a head leave before it
// returns. If dst has taken nothing, as when a deadline has passed, p may be
// written again; after any other error every Write returns that error.
func (w *Writer) Write(p []byte) (int, error) {
	if w.done {
		return w.dst.Write(p)
	}
	if w.err != nil {
		return 0, w.err
	}
	before := *w
	w.held = append(w.held, p...)
	w.advance()
	if err := w.err; err != nil {
		if w.taken == before.taken && err != ErrHeadTooLong {
			*w = before
		} else {
			w.held = nil
		}
		return 0, err
	}
	return len(p), nil
}

// Flush sends what is held of an unfinished head, edited, since a client may
// read it as one when the connection closes. Everything after it is passed on.
func (w *Writer) Flush() error {
	if w.done || w.err != nil {
		return w.err
	}
	rest := w.held
	if w.inHead {
		rest, _ = w.edited(w.held)
	}
	w.finish(rest)
	return w.err
}

// advance sends all that can be decided about.
func (w *Writer) advance() {
	for !w.done && w.err == nil {
		if !w.inHead && !w.findStart() {
			return
		}
		blank, end, found := w.findEnd()
		switch {
		case found && end > maxHead, !found && len(w.held) > maxHead:
			w.err = ErrHeadTooLong
			return
		case !found:
			return
		}
		head, status := w.edited(w.held[:blank])
		head = append(head, w.held[blank:end]...)
		if w.isFinal(head, status) {
			w.finish(append(head, w.held[end:]...))
			return
		}
		w.send(head)
		w.held = w.held[end:]
		w.inHead, w.scanned, w.begun, w.skipped, w.behind = false, 0, nil, 0, true
	}
}

// isFinal reports whether no client reads another head after this one.
func (w *Writer) isFinal(head []byte, status int) bool {
	switch {
	case status == http.StatusSwitchingProtocols:
		return w.upgrade
	case w.behind && !strings.HasPrefix(strings.ToLower(string(w.begun)+string(head[:min(len(head), len(http1))])), http1):
		return false // Firefox looks for another version of HTTP
	default:
		return !Informational(status)
	}
}

// Informational reports whether another head follows one of this status: it is
// 1xx, but for 101, which ends HTTP on the connection (RFC 9110 section 15.2).
func Informational(status int) bool {
	return 100 <= status && status <= 199 && status != http.StatusSwitchingProtocols
}

// How many bytes may stand before a status line: four of any kind in Chromium
// (HttpUtil::LocateStartOfStatusLine), up to seven blanks in Firefox, which looks at
// eleven bytes (nsHttpTransaction::LocateHttpStart).
const (
	maxSlop   = 4
	maxBlanks = 7
)

// findStart looks for the beginning of a status line, and keeps what follows from
// there. Bytes that may still become one are passed on: no field stands in them, and
// what turns out to be no head must not have waited. It finishes when no status line
// can begin any more.
func (w *Writer) findStart() bool {
	seen := w.held // with what it may continue
	if len(w.begun) > 0 {
		seen = append(bytes.Clone(w.begun), w.held...)
	}
	start, possible := w.locate(seen)
	switch {
	case start >= 0:
		slop := max(0, start-len(w.begun))
		w.send(w.held[:slop])
		w.held, w.inHead = w.held[slop:], true
		w.begun = w.begun[min(start, len(w.begun)):] // of the status line
		return w.err == nil
	case !possible && !w.behind:
		w.finish(w.held)
		return false
	}
	w.send(w.held)
	if drop := len(seen) - len(http1) + 1; drop > maxBlanks+len(http1) {
		seen, w.skipped = seen[drop:], w.skipped+drop
	}
	w.begun, w.held = bytes.Clone(seen), w.held[:0]
	return false
}

// What a status line begins with, in any letter case.
const (
	http0 = "http" // to Chromium
	http1 = "http/1."
	icy   = "icy "
)

// locate returns where in seen a status line begins, -1 if it does not, and whether
// one may begin at the end of seen.
func (w *Writer) locate(seen []byte) (start int, possible bool) {
	blanks := w.skipped == 0 // all that stands before i
	for i := range len(seen) + 1 {
		var protocols []string
		switch at := w.skipped + i; {
		case blanks && at <= maxBlanks:
			protocols = []string{http0, icy}
		case at <= maxSlop:
			protocols = []string{http0}
		case w.behind:
			protocols = []string{http1}
		default:
			return -1, possible
		}
		for _, protocol := range protocols {
			n := min(len(seen)-i, len(protocol))
			if !strings.EqualFold(string(seen[i:i+n]), protocol[:n]) {
				continue
			}
			if n == len(protocol) {
				return i, true
			}
			possible = true
		}
		blanks = blanks && i < len(seen) && strings.IndexByte(" \t\r\n", seen[i]) >= 0
	}
	return -1, possible
}

// findEnd looks for the empty line that ends the head: held[blank:end].
func (w *Writer) findEnd() (blank, end int, found bool) {
	for i := w.scanned; i < len(w.held); i++ {
		if w.held[i] != '\n' {
			continue
		}
		switch rest := w.held[i+1:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return i + 1, i + 2, true
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return i + 1, i + 3, true
		}
	}
	w.scanned = max(0, len(w.held)-2)
	return 0, 0, false
}

func (w *Writer) send(p []byte) {
	if len(p) == 0 || w.err != nil {
		return
	}
	n, err := w.dst.Write(p)
	w.taken += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	w.err = err
}

func (w *Writer) finish(p []byte) {
	w.send(p)
	w.held, w.done = nil, w.err == nil
}

// edited returns the head, which does not include the empty line at its end,
// after the edit.
func (w *Writer) edited(head []byte) (edited []byte, status int) {
	statusLine, rest := cutLine(head)
	firstLine, _, _ := strings.Cut(string(head), "\n")
	status = statusOf(string(w.begun) + firstLine)
	edited = append(make([]byte, 0, len(head)), statusLine...)
	for _, field := range w.edit(status, parse(rest)) {
		if field.raw != nil {
			edited = append(edited, field.raw...)
			continue
		}
		if !bytes.HasSuffix(edited, []byte("\n")) { // the last line of an unfinished head
			edited = append(edited, "\r\n"...)
		}
		edited = append(edited, field.Name+": "+oneLine.Replace(field.Value)+"\r\n"...)
	}
	return edited, status
}

// oneLine keeps a value from ending the line that it stands in.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ")

// parse reads the lines that follow the status line.
func parse(lines []byte) []Field {
	var fields []Field
	var folds []string // what continues the last field; joined at once, since there may be many
	for len(lines) > 0 {
		var line []byte
		line, lines = cutLine(lines)
		content := string(bytes.TrimRight(line, "\r\n"))
		name, value, colon := strings.Cut(content, ":")
		name, value = trim(name), trim(value)
		if !colon {
			name, value = "", name
		}
		isCookie := strings.EqualFold(name, "Set-Cookie")
		folded := content != "" && (content[0] == ' ' || content[0] == '\t') && len(fields) > 0
		if !folded || isCookie {
			unfold(fields, folds)
			folds = nil
			if folded {
				line = nil // without its indent: a client that unfolds lines would join it to the line before
			}
			fields = append(fields, Field{name, value, line})
			continue
		}
		if more := trim(content); more != "" {
			folds = append(folds, more)
		}
		// A client that unfolds lines would read another cookie than one that does
		// not, so that this field goes out on one line (RFC 9112 section 5.2).
		if last := &fields[len(fields)-1]; strings.EqualFold(last.Name, "Set-Cookie") {
			last.raw = nil
		} else {
			last.raw = append(last.raw, line...)
		}
	}
	unfold(fields, folds)
	return fields
}

// unfold appends to the last field's value what continues it.
func unfold(fields []Field, folds []string) {
	if len(folds) > 0 {
		last := &fields[len(fields)-1]
		last.Value = trim(last.Value + " " + strings.Join(folds, " "))
	}
}

// cutLine cuts off the first line with all the CRs and LFs that end it.
func cutLine(b []byte) (line, rest []byte) {
	end := bytes.IndexAny(b, "\r\n")
	if end < 0 {
		return b, nil
	}
	for end < len(b) && (b[end] == '\r' || b[end] == '\n') {
		end++
	}
	return b[:end:end], b[end:]
}

// statusOf returns the status code in the first line of a head, up to its LF, 0 if it
// has none. As clients do, it reads the digits and not what follows them: "103x" is informational,
// so that another head comes. As Firefox does, it skips blanks before them, and a CR
// is one.
func statusOf(line string) int {
	_, rest, _ := strings.Cut(trim(line), " ")
	rest = strings.TrimLeft(rest, " \t\r\v\f")
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	status, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return status
}

func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}
