package writer_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/rawhead"
	"github.com/cookiecharter/consent/internal/writer"
)

// A recorder is a Filter that takes the header X out, and counts.
type recorder struct{ heads, early, trailers int }

func (r *recorder) FilterHead(h http.Header, final bool) (trailer bool) {
	h.Del("X")
	if final {
		r.heads++
	} else {
		r.early++
	}
	return true
}
func (r *recorder) FilterTrailer(http.Header)                             { r.trailers++ }
func (r *recorder) FilterFields(_ int, f []rawhead.Field) []rawhead.Field { return f }

// A base is a writer that notes whether a head left unfiltered.
type base struct {
	header http.Header
	calls  []string
}

func (b *base) Header() http.Header { return b.header }
func (b *base) call(name string) {
	if b.header.Get("X") != "" {
		name += " with X"
	}
	b.calls = append(b.calls, name)
}
func (b *base) Write(p []byte) (int, error) { b.call("Write"); return len(p), nil }
func (b *base) WriteHeader(int)             { b.call("WriteHeader") }

type (
	flusher     struct{ *base }
	flushErrer  struct{ *base }
	hijacker    struct{ *base }
	readerFrom  struct{ *base }
	stringer    struct{ *base }
	pusher      struct{ *base }
	notifier    struct{ *base }
	readLimiter struct{ *base }
)

func (b flusher) Flush()               { b.call("Flush") }
func (b flushErrer) FlushError() error { b.call("FlushError"); return io.ErrClosedPipe }
func (b hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	b.calls = append(b.calls, "Hijack")
	return nil, nil, io.ErrClosedPipe
}
func (b readerFrom) ReadFrom(r io.Reader) (int64, error) {
	b.call("ReadFrom")
	return io.Copy(io.Discard, r)
}
func (b stringer) WriteString(s string) (int, error)  { b.call("WriteString"); return len(s), nil }
func (b pusher) Push(string, *http.PushOptions) error { b.calls = append(b.calls, "Push"); return nil }
func (b notifier) CloseNotify() <-chan bool           { b.calls = append(b.calls, "CloseNotify"); return nil }
func (b readLimiter) SetReadDeadline(time.Time) error {
	b.calls = append(b.calls, "SetReadDeadline")
	return nil
}

// abilities are the optional methods, each with a call through it.
var abilities = []struct {
	name string
	call func(http.ResponseWriter) bool // false where w has not the ability
}{
	{"Flush", func(w http.ResponseWriter) bool {
		f, ok := w.(http.Flusher)
		if ok {
			f.Flush()
		}
		return ok
	}},
	{"FlushError", func(w http.ResponseWriter) bool {
		f, ok := w.(interface{ FlushError() error })
		if ok {
			f.FlushError()
		}
		return ok
	}},
	{"Hijack", func(w http.ResponseWriter) bool {
		f, ok := w.(http.Hijacker)
		if ok {
			f.Hijack()
		}
		return ok
	}},
	{"ReadFrom", func(w http.ResponseWriter) bool {
		f, ok := w.(io.ReaderFrom)
		if ok {
			f.ReadFrom(strings.NewReader(strings.Repeat("x", 600)))
		}
		return ok
	}},
	{"WriteString", func(w http.ResponseWriter) bool {
		f, ok := w.(io.StringWriter)
		if ok {
			f.WriteString("x")
		}
		return ok
	}},
	{"Push", func(w http.ResponseWriter) bool {
		f, ok := w.(http.Pusher)
		if ok {
			f.Push("/", nil)
		}
		return ok
	}},
	{"CloseNotify", func(w http.ResponseWriter) bool {
		f, ok := w.(interface{ CloseNotify() <-chan bool })
		if ok {
			f.CloseNotify()
		}
		return ok
	}},
}

func TestNothingElseChangesInWhatAWriterCanDo(t *testing.T) {
	for has := range 1 << len(abilities) {
		for i, ability := range abilities {
			b := &base{header: http.Header{"X": {"leak"}}}
			filter := new(recorder)
			var guard writer.Writer
			w := writer.Wrap(&guard, combinations[has](b), filter)
			want := has&(1<<i) != 0
			require.Equal(t, want, ability.call(w), "%s on a writer of combination %07b", ability.name, has)
			if want {
				assert.Equal(t, ability.name, b.calls[len(b.calls)-1])
				for _, call := range b.calls {
					assert.NotContains(t, call, "with X")
				}
			}
		}
	}
}

