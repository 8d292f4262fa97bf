package inject

import "io"

// An injected body is a page with the tag in its head. Nothing of it waits
// for what comes behind it, but the beginning of a tag whose name is not
// complete.
type injected struct {
	io.Reader
	io.Closer
	tag     []byte
	search  search
	finding finding
	ready   [][]byte  // comes before anything else is read
	pieces  [3][]byte // nearly always enough for ready, so that it needs no memory of its own
	rest    []byte    // comes behind ready, with what is read next
	err     error     // comes behind rest

	// gathered says that net/http gathers the page in pieces of its own, as it
	// does where the length is known. Pieces then keep the size with which they
	// come from the site: a little more would make two of one.
	gathered bool

	injection *Injection // that has lent the beginning; nil for nobody
	lent      *beginning
}

// Close ends the page. Nothing is read after it.
func (b *injected) Close() error {
	if b.injection != nil {
		b.injection.beginnings.Put(b.lent)
		b.injection = nil
	}
	return b.Closer.Close()
}

// heldAnyway is how much of a body of known length net/http gathers before it
// sends the head.
const heldAnyway = 2 << 10

// begin reads on until the place is found, or it is known that there is none, or
// the head would leave.
func (b *injected) begin() finding {
	for length := 0; b.finding == unknown && length < heldAnyway; {
		length += b.advance()
	}
	return b.finding
}

// advance reads the next piece of a page whose place is not known, and returns
// how much of it is ready.
func (b *injected) advance() int {
	before, after, f, err := b.search.read(b.Reader)
	b.finding, b.err = f, err
	if len(b.ready) == 0 {
		b.ready = b.pieces[:0]
	}
	b.ready = append(b.ready, before)
	if f == found {
		now := len(after)
		if b.gathered {
			now = max(0, now-len(b.tag))
		}
		b.ready = append(b.ready, b.tag, after[:now])
		b.rest = after[now:]
	}
	return len(before)
}

func (b *injected) Read(p []byte) (n int, err error) {
	for {
		for len(b.ready) > 0 && n < len(p) {
			copied := copy(p[n:], b.ready[0])
			n += copied
			if b.ready[0] = b.ready[0][copied:]; len(b.ready[0]) == 0 {
				b.ready = b.ready[1:]
			}
		}
		switch {
		case n > 0 || len(p) == 0:
			return n, nil
		case b.finding == unknown:
			b.advance()
			continue
		}
		n = copy(p, b.rest)
		b.rest = b.rest[n:]
		if b.err == nil && n < len(p) {
			var more int
			more, b.err = b.Reader.Read(p[n:])
			n += more
		}
		if n > 0 {
			return n, nil
		}
		return 0, b.err
	}
}
