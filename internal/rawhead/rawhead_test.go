package rawhead_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/rawhead"
)

// dropAd takes out cookies whose line begins with "ad", and adds one to each
// final head.
func dropAd(status int, fields []rawhead.Field) []rawhead.Field {
	kept := fields[:0]
	for _, f := range fields {
		if strings.EqualFold(f.Name, "Set-Cookie") && strings.HasPrefix(f.Value, "ad") {
			continue
		}
		kept = append(kept, f)
	}
	if status == 101 || status < 100 || status > 199 {
		kept = append(kept, rawhead.Field{Name: "Set-Cookie", Value: "new=1\r\nX:\x00y"})
	}
	return kept
}

const added = "Set-Cookie: new=1  X: y\r\n"

var heads = []struct{ name, in, out string }{
	{"an upgrade", "HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: ad=1\r\nSet-Cookie: ok=1\r\nUpgrade: x\r\n\r\n\x00tunnel",
		"HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: ok=1\r\nUpgrade: x\r\n" + added + "\r\n\x00tunnel"},
	{"lines that end in LF", "HTTP/1.1 200 OK\nset-cookie:ad=1\nA: b\n\nbody\r\n\r\nSet-Cookie: ad=1",
		"HTTP/1.1 200 OK\nA: b\n" + added + "\nbody\r\n\r\nSet-Cookie: ad=1"},
	{"a CR alone between fields", "HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: ad=1\rC: d\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n" + added + "\r\n"},
	{"a CR alone behind the status", "HTTP/1.1 200 OK\rSet-Cookie: ad=1\r\n\r\n",
		"HTTP/1.1 200 OK\r" + "\r\n" + added + "\r\n"},
	{"white space around the name", "HTTP/1.1 200 OK\r\n \tSet-Cookie\t : ad=1\r\nA: b\r\n SET-COOKIE : ad=2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n" + added + "\r\n"},
	{"a folded cookie", "HTTP/1.1 200 OK\r\nSet-Cookie: ok=1;\r\n  Path=/\r\nSet-Cookie:\r\n ad=1\r\nA: b\r\n c\r\n\r\n",
		"HTTP/1.1 200 OK\r\nSet-Cookie: ok=1; Path=/\r\nA: b\r\n c\r\n" + added + "\r\n"},
	{"early hints first", "HTTP/1.1 103 Early Hints\r\nSet-Cookie: ad=1\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=2\r\n\r\nbody",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n" + added + "\r\nbody"},
	{"an informational status with letters behind", "HTTP/1.1 103x\r\n\r\nHTTP/1.1 200\r\nSet-Cookie: ad=1\r\n\r\n",
		"HTTP/1.1 103x\r\n\r\nHTTP/1.1 200\r\n" + added + "\r\n"},
	{"bytes before the head behind early hints", "HTTP/1.1 103\r\n\r\n\r\n\r\nHTTP/1.1 200\r\nSet-Cookie: ad=1\r\n\r\n",
		"HTTP/1.1 103\r\n\r\n\r\n\r\nHTTP/1.1 200\r\n" + added + "\r\n"},
	{"100 first", "HTTP/1.1 100 Continue\r\nSet-Cookie: ad=1\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=2\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + added + "\r\n"},
	{"199 first", "HTTP/1.1 199 Odd\r\nSet-Cookie: ad=1\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=2\r\n\r\n",
		"HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 200 OK\r\n" + added + "\r\n"},
	{"a long head and then a short one", "HTTP/1.1 103 Early Hints\r\nLink: " + strings.Repeat("x", 60) + "\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=2\r\n\r\n" + strings.Repeat("y", 60) + "\r\nSet-Cookie: ad=3\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: " + strings.Repeat("x", 60) + "\r\n\r\nHTTP/1.1 200 OK\r\n" + added + "\r\n" + strings.Repeat("y", 60) + "\r\nSet-Cookie: ad=3\r\n\r\n"},
	{"cookies folded by tabs", "HTTP/1.1 200 OK\r\nSet-Cookie: ok=1;\r\n\tPath=/\r\nSet-Cookie:\r\n\tad=1\r\nA: b\r\n\tc\r\n\r\n",
		"HTTP/1.1 200 OK\r\nSet-Cookie: ok=1; Path=/\r\nA: b\r\n\tc\r\n" + added + "\r\n"},
	{"a folded cookie at the end", "HTTP/1.1 200 OK\r\nSet-Cookie: ok=1;\r\n Path=/\r\n\r\n", "HTTP/1.1 200 OK\r\nSet-Cookie: ok=1; Path=/\r\n" + added + "\r\n"},
	{"a fold before any field", "HTTP/1.1 200 OK\r\n A: b\r\nSet-Cookie: ad=1\r\n\r\n", "HTTP/1.1 200 OK\r\n A: b\r\n" + added + "\r\n"},
	{"a cookie where a fold may be", "HTTP/1.1 200 OK\r\nA: b\r\n Set-Cookie: ok=1\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\nSet-Cookie: ok=1\r\n" + added + "\r\n"},
	{"other white space around the name", "HTTP/1.1 200 OK\r\n\x0cSet-Cookie\x0b: ad=1\r\n\r\n", "HTTP/1.1 200 OK\r\n" + added + "\r\n"},
	{"no status", "HTTP/1.1\r\nSet-Cookie: ad=1\r\n\r\n", "HTTP/1.1\r\n" + added + "\r\n"},
	{"four bytes before the head", "\r\n\r\nhttp/1.0 200\r\nSet-Cookie: ad=1\r\n\r\n", "\r\n\r\nhttp/1.0 200\r\n" + added + "\r\n"},
	{"half of the name before it", "hthtHTTP/1.0 200\r\nSet-Cookie: ad=1\r\n\r\n", "hthtHTTP/1.0 200\r\n" + added + "\r\n"},
	{"five bytes before it", "12345HTTP/1.0 200\r\nSet-Cookie: ad=1\r\n\r\n", "12345HTTP/1.0 200\r\nSet-Cookie: ad=1\r\n\r\n"},
	{"a tunnel", "\x16\x03\x01 hello\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=1\r\n\r\n", "\x16\x03\x01 hello\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=1\r\n\r\n"},
	{"a head that is not finished", "HTTP/1.1 200 OK\r\nSet-Cookie: ad=1\r\nA: b", "HTTP/1.1 200 OK\r\nA: b\r\n" + added},
	{"a cookie that is not finished", "HTTP/1.1 200 OK\r\nSet-Cookie: ad", "HTTP/1.1 200 OK\r\n" + added},
	{"the beginning of a beginning", "HT", "HT"},
	{"a line without a colon", "HTTP/1.1 200 OK\r\nSet-Cookie ad=1\r\n\r\n", "HTTP/1.1 200 OK\r\nSet-Cookie ad=1\r\n" + added + "\r\n"},
	{"nothing", "", ""},
	{"Shoutcast's protocol", "ICY 200 OK\r\nSet-Cookie: ad=1\r\n\r\n", "ICY 200 OK\r\n" + added + "\r\n"},
	{"Shoutcast's protocol behind blanks", " \r\n\t \r\nicy 200 OK\r\nSet-Cookie: ad=1\r\n\r\n", " \r\n\t \r\nicy 200 OK\r\n" + added + "\r\n"},
	{"Shoutcast's protocol behind a letter", "xICY 200 OK\r\nSet-Cookie: ad=1\r\n\r\n", "xICY 200 OK\r\nSet-Cookie: ad=1\r\n\r\n"},
	{"early hints in Shoutcast's protocol", "ICY 103\r\n\r\nHTTP/1.1 200\r\nSet-Cookie: ad=1\r\n\r\n", "ICY 103\r\n\r\nHTTP/1.1 200\r\n" + added + "\r\n"},
	{"the beginning of Shoutcast's protocol", "ICY", "ICY"},
	{"HTTP/2 behind five blanks", "     HTTP/2.0 200\r\nSet-Cookie: ad=1\r\n\r\n", "     HTTP/2.0 200\r\n" + added + "\r\n"},
	{"more blanks", "        ICY 200\r\nSet-Cookie: ad=1\r\n\r\n", "        ICY 200\r\nSet-Cookie: ad=1\r\n\r\n"},
	{"anything behind early hints", "HTTP/1.1 103\r\n\r\nhello http world\r\n\r\nHTHTTP/1.1 200\r\nSet-Cookie: ad=1\r\n\r\nad", "HTTP/1.1 103\r\n\r\nhello http world\r\n\r\nHTHTTP/1.1 200\r\n" + added + "\r\nad"},
	{"what only Chromium reads behind early hints", "HTTP/1.1 103\r\n\r\nhttp 200\r\nSet-Cookie: ad=1\r\n\r\nHTTP/1.1 200\r\nSet-Cookie: ad=2\r\n\r\n", "HTTP/1.1 103\r\n\r\nhttp 200\r\n" + added + "\r\nHTTP/1.1 200\r\n" + added + "\r\n"},
	{"a body that looks like a head behind early hints and a head", "HTTP/1.1 103\r\n\r\nHTTP/1.1 200\r\n\r\nHTTP/1.1 200\r\nSet-Cookie: ad=1\r\n\r\n", "HTTP/1.1 103\r\n\r\nHTTP/1.1 200\r\n" + added + "\r\nHTTP/1.1 200\r\nSet-Cookie: ad=1\r\n\r\n"},
	{"nothing more behind early hints", "HTTP/1.1 103\r\n\r\nhello HT", "HTTP/1.1 103\r\n\r\nhello HT"},
	{"a CR before the status", "HTTP/1.1 \r103\r\nA: b\r\n\r\nHTTP/1.1 200\r\nSet-Cookie: ad=1\r\n\r\n", "HTTP/1.1 \r103\r\nA: b\r\n\r\nHTTP/1.1 200\r\n" + added + "\r\n"},
}

func TestNothingLeaksFromAHeadAndNothingElseChanges(t *testing.T) {
	for _, test := range heads {
		t.Run(test.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 7, len(test.in) + 1} {
				assert.Equal(t, test.out, write(t, []byte(test.in), func() int { return size }), "in writes of %d bytes", size)
			}
			for first := range len(test.in) {
				size := first
				assert.Equal(t, test.out, write(t, []byte(test.in), func() int {
					defer func() { size = len(test.in) }()
					return max(size, 1)
				}), "in writes of %d bytes and of the rest", first)
			}
		})
	}
}

