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
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/preference"
	"github.com/cookiecharter/consent/internal/visitor"
	"github.com/cookiecharter/consent/internal/writer"
)

// A guard is a Writer with a filter that lets nothing undeclared pass, and counts
// what it removes.
type guard struct {
	writer.Writer
	filter   filter.Filter
	kinds    writer.Kinds
	removed  int // lines of a head
	trailers int // fields of a trailer
}

// wrap returns what a handler gets in place of to.
func (g *guard) wrap(to http.ResponseWriter) http.ResponseWriter {
	*g = guard{}
	r := httptest.NewRequest("GET", "/", nil)
	cookie := preference.New(http.Cookie{Name: "cookies_preferences", MaxAge: 60}, "", [][]byte{make([]byte, 32)})
	g.filter.Visitor.Init(visitor.NewSite(new(policy.Policy), cookie, 0, func(visitor.Law, string) policy.Answer { return policy.Open }), "", visitor.Law{}, nil)
	g.filter.Init(&filter.Config{Observe: func(_ *http.Request, e filter.Event) {
		if e.Reason == filter.InTrailer {
			g.trailers++
		} else {
			g.removed++
		}
	}}, r, r, nil)
	return writer.Wrap(&g.Writer, to, &g.filter, &g.kinds)
}

// leak returns a header with a line that has to be removed.
func leak() http.Header { return http.Header{"Set-Cookie": {"leak=1"}} }

// A base is a writer that notes whether a head left unfiltered.
type base struct {
	header http.Header
	calls  []string
}

func (b *base) Header() http.Header { return b.header }
func (b *base) call(name string) {
	if b.header.Get("Set-Cookie") != "" {
		name += " with a leak"
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
			b := &base{header: leak()}
			w := new(guard).wrap(combinations[has](b))
			want := has&(1<<i) != 0
			require.Equal(t, want, ability.call(w), "%s on a writer of combination %07b", ability.name, has)
			if want {
				assert.Equal(t, ability.name, b.calls[len(b.calls)-1])
				for _, call := range b.calls {
					assert.NotContains(t, call, "with a leak")
				}
			}
		}
	}
}

func TestNothingElseChangesInWhatAWriterCanDoIfItsTypeWasMetBefore(t *testing.T) {
	writers := []http.ResponseWriter{httptest.NewRecorder(), new(guard).wrap(httptest.NewRecorder()), new(guard).wrap(new(base))}
	for _, combination := range combinations {
		writers = append(writers, combination(&base{header: http.Header{}}))
	}
	var kinds writer.Kinds
	for range 2 {
		for _, to := range writers {
			fresh, g := new(guard).wrap(to), new(guard)
			g.wrap(to)
			again := writer.Wrap(&g.Writer, to, &g.filter, &kinds)
			require.IsType(t, fresh, again, "over %T", to)
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
		b, g := &base{header: leak()}, new(guard)
		b.header.Set(http.TrailerPrefix+"Set-Cookie", "leak=1")
		send(g.wrap(b))
		writer.Finish(&g.Writer)
		assert.Equal(t, 1, g.removed, name)
		assert.Equal(t, 1, g.trailers, name)
		assert.Equal(t, http.Header{"Cache-Control": {"private"}}, b.header, name)
		for _, call := range b.calls {
			assert.NotContains(t, call, "with a leak", name)
		}
	}
	b, g := &base{header: leak()}, new(guard)
	w := g.wrap(b)
	w.WriteHeader(103)
	assert.Equal(t, leak(), b.header, "what may not pass now may pass later")
	w.WriteHeader(200)
	writer.Finish(&g.Writer)
	assert.Equal(t, 2, g.removed)
	assert.Equal(t, []string{"WriteHeader", "WriteHeader"}, b.calls)
}

// A writer whose own handler has returned is HTTP/2's, which panics.
type expired struct{ *base }

func (expired) Header() http.Header { panic("Header called after Handler finished") }

func TestNothingElseChangesForAHandlerThatOutlivesItsRequest(t *testing.T) {
	g := new(guard)
	g.wrap(expired{&base{}})
	assert.NotPanics(t, func() { writer.Finish(&g.Writer) })
}

// A reader that changes the header while it is read.
type late struct {
	w    http.ResponseWriter
	body io.Reader
}

func (l late) Read(p []byte) (int, error) {
	l.w.Header().Set("Set-Cookie", "leak=1")
	return l.body.Read(p)
}

func TestNothingLeaksFromABodyThatSetsHeaders(t *testing.T) {
	b := &base{header: http.Header{}}
	g := new(guard)
	w := g.wrap(readerFrom{b})
	n, err := w.(io.ReaderFrom).ReadFrom(late{w, strings.NewReader("short")})
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)
	assert.Equal(t, []string{"ReadFrom"}, b.calls)
	assert.Positive(t, g.removed)
}

