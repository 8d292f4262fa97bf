package splice_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/cookiecharter/consent/proxy/internal/splice"
)

// BenchmarkStream puts a tag into a page of 20 KB:
//
//	go test -run - -bench Stream ./proxy/internal/splice
func BenchmarkStream(b *testing.B) {
	page := "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Data</title>\n</head>\n<body>\n"
	place := strings.Index(page, "<title>")
	for i := 0; len(page) < 20_000; i++ {
		page += fmt.Sprintf("<p>Dataset %d has %d records, and %x as its sum.</p>\n", i, i*i*7919%100_003, uint32(i)*2_654_435_761)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, page)
	z.Close()
	tag := []byte(`<script src="/cookies/script.js?v=0123456789" defer></script>`)
	from := new(bytes.Reader)
	var s splice.Stream
	buffer := make([]byte, 32<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		from.Reset(zipped.Bytes())
		if !s.Begin(from, tag, true, func([]byte) int { return place }) {
			b.Fatal("no place")
		}
		for {
			if _, err := s.Read(buffer); err != nil {
				break
			}
		}
	}
	b.ReportMetric(float64(zipped.Len()), "zipped-B")
}
