package writer_test

import (
	"net/http"
	"testing"

	"github.com/cookiecharter/consent/internal/writer"
)

func BenchmarkWrap(b *testing.B) {
	plain := &base{header: http.Header{}}
	g := new(guard)
	g.wrap(plain)
	for name, to := range map[string]http.ResponseWriter{"no ability": plain, "every ability": combinations[len(combinations)-1](plain)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var w writer.Writer
				writer.Wrap(&w, to, &g.filter)
				writer.Finish(&w)
			}
		})
	}
}
