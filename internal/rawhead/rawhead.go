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
// alone, and trims white space around a name.
type Writer struct {
	dst     io.Writer
	edit    Edit
	begun   []byte // what may be the beginning of a head, and has been passed on
	held    []byte // of a head, what follows begun
	inHead  bool   // a status line has begun
	scanned int    // bytes of held that no head ends in
	taken   int64  // bytes that dst has taken
	done    bool
	err     error
}

// NewWriter returns a Writer that sends to dst.
func NewWriter(dst io.Writer, edit Edit) *Writer {
	return &Writer{dst: dst, edit: edit}
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
		if !Informational(status) {
			w.finish(append(head, w.held[end:]...))
			return
		}
		w.send(head)
		w.held = w.held[end:]
		w.inHead, w.scanned, w.begun = false, 0, nil
	}
}

// Informational reports whether another head follows one of this status: it is
// 1xx, but for 101, which ends HTTP on the connection (RFC 9110 section 15.2).
func Informational(status int) bool {
	return 100 <= status && status <= 199 && status != http.StatusSwitchingProtocols
}

// protocol is what a status line begins with, in any letter case.
const protocol = "http"

// maxSlop is how many bytes Chromium skips before the status line.
const maxSlop = 4

// findStart looks for the beginning of a status line, and keeps what follows from
// there. Bytes that may still become one are passed on: no field stands in them, and
// what turns out to be no head must not have waited. It finishes when no status line
// can begin any more.
func (w *Writer) findStart() bool {
	seen := append(bytes.Clone(w.begun), w.held[:min(len(w.held), maxSlop+len(protocol))]...)
	possible := false
	for i := 0; i <= maxSlop && i <= len(seen); i++ {
		start := seen[i:min(i+len(protocol), len(seen))]
		if !strings.EqualFold(string(start), protocol[:len(start)]) {
			continue
		}
		if len(start) == len(protocol) {
			slop := max(0, i-len(w.begun))
			w.send(w.held[:slop])
			w.held, w.inHead = w.held[slop:], true
			return w.err == nil
		}
		possible = true
	}
	if !possible {
		w.finish(w.held)
		return false
	}
	w.send(w.held)
	w.begun, w.held = seen, w.held[:0]
	return false
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
	status = statusOf(statusLine)
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

// statusOf returns the status code of a status line, 0 if it has none. As clients
// do, it reads the digits and not what follows them: "103x" is informational, so
// that another head comes.
func statusOf(line []byte) int {
	_, rest, _ := strings.Cut(trim(string(line)), " ")
	rest = strings.TrimLeft(rest, " \t") // as Firefox does
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
