// Command files serves files by http.ServeContent: ranges and conditions as ever,
// and the system still sends the file by itself (sendfile), without a copy.
package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Example",
		Name:     "theme",
		Purpose:  consent.Text{language.English: "Remembers whether you read on light or on dark."},
		Category: consent.Necessary,
	},
	consent.Cookie{
		Provider: "Matomo",
		Name:     "_pk_id*",
		Purpose:  consent.Text{language.English: "Recognises a visitor who comes back."},
		Category: consent.Statistics,
		Lifetime: 13 * 30 * 24 * time.Hour,
	},
)

func main() {
	root, err := os.OpenRoot(".")
	if err != nil {
		log.Fatal(err)
	}
	site, err := newSite(root)
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080, which has the files of this folder under /files/; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

func newSite(root *os.Root) (http.Handler, error) {
	key := make([]byte, 32) // in production: from your secrets, the same in every process
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{key}, Insecure: true, Observe: consent.LogTo(slog.Default(), 0)}) // Insecure: for http
	if err != nil {
		return nil, err
	}
	site, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		setCookies(w)
		w.Header().Set("Cache-Control", "private, no-store")
		fmt.Fprintf(w, "<!doctype html><title>Files</title>%s%s<h1>/files/…</h1>%s", site.Head(r), site.Banner(r), site.Link(r))
	})
	mux.Handle("GET /files/{name...}", serveFiles(root))
	return mw.Wrap(mux), nil
}

func serveFiles(root *os.Root) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		file, err := root.Open(r.PathValue("name"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil || !info.Mode().IsRegular() {
			http.NotFound(w, r)
			return
		}
		setCookies(w)
		http.ServeContent(w, r, info.Name(), info.ModTime(), file)
	}
}

func setCookies(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark", Path: "/"})
	http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2", Path: "/", MaxAge: 86400})
}
