package suite

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

func check(t *testing.T, r *http.Response) {
	t.Helper()
	if r.StatusCode != http.StatusTeapot || r.Header.Get("Set-Cookie") != "session=1" {
		t.Error(r.Status, r.Header)
	}
}

func TestCalled(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	outside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.HandlerFunc(Handler).ServeHTTP(w, r) })
	outside.ServeHTTP(w, r)
	check(t, w.Result())
}

func TestServed(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(Handler))
		server.EnableHTTP2 = http2
		server.StartTLS()
		response, err := server.Client().Get(server.URL)
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		check(t, response)
		if http2 != (response.ProtoMajor == 2) {
			t.Error(response.Proto)
		}
	}
}

// No middleware with a writer of its own could hide itself from this one.
func TestTheWriterIsTheServers(t *testing.T) {
	var writer string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writer = fmt.Sprintf("%T", w) }))
	defer server.Close()
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if writer != "*http.response" {
		t.Error(writer)
	}
}

// go test -json does not say how a test ended that leaves its line open.
func TestWithoutAnEndOfLine(t *testing.T) { fmt.Print("x") }
