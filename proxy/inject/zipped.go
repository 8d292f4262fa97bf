package inject

import (
	"bytes"
	"io"

	"github.com/cookiecharter/consent/proxy/internal/splice"
)

// spliced returns a page that is compressed with gzip as one that has the tag in its head.
// If the place is in the beginning of the page, as it nearly always is, the page is not
// compressed again.
func (i *Injection) spliced(body io.ReadCloser, stream bool) *zipped {
	return &zipped{injection: i, from: body, stream: stream}
}

// A zipped body is a page that is compressed with gzip.
type zipped struct {
	injection *Injection
	from      io.ReadCloser
	stream    bool
	page      io.Reader      // nil before the first Read: a look waits for the first bytes
	lent      *splice.Stream // nil if it is not lent
	recoded   io.Closer      // nil if the page is not compressed again
}

func (b *zipped) Read(p []byte) (int, error) {
	if b.page == nil {
		b.begin()
	}
	return b.page.Read(p)
}

func (b *zipped) begin() {
	i := b.injection
	lent, ok := i.streams.Get().(*splice.Stream)
	if !ok {
		lent = new(splice.Stream)
	}
	if lent.Begin(b.from, i.tag, !b.stream, placeOf) {
		b.page, b.lent = lent, lent
		return
	}
	again := i.recode(&prefixed{io.MultiReader(bytes.NewReader(lent.Seen()), b.from), b.from}, codings[gzipIndex], b.stream)
	b.page, b.recoded = again, again
	i.streams.Put(lent)
}

// placeOf returns where in the beginning of a page the tag comes, -1 if that is not known.
func placeOf(text []byte) int {
	s := search{tail: text}
	if _, place, f := s.look(); f == found {
		return place
	}
	return -1
}

func (b *zipped) Close() error {
	if b.lent != nil {
		b.injection.streams.Put(b.lent)
		b.lent, b.page = nil, closed{}
	}
	if b.recoded != nil {
		return b.recoded.Close()
	}
	return b.from.Close()
}

// A closed body is not read.
type closed struct{}

func (closed) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