// A patient writer sends the head when it has read a part of the body.
type patient struct {
	*base
	read []io.Reader
}

func (p *patient) ReadFrom(r io.Reader) (int64, error) {
	p.read = append(p.read, r)
	n, err := io.Copy(io.Discard, r)
	p.call("ReadFrom")
	return n, err
}

func TestNothingLeaksFromABodyThatSetsHeadersWhileItIsRead(t *testing.T) {
	for _, length := range []int{1, 2, 511, 512, 513, 1024, 5000} {
		for name, piecewise := range map[string]func(io.Reader) io.Reader{"at once": iotest.DataErrReader, "byte by byte": iotest.OneByteReader} {
			p := &patient{base: &base{header: http.Header{}}}
			w := new(guard).wrap(p)
			n, err := w.(io.ReaderFrom).ReadFrom(late{w, piecewise(strings.NewReader(strings.Repeat("x", length)))})
			require.NoError(t, err)
			assert.EqualValues(t, length, n)
			for _, call := range p.calls {
				assert.Equal(t, "ReadFrom", call, "%d bytes, %s", length, name)
			}
		}
	}
}

func TestNothingElseChangesInWhoReadsABodyBehindAHead(t *testing.T) {
	file, err := os.Open("writer_test.go")
	require.NoError(t, err)
	defer file.Close()
	p := &patient{base: &base{header: http.Header{}}}
	w := new(guard).wrap(p)
	w.WriteHeader(200)
	part := io.LimitReader(file, 10)
	for _, src := range []io.Reader{part, file} {
		_, err = w.(io.ReaderFrom).ReadFrom(src)
		require.NoError(t, err)
	}
	assert.Equal(t, []io.Reader{part, file}, p.read, "the server sends a file, or a part of it, without a copy")
}

// A source that goes on after an error is not asked to.
type broken struct{ reads int }

func (b *broken) Read(p []byte) (int, error) {
	b.reads++
	return copy(p, "abc"), io.ErrUnexpectedEOF
}

func TestNothingElseChangesForABodyThatBreaks(t *testing.T) {
	p, src := &patient{base: &base{header: http.Header{}}}, &broken{}
	n, err := new(guard).wrap(p).(io.ReaderFrom).ReadFrom(src)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.EqualValues(t, 3, n)
	assert.Equal(t, 1, src.reads)
}

func TestNothingElseChangesForAnEmptyBody(t *testing.T) {
	b, g := &base{header: http.Header{}}, new(guard)
	w := g.wrap(readerFrom{b})
	n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(""))
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Empty(t, b.calls)
	assert.False(t, g.filter.Visitor.HeadSent(), "the handler may still choose a status")
}

// A wrapper is another middleware's writer, which has only Unwrap.
type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestNothingElseChangesBelowAWriterWithOnlyUnwrap(t *testing.T) {
	b, g := &base{header: leak()}, new(guard)
	w := g.wrap(wrapper{readLimiter{b}})
	control := http.NewResponseController(w)
	assert.NoError(t, control.SetReadDeadline(time.Now()))
	assert.ErrorIs(t, control.SetWriteDeadline(time.Now()), http.ErrNotSupported)
	assert.ErrorIs(t, control.EnableFullDuplex(), http.ErrNotSupported)
	assert.ErrorIs(t, control.Flush(), http.ErrNotSupported)

	w = g.wrap(wrapper{flushErrer{b}})
	assert.ErrorIs(t, http.NewResponseController(w).Flush(), io.ErrClosedPipe)
	assert.Equal(t, []string{"SetReadDeadline", "FlushError"}, b.calls)
	assert.Equal(t, 1, g.removed)
}

func (b readLimiter) said(what string) error {
	b.calls = append(b.calls, what)
	return io.ErrNoProgress
}

