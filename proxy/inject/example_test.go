package inject_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/cookiecharter/consent/proxy/inject"
)

func ExampleInjection() {
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!doctype html><title>Data</title>")
	})
	handler := inject.New(`<script src="/cookies/script.js" defer></script>`).Wrap(site)

	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Body)
	// Output: <!doctype html><script src="/cookies/script.js" defer></script><title>Data</title>
}
