// Command fiber shows the middleware around a fiber app. Fiber has a server and
// requests of its own: its adaptor makes a handler of the app, and the request of
// the middleware does not come through it. So the charter stands outside of the app,
// and the app learns the decision from a header.
package main

import (
	"crypto/rand"
	"log"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
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

	app := fiber.New()
	app.Use(measure)
	app.Get("/", func(c fiber.Ctx) error {
		c.Cookie(&fiber.Cookie{Name: "theme", Value: "dark"})
		c.Type("html")
		counted := c.Get("Consent-Statistics")
		return c.SendString(page + "<h1>Counted: " + counted + "</h1>")
	})

	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.Handle("/", tell(adaptor.FiberApp(app)))
	handler := mw.Wrap(mux) // in place of app.Listen
	return handler, nil
}

// page begins a page. The charter's script draws the banner, since the app cannot.
const page = `<!doctype html><title>fiber</title>
<script src="/cookies/script.js" defer></script>
<a href="/cookies/#settings" data-charter-open>Cookie settings</a>
`

// tell sets a header of the request to the decision, whatever the browser sent in it.
func tell(app http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Consent-Statistics", strconv.FormatBool(consent.FromContext(r.Context()).Allows(consent.Statistics)))
		app.ServeHTTP(w, r)
	})
}

// measure sets a cookie on every response, whether the visitor agrees or not.
func measure(c fiber.Ctx) error {
	c.Cookie(&fiber.Cookie{Name: "_pk_id.1.1fff", Value: "b2", MaxAge: 86400})
	return c.Next()
}
