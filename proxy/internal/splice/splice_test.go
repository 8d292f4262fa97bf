package splice_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	klauspost "github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/splice"
)

const mark = "<title>"

// place is before the mark.
func place(text []byte) int { return bytes.Index(text, []byte(mark)) }

const added = `<script src="/cookies/script.js" defer></script>`

func compress(text string, level int, flushEvery int) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, level) // a valid one
	z.Name, z.Comment, z.Extra = "page", "a comment", []byte("extra")
	for len(text) > 0 {
		n := len(text)
		if flushEvery > 0 {
			n = min(n, flushEvery)
		}
		io.WriteString(z, text[:n])
		text = text[n:]
		if flushEvery > 0 {
			z.Flush()
		}
	}
	z.Close()
	return b.Bytes()
}

func decompress(t testing.TB, zipped io.Reader) string {
	z, err := gzip.NewReader(zipped)
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	return string(text)
}

// texts are pages that reach back over the place in every way.
func texts() map[string]string {
	const head = "<!doctype html><html lang=en><head><meta charset=utf-8>"
	random := rand.New(rand.NewPCG(1, 2))
	var noise strings.Builder
	for range 200_000 {
		noise.WriteByte("abcdefghijklmnopqrstuvwxyz <>/"[random.IntN(30)])
	}
	far := head + mark + noise.String()[:32_500] + strings.Repeat(head+mark, 50)
	return map[string]string{
		"short":                      head + mark + "t</title>",
		"usual":                      head + mark + "t</title></head>" + strings.Repeat("<p>Dataset has records.</p>\n", 800),
		"copies of what was before":  head + mark + strings.Repeat(head+"x", 2000),
		"copies over the place":      head + mark + strings.Repeat("utf-8>"+mark+"y", 2000),
		"copies as far as they can":  far,
		"noise":                      head + mark + noise.String(),
		"the place within a copy":    "<head><title<title<title<title" + mark + strings.Repeat("<title<title", 100),
		"at the beginning":           mark + strings.Repeat(mark, 100),
		"one byte again and again":   mark + strings.Repeat("a", 100_000),
		"a place behind other text":  head + strings.Repeat("<meta name=a content=b>", 60) + mark + strings.Repeat("<meta name=a content=b>", 60),
		"longer than what one reads": head + mark + strings.Repeat(noise.String(), 5),
	}
}

func TestAPageGetsTheTextAndNothingElseChanges(t *testing.T) {
	s := new(splice.Stream) // used again and again
	for name, text := range texts() {
		want := strings.Replace(text, mark, added+mark, 1)
		for _, level := range []int{gzip.HuffmanOnly, 1, 4, 6, 9} {
			for _, flush := range []int{0, 4000} {
				for how, reader := range map[string]func(io.Reader) io.Reader{
					"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with its end": iotest.DataErrReader,
				} {
					what := fmt.Sprintf("%s, level %d, flush %d, %s", name, level, flush, how)
					if how == "byte by byte" && len(text) > 10_000 {
						continue // each byte is a look at all before it
					}
					zipped := compress(text, level, flush)
					if !s.Begin(reader(bytes.NewReader(zipped)), []byte(added), true, place) {
						t.Errorf("%s: left", what)
						continue
					}
					got, err := io.ReadAll(s)
					require.NoError(t, err, what)
					require.Equal(t, want, decompress(t, bytes.NewReader(got)), what)
					assert.Less(t, len(got), len(zipped)+len(zipped)/10+1000, "%s: it stays as small", what)
				}
			}
		}
	}
}

func TestAPageThatIsFlushedIsNotHeldBack(t *testing.T) {
	from, to := io.Pipe()
	z := gzip.NewWriter(to)
	page := texts()["usual"]
	pieces := []string{page, "<p>one", "<p>two"}
	go func() {
		for _, piece := range pieces {
			io.WriteString(z, piece)
			z.Flush()
		}
		// and nothing more for now
	}()
	s := new(splice.Stream)
	require.True(t, s.Begin(from, []byte(added), false, place))
	plain, err := gzip.NewReader(s)
	require.NoError(t, err)
	got := make([]byte, len(page)+len(added)+len("<p>one<p>two"))
	_, err = io.ReadFull(plain, got)
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(page, mark, added+mark, 1)+"<p>one<p>two", string(got))
}

func TestAStreamIsLeftIfItsPlaceIsNotInWhatHasCome(t *testing.T) {
	from, to := io.Pipe()
	z := gzip.NewWriter(to)
	go func() {
		io.WriteString(z, "<!doctype html>")
		z.Flush()
	}()
	s := new(splice.Stream)
	require.False(t, s.Begin(from, []byte(added), false, place), "it does not wait for more")
	text, err := gzip.NewReader(bytes.NewReader(s.Seen()))
	require.NoError(t, err)
	got := make([]byte, 15)
	_, err = io.ReadFull(text, got)
	require.NoError(t, err)
	assert.Equal(t, "<!doctype html>", string(got))
}

