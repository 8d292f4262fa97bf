package main

import (
	"bufio"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A cost is what one request takes in a handler alone, without a server. The time is that
// of processors, so that others on the machine disturb it less; what the collector does
// meanwhile counts too.
type cost struct {
	NS            sample
	Bytes, Allocs int64
}

// A priced contestant is one with its own cost and that of its bare handler.
type priced struct {
	contestant
	Cost, alone cost
}

// Added is what the middleware takes beyond its bare handler, in nanoseconds,
// round by round.
func (p priced) Added() sample {
	added := make(sample, len(p.Cost.NS))
	for i := range added {
		added[i] = p.Cost.NS[i] - p.alone.NS[i]
	}
	return added
}

// price measures each contestant beside its bare handler, once in every round,
// so that what disturbs the machine meanwhile falls upon all of them. Every
// other round goes backwards.
func price(list []contestant, rounds int, each time.Duration) ([]priced, error) {
	testing.Init()
	if err := flag.Set("test.benchtime", each.String()); err != nil {
		return nil, err
	}
	result := make([]priced, len(list))
	for round := range rounds {
		for i := range list {
			if round%2 == 1 {
				i = len(list) - 1 - i
			}
			p := &result[i]
			p.contestant = list[i]
			if round%2 == 1 {
				p.Cost.add(p.wrapped, p.contestant)
				p.alone.add(p.bare, p.contestant)
			} else {
				p.alone.add(p.bare, p.contestant)
				p.Cost.add(p.wrapped, p.contestant)
			}
		}
	}
	return result, nil
}

func (c *cost) add(handler http.Handler, of contestant) {
	w, r := of.writer(), of.request()
	got := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		begin := processorTime()
		for b.Loop() {
			clear(w.Header())
			handler.ServeHTTP(w, r)
		}
		b.ReportMetric(float64(processorTime()-begin)/float64(b.N), "busy")
	})
	c.NS = append(c.NS, got.Extra["busy"])
	c.Bytes, c.Allocs = got.AllocedBytesPerOp(), got.AllocsPerOp()
}

// writer takes a response and keeps its header alone, so that what is measured is the
// handler. It is one that our middleware knows, as it knows the server's, and whose head has
// left, so that it copies nothing.
func (c contestant) writer() http.ResponseWriter {
	if c.foreign {
		return sink{}
	}
	w := httptest.NewRecorder()
	w.Body = nil
	w.WriteHeader(http.StatusOK)
	return w
}

// A sink is a writer of others: it can do what net/http's own for HTTP/1.1 can, and nobody
// knows when it looks at its header.
type sink http.Header

func (s sink) Header() http.Header                 { return http.Header(s) }
func (s sink) WriteHeader(int)                     {}
func (s sink) Write(p []byte) (int, error)         { return len(p), nil }
func (s sink) WriteString(p string) (int, error)   { return len(p), nil }
func (s sink) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }
func (s sink) Flush()                              {}
func (s sink) FlushError() error                   { return nil }
func (s sink) SetReadDeadline(time.Time) error     { return nil }
func (s sink) SetWriteDeadline(time.Time) error    { return nil }
func (s sink) EnableFullDuplex() error             { return nil }
func (s sink) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}
