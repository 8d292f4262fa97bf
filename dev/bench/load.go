package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// A load is a server on the loopback interface and its clients, in the same
// process. Their connections stay open.
type load struct {
	server  *http.Server
	clients []net.Conn
	request []byte
	length  int // of each response, in bytes
}

// newLoad starts two clients for each processor, enough to keep all of them busy.
func newLoad(handler http.Handler, r *http.Request) (*load, error) {
	var request bytes.Buffer
	if err := r.Write(&request); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &load{server: &http.Server{Handler: handler}, request: request.Bytes()}
	go func() { _ = l.server.Serve(listener) }() // close ends it
	for range 2 * runtime.GOMAXPROCS(0) {
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.clients = append(l.clients, client)
	}
	if l.length, err = lengthOf(l.clients[0], l.request); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *load) close() error {
	err := l.server.Close()
	for _, client := range l.clients {
		err = errors.Join(err, client.Close())
	}
	return err
}

// lengthOf returns how many bytes the response to a request has. Each has as
// many, so that no client needs to parse it, which would take longer than what
// is measured.
func lengthOf(client net.Conn, request []byte) (int, error) {
	if _, err := client.Write(request); err != nil {
		return 0, err
	}
	var whole bytes.Buffer
	response, err := http.ReadResponse(bufio.NewReader(io.TeeReader(client, &whole)), nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, err
	}
	return whole.Len(), response.Body.Close()
}

// A pace is how many requests were answered, by the clock and by the processors.
type pace struct{ perSecond, perProcessorSecond float64 }

// run has every client ask again and again for a while.
func (l *load) run(while time.Duration) (pace, error) {
	runtime.GC() // what the other server has left behind is not for this one to clean up
	counts, mistakes := make([]int, len(l.clients)), make([]error, len(l.clients))
	var clients sync.WaitGroup
	begin, busy := time.Now(), processorTime()
	for i, client := range l.clients {
		clients.Go(func() {
			response := make([]byte, l.length)
			for counts[i] == 0 || time.Since(begin) < while && mistakes[i] == nil {
				mistakes[i] = ask(client, l.request, response)
				counts[i]++
			}
		})
	}
	clients.Wait()
	took := time.Since(begin)
	busy = processorTime() - busy
	total := 0
	for _, count := range counts {
		total += count
	}
	return pace{float64(total) / took.Seconds(), float64(total) / busy.Seconds()}, errors.Join(mistakes...)
}

var statusOK = []byte("HTTP/1.1 200 OK\r\n")

func ask(client net.Conn, request, response []byte) error {
	if _, err := client.Write(request); err != nil {
		return err
	}
	if _, err := io.ReadFull(client, response); err != nil {
		return err
	}
	if !bytes.HasPrefix(response, statusOK) {
		return fmt.Errorf("not a response of %d bytes: %.80q", len(response), response)
	}
	return nil
}