func TestNothingLeaksOnTheWayOut(t *testing.T) {
	for name, send := range map[string]func(http.ResponseWriter){
		"WriteHeader":   func(w http.ResponseWriter) { w.WriteHeader(200) },
		"Write":         func(w http.ResponseWriter) { w.Write(nil) },
		"nothing":       func(http.ResponseWriter) {},
		"a switch":      func(w http.ResponseWriter) { w.WriteHeader(101) },
		"twice":         func(w http.ResponseWriter) { w.WriteHeader(200); w.WriteHeader(500) },
		"after a write": func(w http.ResponseWriter) { w.Write([]byte("x")); w.WriteHeader(200) },
	} {
		b, filter := &base{header: http.Header{"X": {"leak"}}}, new(recorder)
		var guard writer.Writer
		send(writer.Wrap(&guard, b, filter))
		writer.Finish(&guard)
		assert.Positive(t, filter.heads, name)
		assert.Equal(t, 1, filter.trailers, name)
		assert.Empty(t, b.header, name)
		for _, call := range b.calls {
			assert.NotContains(t, call, "with X", name)
		}
	}
	b, filter := &base{header: http.Header{"X": {"leak"}}}, new(recorder)
	var guard writer.Writer
	w := writer.Wrap(&guard, b, filter)
	w.WriteHeader(103)
	b.header.Set("X", "leak")
	w.WriteHeader(200)
	writer.Finish(&guard)
	assert.Equal(t, 1, filter.early)
	assert.Positive(t, filter.heads)
	assert.Equal(t, []string{"WriteHeader", "WriteHeader"}, b.calls)
}

// A writer whose own handler has returned is HTTP/2's, which panics.
type expired struct{ *base }

func (expired) Header() http.Header { panic("Header called after Handler finished") }

func TestNothingElseChangesForAHandlerThatOutlivesItsRequest(t *testing.T) {
	var guard writer.Writer
	writer.Wrap(&guard, expired{&base{}}, new(recorder))
	assert.NotPanics(t, func() { writer.Finish(&guard) })
}

// A reader that changes the header while it is read.
type late struct {
	w    http.ResponseWriter
	body io.Reader
}

func (l late) Read(p []byte) (int, error) {
	l.w.Header().Set("X", "leak")
	return l.body.Read(p)
}

func TestNothingLeaksFromABodyThatSetsHeaders(t *testing.T) {
	b := &base{header: http.Header{}}
	var guard writer.Writer
	w := writer.Wrap(&guard, readerFrom{b}, new(recorder))
	n, err := w.(io.ReaderFrom).ReadFrom(late{w, strings.NewReader("short")})
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)
	assert.Equal(t, []string{"ReadFrom"}, b.calls)
}

func TestNothingElseChangesForAnEmptyBody(t *testing.T) {
	b, filter := &base{header: http.Header{}}, new(recorder)
	var guard writer.Writer
	w := writer.Wrap(&guard, readerFrom{b}, filter)
	n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(""))
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Zero(t, filter.heads, "the handler may still choose a status")
}

// A wrapper is another middleware's writer, which has only Unwrap.
type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestNothingElseChangesBelowAWriterWithOnlyUnwrap(t *testing.T) {
	b, filter := &base{header: http.Header{"X": {"leak"}}}, new(recorder)
	var guard writer.Writer
	w := writer.Wrap(&guard, wrapper{readLimiter{b}}, filter)
	control := http.NewResponseController(w)
	assert.NoError(t, control.SetReadDeadline(time.Now()))
	assert.ErrorIs(t, control.SetWriteDeadline(time.Now()), http.ErrNotSupported)
	assert.ErrorIs(t, control.EnableFullDuplex(), http.ErrNotSupported)
	assert.ErrorIs(t, control.Flush(), http.ErrNotSupported)

	w = writer.Wrap(&guard, wrapper{flushErrer{b}}, filter)
	assert.ErrorIs(t, http.NewResponseController(w).Flush(), io.ErrClosedPipe)
	assert.Equal(t, []string{"SetReadDeadline", "FlushError"}, b.calls)
	assert.Equal(t, 1, filter.heads)
}