func TestBytesBehindAHeadAreNotDelayed(t *testing.T) {
	var out bytes.Buffer
	w := rawhead.NewWriter(&out, dropAd, true)
	io.WriteString(w, "HTTP/1.1 101 S\r\n\r")
	assert.Zero(t, out.Len())
	io.WriteString(w, "\nfirst")
	assert.True(t, strings.HasSuffix(out.String(), "\r\n\r\nfirst"))
	assert.True(t, w.Done())
	io.WriteString(w, "HTTP/1.1")
	assert.True(t, strings.HasSuffix(out.String(), "firstHTTP/1.1"))
}

func TestBytesThatAreNoHeadAreNotDelayed(t *testing.T) {
	var out bytes.Buffer
	w := rawhead.NewWriter(&out, dropAd, true)
	for _, c := range "hi" {
		io.WriteString(w, string(c))
	}
	assert.Equal(t, "hi", out.String())
}

func TestAHeadThatNeverEndsIsBounded(t *testing.T) {
	for _, size := range []int{1 << 10, 1 << 20} {
		var out bytes.Buffer
		w := rawhead.NewWriter(&out, func(int, []rawhead.Field) []rawhead.Field {
			t.Error("what never leaves is not edited")
			return nil
		}, true)
		_, err := io.WriteString(w, "HTTP/1.1 200 OK\r\n")
		require.NoError(t, err)
		for range (300 << 10) / size {
			if _, err = w.Write(bytes.Repeat([]byte("a"), size)); err != nil {
				break
			}
		}
		if size > 300<<10 {
			_, err = w.Write(append(bytes.Repeat([]byte("a"), size), "\r\n\r\n"...))
		}
		require.ErrorIs(t, err, rawhead.ErrHeadTooLong)
		_, err = w.Write([]byte("\r\n\r\n"))
		require.ErrorIs(t, err, rawhead.ErrHeadTooLong)
		require.ErrorIs(t, w.Flush(), rawhead.ErrHeadTooLong)
		assert.Zero(t, out.Len())
	}
}

