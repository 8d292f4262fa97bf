package roads

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gorilla/mux"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/julienschmidt/httprouter"
	echov4 "github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"
	"github.com/stretchr/testify/require"
	goji "goji.io/v3"
	"goji.io/v3/pat"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/examples/internal/drive"
)

// Each makes a site's handler as its framework would have it, with the middleware
// around the whole.
var routers = map[string]struct {
	handler func(site) http.Handler
	visit   func(http.RoundTripper) http.RoundTripper // nil for plain requests
	limits
}{
	"net/http": {handler: func(s site) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/cookies/", s.site.Handler())
		mux.HandleFunc("GET /{$}", page)
		mux.HandleFunc("POST /accept", s.accept)
		mux.HandleFunc("GET /stream", s.stream)
		mux.HandleFunc("/", missing)
		return s.mw.Wrap(mux)
	}},
	"chi": {handler: func(s site) http.Handler {
		router := chi.NewRouter()
		router.Handle("/cookies/*", s.site.Handler())
		router.Get("/", page)
		router.Post("/accept", s.accept)
		router.Get("/stream", s.stream)
		router.NotFound(missing)
		return s.mw.Wrap(router)
	}},
	"httprouter": {handler: func(s site) http.Handler {
		router := httprouter.New()
		router.Handler("GET", "/cookies/*path", s.site.Handler())
		router.Handler("POST", "/cookies/*path", s.site.Handler())
		router.HandlerFunc("GET", "/", page)
		router.HandlerFunc("POST", "/accept", s.accept)
		router.HandlerFunc("GET", "/stream", s.stream)
		router.NotFound = http.HandlerFunc(missing)
		return s.mw.Wrap(router)
	}},
	"gorilla/mux": {handler: func(s site) http.Handler {
		router := mux.NewRouter()
		router.PathPrefix("/cookies/").Handler(s.site.Handler())
		router.HandleFunc("/", page).Methods("GET")
		router.HandleFunc("/accept", s.accept).Methods("POST")
		router.HandleFunc("/stream", s.stream)
		router.NotFoundHandler = http.HandlerFunc(missing)
		return s.mw.Wrap(router)
	}},
	"goji": {handler: func(s site) http.Handler {
		router := goji.NewMux()
		router.Handle(pat.New("/cookies/*"), s.site.Handler())
		router.HandleFunc(pat.Get("/"), page)
		router.HandleFunc(pat.Post("/accept"), s.accept)
		router.HandleFunc(pat.Get("/stream"), s.stream)
		router.HandleFunc(pat.New("/*"), missing)
		return s.mw.Wrap(router)
	}},
	"gin":            {handler: ginSite},
	"echo v4":        {handler: func(s site) http.Handler { return s.mw.Wrap(echoV4Site(s)) }},
	"echo v5":        {handler: func(s site) http.Handler { return s.mw.Wrap(echoV5Site(s)) }},
	"echo v4 by Use": {handler: func(s site) http.Handler { return echoV4Site(s, echov4.WrapMiddleware(s.mw.Wrap)) }},
	"echo v5 by Use": {handler: func(s site) http.Handler { return echoV5Site(s, echov5.WrapMiddleware(s.mw.Wrap)) }},
	"huma":           {handler: humaSite},
	// Its handlers get a request of fasthttp, so that they cannot save.
	"fiber":   {handler: fiberSite, limits: limits{noSave: true}},
	"connect": {handler: connectSite, visit: func(to http.RoundTripper) http.RoundTripper { return connectClient{to} }},
	"grpc-gateway": {handler: func(s site) http.Handler {
		gateway := runtime.NewServeMux(runtime.WithRoutingErrorHandler(
			func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int) {
				missing(w, r)
			}))
		for path, h := range map[string]http.HandlerFunc{"GET /": page, "POST /accept": s.accept, "GET /stream": s.stream} {
			method, path, _ := strings.Cut(path, " ")
			if err := gateway.HandlePath(method, path, func(w http.ResponseWriter, r *http.Request, _ map[string]string) { h(w, r) }); err != nil {
				panic(err)
			}
		}
		mux := http.NewServeMux()
		mux.Handle("/cookies/", s.site.Handler())
		mux.Handle("/", gateway)
		return s.mw.Wrap(mux)
	}},
}

