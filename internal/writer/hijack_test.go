package writer_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

type closing struct {
	net.Conn
	closed bool
}

func (c *closing) Write([]byte) (int, error) { return 0, errors.New("broken") }
func (c *closing) Close() error              { c.closed = true; return nil }

// A Hijack that fails behind one that succeeded would leave a connection that nobody closes.
func TestAConnectionIsClosedWhoseEarlierHeadsCannotBeSent(t *testing.T) {
	c := &closing{}
	rw := bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
	rw.WriteString("HTTP/1.1 103 Early Hints\r\n\r\n")
	w := new(guard).wrap(taken{&base{header: http.Header{}}, c, rw})
	_, _, err := w.(http.Hijacker).Hijack()
	assert.True(t, err == nil || c.closed, "error %v, closed %t", err, c.closed)
}
