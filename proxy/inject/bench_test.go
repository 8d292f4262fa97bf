package inject_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/cookiecharter/consent/proxy/inject"
)

// BenchmarkPage adds the tag to a plain page of 20 KB:
//
//	go test -run - -bench Page ./proxy/inject
func BenchmarkPage(b *testing.B) {
	text := page + strings.Repeat("<p>some text", 1_700)
	injection := inject.New(tag)
	request, _ := http.NewRequest("GET", "http://site.example/", nil) // a valid address
	buffer := make([]byte, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		res := &http.Response{
			StatusCode: 200, Request: request, ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
			Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Content-Length": {strconv.Itoa(len(text))}},
		}
		if err := injection.ModifyResponse(res, nil); err != nil {
			b.Fatal(err)
		}
		for err := error(nil); err == nil; {
			_, err = res.Body.Read(buffer)
		}
		res.Body.Close()
	}
}