func TestARouterInsideOfTheMiddleware(t *testing.T) {
	for name, router := range routers {
		t.Run(name, func(t *testing.T) {
			s, err := newSite()
			require.NoError(t, err)
			server := drive.Serve(t, router.handler(s))
			client := server.Client()
			if router.visit != nil {
				client.Transport = router.visit(client.Transport)
			}
			try(t, s, client, server.URL, router.limits)
		})
	}
}

func ginSite(s site) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Any("/cookies/*path", gin.WrapH(s.site.Handler()))
	setBoth := func(c *gin.Context) {
		for _, cookie := range cookies() {
			c.SetCookieData(cookie)
		}
	}
	page := func(c *gin.Context) {
		setBoth(c)
		c.String(http.StatusOK, "counted: %t", consent.FromContext(c.Request.Context()).Allows(consent.Statistics))
	}
	engine.GET("/", page)
	engine.NoRoute(func(c *gin.Context) { setBoth(c); c.String(http.StatusNotFound, "not here") })
	engine.POST("/accept", func(c *gin.Context) {
		if err := s.mw.Save(c.Writer, c.Request, consent.AcceptAll()); err != nil {
			c.AbortWithError(http.StatusInternalServerError, err)
			return
		}
		page(c)
	})
	engine.GET("/stream", func(c *gin.Context) {
		setBoth(c)
		first := true
		c.Stream(func(w io.Writer) bool {
			if first {
				io.WriteString(w, "one,")
				first = false
				return true
			}
			s.wait(c.Request.Context().Done())
			fmt.Fprint(w, "late: ", errors.Is(s.mw.Save(c.Writer, c.Request, consent.AcceptAll()), consent.ErrTooLate))
			return false
		})
	})
	return s.mw.Wrap(engine)
}

func echoV4Site(s site, use ...echov4.MiddlewareFunc) *echov4.Echo {
	e := echov4.New()
	e.Use(use...)
	e.Any("/cookies/*", echov4.WrapHandler(s.site.Handler()))
	setBoth := func(c echov4.Context) {
		for _, cookie := range cookies() {
			c.SetCookie(cookie)
		}
	}
	page := func(c echov4.Context) error {
		setBoth(c)
		return c.String(http.StatusOK, fmt.Sprint("counted: ", consent.FromContext(c.Request().Context()).Allows(consent.Statistics)))
	}
	e.GET("/", page)
	e.HTTPErrorHandler = func(_ error, c echov4.Context) {
		setBoth(c)
		c.NoContent(http.StatusNotFound)
	}
	e.POST("/accept", func(c echov4.Context) error {
		if err := s.mw.Save(c.Response(), c.Request(), consent.AcceptAll()); err != nil {
			return err
		}
		return page(c)
	})
	e.GET("/stream", func(c echov4.Context) error { s.stream(c.Response(), c.Request()); return nil })
	return e
}

func echoV5Site(s site, use ...echov5.MiddlewareFunc) *echov5.Echo {
	e := echov5.New()
	e.Use(use...)
	e.Any("/cookies/*", echov5.WrapHandler(s.site.Handler()))
	setBoth := func(c *echov5.Context) {
		for _, cookie := range cookies() {
			c.SetCookie(cookie)
		}
	}
	page := func(c *echov5.Context) error {
		setBoth(c)
		return c.String(http.StatusOK, fmt.Sprint("counted: ", consent.FromContext(c.Request().Context()).Allows(consent.Statistics)))
	}
	e.GET("/", page)
	e.HTTPErrorHandler = func(c *echov5.Context, _ error) {
		setBoth(c)
		c.NoContent(http.StatusNotFound)
	}
	e.POST("/accept", func(c *echov5.Context) error {
		if err := s.mw.Save(c.Response(), c.Request(), consent.AcceptAll()); err != nil {
			return err
		}
		return page(c)
	})
	e.GET("/stream", func(c *echov5.Context) error { s.stream(c.Response(), c.Request()); return nil })
	return e
}

// request stands for the request, which a handler of huma or connect does not get:
// the middleware finds its own by the context.
func request(ctx context.Context) *http.Request { return new(http.Request).WithContext(ctx) }

type humaPage struct {
	SetCookie   []*http.Cookie `header:"Set-Cookie"`
	ContentType string         `header:"Content-Type"`
	Saved       string         `header:"Saved"`
	Body        []byte
}