type (
	writeLimiter struct{ readLimiter }
	duplexer     struct{ readLimiter }
)

func (b writeLimiter) SetWriteDeadline(time.Time) error { return b.said("SetWriteDeadline") }
func (b duplexer) EnableFullDuplex() error              { return b.said("EnableFullDuplex") }

// Each ability is there by itself, with the answer of the writer below.
func TestNothingElseChangesInWhatAControllerFinds(t *testing.T) {
	b := &base{header: http.Header{}}
	r := readLimiter{b}
	for name, test := range map[string]struct {
		below         http.ResponseWriter
		write, duplex error
	}{
		"neither":        {r, http.ErrNotSupported, http.ErrNotSupported},
		"WriteDeadline":  {writeLimiter{r}, io.ErrNoProgress, http.ErrNotSupported},
		"FullDuplex":     {duplexer{r}, http.ErrNotSupported, io.ErrNoProgress},
		"nothing at all": {nowhere{r}, http.ErrNotSupported, http.ErrNotSupported},
	} {
		t.Run(name, func(t *testing.T) {
			control := http.NewResponseController(new(guard).wrap(test.below))
			assert.ErrorIs(t, control.SetWriteDeadline(time.Now()), test.write)
			assert.ErrorIs(t, control.EnableFullDuplex(), test.duplex)
			assert.NoError(t, control.SetReadDeadline(time.Now()))

			view := new(guard).wrap(test.below)
			for u, more := view.(wrapped); more; u, more = view.(wrapped) {
				view = u.Unwrap()
			}
			b.calls = nil
			view.WriteHeader(204)
			assert.Equal(t, []string{"WriteHeader"}, b.calls, "of the innermost view")
		})
	}
}

type wrapped interface{ Unwrap() http.ResponseWriter }

// nowhere unwraps to nothing.
type nowhere struct{ readLimiter }

func (nowhere) Unwrap() http.ResponseWriter { return nil }

type pushing struct {
	*base
	options *http.PushOptions
	gone    chan bool
}

func (p *pushing) Push(_ string, options *http.PushOptions) error {
	p.options = options
	return io.ErrNoProgress
}
func (p *pushing) CloseNotify() <-chan bool { return p.gone }

func TestNothingElseChangesInWhatGoesThroughAWriter(t *testing.T) {
	p := &pushing{base: &base{header: http.Header{}}, gone: make(chan bool, 1)}
	w := new(guard).wrap(p)
	options := &http.PushOptions{Method: "HEAD"}
	assert.ErrorIs(t, w.(http.Pusher).Push("/", options), io.ErrNoProgress)
	assert.Same(t, options, p.options)
	p.gone <- true
	select {
	case <-w.(interface{ CloseNotify() <-chan bool }).CloseNotify():
	default:
		t.Error("another channel")
	}
}

func TestNothingLeaksThroughUnwrap(t *testing.T) {
	b := &base{header: leak()}
	w := new(guard).wrap(wrapper{readLimiter{b}})
	for w != nil {
		w.Header().Set("Set-Cookie", "leak=1")
		w.Write([]byte("x"))
		b.header.Del("Set-Cookie") // what a later step sets is another test's
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
		assert.NotEqual(t, http.ResponseWriter(b), w)
	}
	assert.NotContains(t, b.calls[0], "with a leak")
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
	w := new(guard).wrap(taken{&base{header: http.Header{}}, server, rw})
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
	w := new(guard).wrap(taken{&base{header: http.Header{}}, server, rw})
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
	w = new(guard).wrap(taken{&base{header: http.Header{}}, pipe, bufio.NewReadWriter(bufio.NewReader(pipe), bufio.NewWriter(pipe))})
	conn, _, err = w.(http.Hijacker).Hijack()
	require.NoError(t, err)
	_, canRead := conn.(io.ReaderFrom)
	_, canClose := conn.(interface{ CloseWrite() error })
	assert.False(t, canRead || canClose, "a pipe has neither")
}

func TestWrapAllocatesNothing(t *testing.T) {
	g := new(guard)
	g.wrap(httptest.NewRecorder())
	w := httptest.NewRecorder()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		g.Writer = writer.Writer{}
		writer.Wrap(&g.Writer, w, &g.filter, &g.kinds).WriteHeader(200)
		writer.Finish(&g.Writer)
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
