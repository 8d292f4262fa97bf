// Command gin shows the middleware around a gin engine, which is a handler: so it
// also stands outside of gin's own middleware and of what gin does without any.
package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
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
	site, err := newSite()
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080 in a browser: what is removed is written here; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

func newSite() (http.Handler, error) {
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

	engine := gin.New()
	engine.Use(gin.Recovery(), measure)
	engine.Any("/cookies/*path", gin.WrapH(site.Handler()))
	engine.GET("/", func(c *gin.Context) {
		c.SetCookie("theme", "dark", 0, "/", "", false, true)
		c.Header("Cache-Control", "private, no-store")
		c.Header("Content-Type", "text/html; charset=utf-8")
		r := c.Request
		counted := consent.FromContext(c.Request.Context()).Allows(consent.Statistics)
		fmt.Fprintf(c.Writer, "<!doctype html><title>gin</title>%s%s<h1>Counted: %t</h1>%s", site.Head(r), site.Banner(r), counted, site.Link(r))
	})
	handler := mw.Wrap(engine) // in place of engine.Run
	return handler, nil
}

// measure sets a cookie on every response, whether the visitor agrees or not.
func measure(c *gin.Context) {
	c.SetCookie("_pk_id.1.1fff", "b2", 86400, "/", "", false, false)
}