func TestNothingIsLostOfAHeadThatIsAsLongAsOneMayBe(t *testing.T) {
	const begin, end, maxHead = "HTTP/1.1 200 OK\r\nA: ", "\r\n\r\n", 256 << 10
	unedited := func(_ int, fields []rawhead.Field) []rawhead.Field { return fields }
	for length, fits := range map[int]bool{maxHead: true, maxHead + 1: false} {
		for name, end := range map[string]string{"whole": end, "unfinished": ""} {
			head := begin + strings.Repeat("a", length-len(begin)-len(end)) + end
			var out bytes.Buffer
			w := rawhead.NewWriter(&out, unedited, true)
			_, err := io.WriteString(w, head)
			assert.Equal(t, fits, err == nil, "%s, %d bytes", name, length)
			assert.Equal(t, fits, w.Flush() == nil)
			assert.Equal(t, fits, out.String() == head)
		}
	}
}

// What a client reads behind a part of a head would be read as the rest of it.
func TestNothingLeaksBehindAHeadThatLeftInPart(t *testing.T) {
	for name, send := range map[string]func(*rawhead.Writer) error{
		"Write": func(w *rawhead.Writer) error { _, err := io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n"); return err },
		"Flush": func(w *rawhead.Writer) error { io.WriteString(w, "HTTP/1.1 200 OK\r\n"); return w.Flush() },
	} {
		for _, taken := range []int{0, 5} {
			writes := 0
			w := rawhead.NewWriter(writerFunc(func([]byte) (int, error) { writes++; return taken, io.ErrClosedPipe }), dropAd, true)
			assert.ErrorIs(t, send(w), io.ErrClosedPipe, name)
			assert.False(t, w.Done(), name)
			if taken == 0 && name == "Write" {
				continue // it may be written again
			}
			_, err := io.WriteString(w, "\r\nSet-Cookie: ad=1\r\n\r\n")
			assert.ErrorIs(t, err, io.ErrClosedPipe, name)
			assert.ErrorIs(t, w.Flush(), io.ErrClosedPipe, name)
			assert.Equal(t, 1, writes, name)
		}
	}
}

func TestAFailingConnectionIsReported(t *testing.T) {
	broken := errors.New("broken")
	w := rawhead.NewWriter(writerFunc(func([]byte) (int, error) { return 0, broken }), dropAd, true)
	_, err := io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n")
	require.ErrorIs(t, err, broken)
	_, err = io.WriteString(w, "body")
	require.ErrorIs(t, err, broken)

	w = rawhead.NewWriter(writerFunc(func(p []byte) (int, error) { return len(p) / 2, nil }), dropAd, true)
	_, err = io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n")
	require.ErrorIs(t, err, io.ErrShortWrite)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Any split of the bytes gives the same output.
func FuzzSplit(f *testing.F) {
	for _, test := range heads {
		f.Add([]byte(test.in), []byte{1})
		f.Add([]byte(test.in), []byte{2, 5, 30})
	}
	f.Fuzz(func(t *testing.T, in, sizes []byte) {
		whole := write(t, in, func() int { return len(in) + 1 })
		single := write(t, in, func() int { return 1 })
		i := 0
		split := write(t, in, func() int {
			if len(sizes) == 0 {
				return 1
			}
			i++
			return 1 + int(sizes[i%len(sizes)])
		})
		if whole != single || whole != split {
			t.Errorf("whole %q, byte by byte %q, split %q", whole, single, split)
		}
	})
}

// write returns what leaves where in is written in pieces of these sizes and
// the connection is closed then.
func write(t *testing.T, in []byte, size func() int) string {
	t.Helper()
	var out bytes.Buffer
	w := rawhead.NewWriter(&out, dropAd, true)
	for len(in) > 0 {
		n := min(size(), len(in))
		if got, err := w.Write(in[:n]); got != n || err != nil {
			t.Fatalf("Write = %d, %v; want %d", got, err, n)
		}
		in = in[n:]
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAHeadCostsWhatItsLengthDoes(t *testing.T) {
	for name, head := range map[string]string{
		"folded lines":        "HTTP/1.1 200 OK\r\nA: b\r\n" + strings.Repeat(" a\r\n", 50_000) + "\r\n",
		"informational heads": strings.Repeat("HTTP/1.1 103\r\n\r\n", 30_000),
	} {
		begun := time.Now()
		_, err := io.WriteString(rawhead.NewWriter(io.Discard, dropAd, true), head)
		assert.NoError(t, err, name)
		assert.Less(t, time.Since(begun), 5*time.Second, name)
	}
}

func TestNothingElseChangesInWhatAHeadCostsByteByByte(t *testing.T) {
	w := rawhead.NewWriter(io.Discard, dropAd, true)
	head := []byte("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 250<<10) + "\r\n\r\n")
	quarter := len(head) / 4
	var took [4]time.Duration
	for i := range took {
		begun := time.Now()
		for at := i * quarter; at < (i+1)*quarter; at++ {
			_, err := w.Write(head[at : at+1])
			require.NoError(t, err)
		}
		took[i] = time.Since(begun)
	}
	// If each byte cost a look at all before it, the last quarter would take seven
	// times as long as the first.
	assert.Less(t, took[3], 4*took[0]+time.Second, "%v", took)
}

func TestATabBeforeAStatusIsNoPartOfIt(t *testing.T) {
	var out bytes.Buffer
	io.WriteString(rawhead.NewWriter(&out, dropAd, true), "HTTP/1.1 \t103 Early\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=1\r\n\r\n")
	assert.NotContains(t, out.String(), "ad=1", "Firefox reads an informational head, and then another")
}

// A client that has not asked for another protocol goes on in HTTP.
func TestNothingLeaksBehindASwitchThatNobodyAskedFor(t *testing.T) {
	const in = "HTTP/1.1 101 S\r\nSet-Cookie: ad=1\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=2\r\n\r\nHTTP/1.1"
	for asked, want := range map[bool]string{
		true:  "HTTP/1.1 101 S\r\n" + added + "\r\nHTTP/1.1 200 OK\r\nSet-Cookie: ad=2\r\n\r\nHTTP/1.1",
		false: "HTTP/1.1 101 S\r\n" + added + "\r\nHTTP/1.1 200 OK\r\n" + added + "\r\nHTTP/1.1",
	} {
		var out bytes.Buffer
		_, err := io.WriteString(rawhead.NewWriter(&out, dropAd, asked), in)
		require.NoError(t, err)
		assert.Equal(t, want, out.String())
	}
}
