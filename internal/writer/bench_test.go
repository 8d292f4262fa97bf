package writer_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cookiecharter/consent/internal/writer"
)

func BenchmarkWrap(b *testing.B) {
	plain := &base{header: http.Header{"A": {"b"}}}
	g := new(guard)
	g.wrap(plain)
	for name, to := range map[string]http.ResponseWriter{"known": httptest.NewRecorder(), "not known": plain} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var w writer.Writer
				writer.Wrap(&w, to, &g.filter, &g.kinds)
				writer.Finish(&w)
			}
		})
	}
}