func TestNothingLeaksThroughUnwrap(t *testing.T) {
	b := &base{header: http.Header{"X": {"leak"}}}
	var guard writer.Writer
	var w http.ResponseWriter = writer.Wrap(&guard, wrapper{readLimiter{b}}, new(recorder))
	for w != nil {
		w.Header().Set("X", "leak")
		w.Write([]byte("x"))
		b.header.Del("X") // what a later step sets is another test's
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
		assert.NotEqual(t, http.ResponseWriter(b), w)
	}
	assert.NotContains(t, b.calls[0], "with X")
}

// A taken connection is what a Hijacker hands out.
type taken struct {
	*base
	conn net.Conn
	rw   *bufio.ReadWriter
}

func (h taken) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.conn, h.rw, nil }

func TestNothingIsLostOfWhatWasBufferedBeforeAHijack(t *testing.T) {
	server, client := net.Pipe()
	defer client.Close()
	received := make(chan string)
	go func() {
		all, _ := io.ReadAll(client)
		received <- string(all)
	}()
	rw := bufio.NewReadWriter(bufio.NewReader(server), bufio.NewWriter(server))
	rw.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
	var guard writer.Writer
	w := writer.Wrap(&guard, taken{&base{header: http.Header{}}, server, rw}, new(recorder))
	conn, rw, err := w.(http.Hijacker).Hijack()
	require.NoError(t, err)
	rw.WriteString("HTTP/1.1 200 OK\r\nA: b")
	require.NoError(t, rw.Flush())
	require.NoError(t, conn.Close())
	assert.Equal(t, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b", <-received, "an unfinished head leaves when the connection closes")
}

func TestNothingElseChangesInWhatAConnectionCanDo(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server, err := listener.Accept()
	require.NoError(t, err)
	rw := bufio.NewReadWriter(bufio.NewReader(server), bufio.NewWriter(server))
	var guard writer.Writer
	w := writer.Wrap(&guard, taken{&base{header: http.Header{}}, server, rw}, new(recorder))
	conn, _, err := w.(http.Hijacker).Hijack()
	require.NoError(t, err)
	_, ok := conn.(io.WriterTo)
	assert.True(t, ok)
	n, err := conn.(io.ReaderFrom).ReadFrom(strings.NewReader("HTTP/1.1 200 OK\r\n\r\nbody"))
	require.NoError(t, err)
	assert.EqualValues(t, 23, n)
	require.NoError(t, conn.(interface{ CloseWrite() error }).CloseWrite())
	all, err := io.ReadAll(client)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 200 OK\r\n\r\nbody", string(all))
	conn.Close()

	pipe, _ := net.Pipe()
	w = writer.Wrap(&guard, taken{&base{header: http.Header{}}, pipe, bufio.NewReadWriter(bufio.NewReader(pipe), bufio.NewWriter(pipe))}, new(recorder))
	conn, _, err = w.(http.Hijacker).Hijack()
	require.NoError(t, err)
	_, canRead := conn.(io.ReaderFrom)
	_, canClose := conn.(interface{ CloseWrite() error })
	assert.False(t, canRead || canClose, "a pipe has neither")
}

func TestWrapAllocatesNothing(t *testing.T) {
	filter := new(recorder)
	w := httptest.NewRecorder()
	var guard writer.Writer
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		guard = writer.Writer{}
		writer.Wrap(&guard, w, filter).WriteHeader(200)
		writer.Finish(&guard)
	}))
}

func TestTheAbilitiesAreThoseThatAreGenerated(t *testing.T) {
	directory := t.TempDir()
	out, err := exec.Command("go", "run", "generate.go", directory).CombinedOutput()
	require.NoError(t, err, string(out))
	for _, name := range []string{"abilities.go", "combinations_test.go"} {
		want, err := os.ReadFile(filepath.Join(directory, name))
		require.NoError(t, err)
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), name)
	}
}