func TestWhatIsWrongWithAPageStaysWrong(t *testing.T) {
	page := texts()["usual"]
	zipped := compress(page, 6, 0)
	read := func(zipped []byte) ([]byte, error) {
		s := new(splice.Stream)
		if !s.Begin(bytes.NewReader(zipped), []byte(added), true, place) {
			return nil, errors.New("left")
		}
		return io.ReadAll(s)
	}
	sum := bytes.Clone(zipped)
	sum[len(sum)-8] ^= 1
	got, err := read(sum)
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(got))
	require.NoError(t, err)
	_, err = io.ReadAll(z)
	assert.ErrorIs(t, err, gzip.ErrChecksum)

	length := bytes.Clone(zipped)
	length[len(length)-4] ^= 1
	_, err = read(length)
	assert.ErrorIs(t, err, splice.ErrCorrupt)
	_, err = read(zipped[:len(zipped)-3])
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	broken := bytes.Clone(zipped)
	for i := len(broken) / 2; i < len(broken)-8; i++ {
		broken[i] = 0xff
	}
	_, err = read(broken)
	assert.Error(t, err)

	two, err := read(append(bytes.Clone(zipped), compress("behind", 6, 0)...))
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(page, mark, added+mark, 1)+"behind", decompress(t, bytes.NewReader(two)))
}

// Whatever the page is, and whatever has compressed it.
func FuzzSplice(f *testing.F) {
	for _, text := range texts() {
		f.Add([]byte(text[:min(len(text), 3000)]), 6, 0)
	}
	f.Add([]byte(strings.Repeat(mark+"ab", 40)), 1, 5)
	f.Fuzz(func(t *testing.T, text []byte, level, flush int) {
		var b bytes.Buffer
		z, err := klauspost.NewWriterLevel(&b, level)
		if err != nil {
			z = klauspost.NewWriter(&b)
		}
		cut := max(0, min(flush, len(text)))
		z.Write(text[:cut])
		z.Flush()
		z.Write(text[cut:])
		z.Close()
		s := new(splice.Stream)
		if !s.Begin(bytes.NewReader(b.Bytes()), []byte(added), true, place) {
			return
		}
		got, err := io.ReadAll(s)
		require.NoError(t, err)
		require.Equal(t, strings.Replace(string(text), mark, added+mark, 1), decompress(t, bytes.NewReader(got)))
	})
}

// Whatever comes, it ends, and what is read is what the standard library reads.
func FuzzBroken(f *testing.F) {
	f.Add(compress(texts()["usual"], 6, 0))
	f.Add(compress(texts()["short"], 9, 3))
	f.Fuzz(func(t *testing.T, zipped []byte) {
		s := new(splice.Stream)
		if !s.Begin(bytes.NewReader(zipped), []byte(added), true, place) {
			return
		}
		got, err := io.ReadAll(s)
		if err != nil {
			return
		}
		want, wrong := unzip(zipped)
		have, wrongToo := unzip(got)
		require.Equal(t, wrong == nil, wrongToo == nil)
		if wrong == nil {
			require.Equal(t, strings.Replace(want, mark, added+mark, 1), have)
		}
	})
}

func unzip(zipped []byte) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(z, 1<<24))
	return string(text), err
}

func BenchmarkSplice(b *testing.B) {
	page := "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Data</title>\n</head>\n<body>\n"
	for i := 0; len(page) < 20_000; i++ {
		page += fmt.Sprintf("<p>Dataset %d has %d records, and %x as its sum.</p>\n", i, i*i*7919%100_003, uint32(i)*2_654_435_761)
	}
	zipped := compress(page, flate.DefaultCompression, 0)
	s := new(splice.Stream)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if !s.Begin(bytes.NewReader(zipped), []byte(added), true, place) {
			b.Fatal("left")
		}
		if _, err := io.Copy(io.Discard, s); err != nil {
			b.Fatal(err)
		}
	}
}

// What has been read when the place is found may end anywhere, also in the head of a block.
func TestThePlaceMayBeFoundInAnyPiece(t *testing.T) {
	text := texts()["usual"][:400]
	zipped := compress(text, 6, 150)
	s := new(splice.Stream)
	for cut := range zipped {
		from := io.MultiReader(bytes.NewReader(zipped[:cut]), bytes.NewReader(zipped[cut:]))
		if !s.Begin(from, []byte(added), false, place) {
			continue
		}
		got, err := io.ReadAll(s)
		require.NoError(t, err, cut)
		require.Equal(t, strings.Replace(text, mark, added+mark, 1), decompress(t, bytes.NewReader(got)), cut)
	}
}
