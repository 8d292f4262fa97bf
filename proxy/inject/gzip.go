package inject

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// recodedAtOnce is how much of a page is compressed at once.
const recodedAtOnce = 32 << 10

// recoders are lent to pages that come compressed.
type recoders struct{ sync.Pool }

// recode returns a page that is compressed with gzip as one that has the tag
// in its head. What a stream flushes leaves at once.
func (r *recoders) recode(body io.ReadCloser, tag string, stream bool) io.ReadCloser {
	c, ok := r.Get().(*recoder)
	if !ok {
		c = &recoder{from: new(gzip.Reader)}
		c.to, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
	}
	c.to.Reset(&c.ready)
	return &recoded{recoder: c, body: body, tag: tag, stream: stream, pool: r}
}

type recoder struct {
	from  *gzip.Reader
	to    *gzip.Writer
	ready bytes.Buffer
	piece [recodedAtOnce]byte
	first beginning
}

// A recoded body is read decompressed, added to, and compressed again.
type recoded struct {
	*recoder
	body   io.ReadCloser
	tag    string
	stream bool
	pool   *recoders
	page   *injected // nil before the first Read: opening waits for the first bytes
	err    error     // comes behind what is ready
}

func (b *recoded) Read(p []byte) (int, error) {
	if b.page == nil && b.err == nil {
		b.err = b.from.Reset(b.body)
		b.page = &injected{Reader: b.from, tag: b.tag, search: search{tail: b.first[:0]}}
	}
	for b.ready.Len() == 0 && b.err == nil {
		n, err := b.page.Read(b.piece[:])
		_, _ = b.to.Write(b.piece[:n]) // into memory
		switch {
		case err == io.EOF:
			_ = b.to.Close()
		case b.stream && n > 0, err != nil:
			_ = b.to.Flush()
		}
		b.err = err
	}
	if b.ready.Len() > 0 {
		return b.ready.Read(p)
	}
	return 0, b.err
}

func (b *recoded) Close() error {
	if b.recoder != nil {
		b.ready.Reset()
		b.pool.Put(b.recoder)
		b.recoder = nil
	}
	return b.body.Close()
}
