package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/backend"
)

// BenchmarkThroughput asks the proxy and the same ReverseProxy without consent
// for a page in turns, and reports the median of what each pair of turns gives,
// by the clock and, for a machine that has other things to do, by the time that
// the processors took (which is also the visitors' and the site's):
//
//	go test -run - -bench Throughput -benchtime 400x ./proxy/cmd/consentproxy
func BenchmarkThroughput(b *testing.B) {
	page := "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Data</title>\n</head>\n<body>\n"
	for i := 0; len(page) < 20_000; i++ {
		page += fmt.Sprintf("<p>Dataset %d has %d records, and %x as its sum.</p>\n", i, i*i*7919%100_003, uint32(i)*2_654_435_761)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, page)
	z.Close()
	for _, kind := range []struct {
		name, coding string
		body         []byte
		cookies      []string
		options      options
	}{
		{"page", "", []byte(page), nil, options{}},
		{"page, two cookies", "", []byte(page), []string{"sessionid=abc; Path=/; HttpOnly", "_pk_id.1.1fff=abc; Path=/"}, options{}},
		{"inject", "", []byte(page), nil, options{inject: true}},
		{"inject, gzip", "gzip", zipped.Bytes(), nil, options{inject: true}},
	} {
		b.Run(kind.name, func(b *testing.B) {
			address := newSite(b, func(w http.ResponseWriter, r *http.Request) {
				h := w.Header()
				h.Set("Content-Type", "text/html; charset=utf-8")
				h.Set("Content-Length", fmt.Sprint(len(kind.body)))
				h["Set-Cookie"] = kind.cookies
				if kind.coding != "" {
					h.Set("Content-Encoding", kind.coding)
				}
				w.Write(kind.body)
			})
			to, err := url.Parse(address)
			require.NoError(b, err)
			logger := slog.New(slog.DiscardHandler)
			bare := serve(b, backend.New(backend.Config{Targets: []backend.Target{{URL: to}}, Log: logger}), logger, time.Minute)
			guarded, _ := inFront(b, address, kind.options)
			var clock, processors, rates []float64
			turn(b, bare)
			turn(b, guarded)
			for i := 0; b.Loop(); i++ {
				var by, used [2]float64 // seconds for a request: bare, guarded
				for _, which := range [][2]int{{0, 1}, {1, 0}}[i%2] {
					by[which], used[which] = turn(b, []string{bare, guarded}[which])
				}
				clock, processors = append(clock, by[0]/by[1]), append(processors, used[0]/used[1])
				rates = append(rates, 1/by[1])
			}
			b.ReportMetric(median(clock), "of-bare")
			b.ReportMetric(median(processors), "of-bare-by-cpu")
			b.ReportMetric(median(rates), "requests/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// turn asks for the page over a few connections, and returns the seconds that a
// request took, by the clock and of the processors.
func turn(b *testing.B, address string) (clock, processors float64) {
	const visitors, requests = 8, 10
	var group sync.WaitGroup
	begin, used := time.Now(), processorTime()
	for range visitors {
		group.Go(func() {
			for range requests {
				r, _ := http.NewRequest("GET", address, nil)
				r.Header.Set("Accept-Encoding", "gzip")
				r.Header.Set("Cookie", "sessionid=abc; csrftoken="+strings.Repeat("x", 32))
				response, err := visitor.Do(r)
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	group.Wait()
	const all = visitors * requests
	return time.Since(begin).Seconds() / all, (processorTime() - used).Seconds() / all
}

var visitor = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
