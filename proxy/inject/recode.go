package inject

import (
	"bytes"
	"io"
)

// recodedAtOnce is how much of a page is compressed at once.
const recodedAtOnce = 32 << 10

// compressed returns a page that comes compressed as one that has the tag in its head.
func (i *Injection) compressed(body io.ReadCloser, c *coding, stream bool) io.ReadCloser {
	if c.index == gzipIndex {
		return i.spliced(body, stream)
	}
	return i.recode(body, c, stream)
}

// recode returns a page that comes compressed as one that has the tag in its head, and is
// compressed in the same way. What a stream flushes leaves at once.
func (i *Injection) recode(body io.ReadCloser, c *coding, stream bool) io.ReadCloser {
	pool := &i.recoders[c.index]
	lent, ok := pool.Get().(*recoder)
	if !ok {
		lent = &recoder{from: c.newDecoder(), to: c.newEncoder()}
	}
	lent.to.Reset(&lent.ready)
	return &recoded{recoder: lent, body: body, tag: i.tag, stream: stream, giveBack: func() { pool.Put(lent) }}
}

// A recoder is lent to a page that comes compressed.
type recoder struct {
	from  decoder
	to    encoder
	ready bytes.Buffer
	piece [recodedAtOnce]byte
	first beginning
}

// A recoded body is read decompressed, added to, and compressed again.
type recoded struct {
	*recoder
	body     io.ReadCloser
	tag      []byte
	stream   bool
	giveBack func()
	page     *injected // nil before the first Read: opening waits for the first bytes
	err      error     // comes behind what is ready
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
		b.giveBack()
		b.recoder = nil
	}
	return b.body.Close()
}