func humaSite(s site) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/cookies/", s.site.Handler())
	api := humago.New(mux, huma.DefaultConfig("Trial", "1"))
	page := func(ctx context.Context, _ *struct{}) (*humaPage, error) {
		counted := consent.FromContext(ctx).Allows(consent.Statistics)
		return &humaPage{SetCookie: cookies(), ContentType: "text/plain", Body: fmt.Append(nil, "counted: ", counted)}, nil
	}
	huma.Get(api, "/{$}", page)
	mux.HandleFunc("/", missing)
	huma.Post(api, "/accept", func(ctx context.Context, in *struct{}) (*humaPage, error) {
		if err := s.mw.Save(nil, request(ctx), consent.AcceptAll()); err != nil {
			return nil, err
		}
		return page(ctx, in)
	}, func(o *huma.Operation) { o.DefaultStatus = http.StatusOK })
	huma.Get(api, "/stream", func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			r, w := humago.Unwrap(ctx)
			s.stream(w, r)
		}}, nil
	})
	return s.mw.Wrap(mux)
}

func fiberSite(s site) http.Handler {
	app := fiber.New()
	setBoth := func(c fiber.Ctx) {
		for _, cookie := range cookies() {
			c.Cookie(&fiber.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	app.Get("/", func(c fiber.Ctx) error { setBoth(c); return c.SendString("home") })
	app.Get("/stream", func(c fiber.Ctx) error {
		setBoth(c)
		return c.SendStreamWriter(func(w *bufio.Writer) {
			w.WriteString("one,")
			w.Flush()
			s.wait(nil)
			w.WriteString("two")
		})
	})
	app.Use(func(c fiber.Ctx) error { setBoth(c); return c.SendStatus(http.StatusNotFound) })

	mux := http.NewServeMux()
	mux.Handle("/cookies/", s.site.Handler())
	mux.HandleFunc("POST /accept", s.accept)
	mux.Handle("/", adaptor.FiberApp(app))
	return s.mw.Wrap(mux)
}

const service = "/trial.v1.Trial/"

func connectSite(s site) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/cookies/", s.site.Handler())
	setBoth := func(h http.Header) {
		for _, c := range cookies() {
			h.Add("Set-Cookie", c.String())
		}
	}
	page := func(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
		answer := connect.NewResponse(wrapperspb.String(fmt.Sprint("counted: ", consent.FromContext(ctx).Allows(consent.Statistics))))
		setBoth(answer.Header())
		return answer, nil
	}
	mux.Handle(service+"Page", connect.NewUnaryHandler(service+"Page", page))
	mux.Handle(service+"Missing", connect.NewUnaryHandler(service+"Missing",
		func(context.Context, *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
			err := connect.NewError(connect.CodeNotFound, errors.New("not here"))
			setBoth(err.Meta())
			return nil, err
		}))
	mux.Handle(service+"Accept", connect.NewUnaryHandler(service+"Accept",
		func(ctx context.Context, r *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
			if err := s.mw.Save(nil, request(ctx), consent.AcceptAll()); err != nil {
				return nil, err
			}
			return page(ctx, r)
		}))
	mux.Handle(service+"Stream", connect.NewServerStreamHandler(service+"Stream",
		func(ctx context.Context, _ *connect.Request[emptypb.Empty], stream *connect.ServerStream[wrapperspb.StringValue]) error {
			setBoth(stream.ResponseHeader())
			if err := stream.Send(wrapperspb.String("one")); err != nil {
				return err
			}
			s.wait(ctx.Done())
			return stream.Send(wrapperspb.String(fmt.Sprint("late: ", errors.Is(s.mw.Save(nil, request(ctx), consent.AcceptAll()), consent.ErrTooLate))))
		}))
	return s.mw.Wrap(mux)
}

// A connectClient calls a method of the service for each page, in JSON.
type connectClient struct{ to http.RoundTripper }

func (c connectClient) RoundTrip(r *http.Request) (*http.Response, error) {
	method, ok := map[string]string{"/": "Page", "/missing": "Missing", "/accept": "Accept", "/stream": "Stream"}[r.URL.Path]
	if !ok {
		return c.to.RoundTrip(r)
	}
	page := r
	r = r.Clone(r.Context())
	body, kind := "{}", "application/json"
	if method == "Stream" {
		kind = "application/connect+json"
		body = string(binary.BigEndian.AppendUint32([]byte{0}, 2)) + body // the frame of a message
	}
	r.Method, r.URL.Path, r.Body, r.ContentLength = "POST", service+method, io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", kind)
	response, err := c.to.RoundTrip(r)
	if err == nil {
		response.Request = page
	}
	return response, err
}
