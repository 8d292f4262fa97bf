package roads

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gorilla/mux"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	echov4 "github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/examples/internal/drive"
)

// Each form compiles, and filters a part or nothing. A test that turns red here tells
// that a framework has changed.
var wrong = map[string]struct {
	serve         func(*testing.T, site) string
	home, missing bool  // which page sets what nobody has agreed to
	save          error // what a Save says in the handler of a page that leaks
}{
	"fiber: adaptor.HTTPMiddleware":      {fiberMiddleware, true, true, consent.ErrOutside},
	"gin: Use with Next":                 {ginMiddleware((*gin.Context).Next), true, true, consent.ErrBypassed},
	"gin: Use without Next":              {ginMiddleware(func(*gin.Context) {}), true, true, consent.ErrBypassed},
	"echo v4: WrapMiddleware, not first": {echoV4Middleware, false, true, consent.ErrOutside},
	"echo v5: WrapMiddleware, not first": {echoV5Middleware, false, true, consent.ErrOutside},
	"gorilla/mux: Use":                   {gorillaMiddleware, false, true, consent.ErrOutside},
	"huma: UseMiddleware":                {humaMiddleware, true, true, nil},
	"grpc-gateway: WithMiddlewares":      {gatewayMiddleware, false, true, consent.ErrOutside},
}

func TestAFormThatFiltersAPartOrNothing(t *testing.T) {
	for name, form := range wrong {
		t.Run(name, func(t *testing.T) {
			s, err := newSite()
			require.NoError(t, err)
			v, url := drive.New(t, http.DefaultClient), form.serve(t, s)
			home := v.Get(url + "/")
			require.Equal(t, http.StatusOK, home.StatusCode, home.Text)
			assert.True(t, home.Sets(necessary))
			assert.Equal(t, form.home, home.Sets(asked), "/")
			missing := v.Get(url + "/missing")
			assert.Equal(t, http.StatusNotFound, missing.StatusCode, missing.Text)
			assert.True(t, missing.Sets(necessary))
			assert.Equal(t, form.missing, missing.Sets(asked), "/missing")

			page := url + "/missing?save"
			if form.home {
				page = url + "/?save"
			}
			answer := v.Get(page)
			assert.Equal(t, fmt.Sprint(form.save), answer.Header.Get("Saved"))
			assert.False(t, answer.Sets(consent.CookieName), "a decision is lost")
		})
	}
}

// leak is a page as the others, which saves a decision if the request asks for it.
func (s site) leak(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "save" {
			w.Header().Set("Saved", fmt.Sprint(s.mw.Save(w, r, consent.RefuseAll())))
		}
		setBoth(w)
		w.WriteHeader(status)
		io.WriteString(w, "a page")
	}
}

func fiberMiddleware(t *testing.T, s site) string {
	app := fiber.New()
	app.Use(adaptor.HTTPMiddleware(s.mw.Wrap))
	app.Get("/", adaptor.HTTPHandler(s.leak(http.StatusOK)))
	app.Use(adaptor.HTTPHandler(s.leak(http.StatusNotFound)))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true})
	t.Cleanup(func() { app.Shutdown() })
	return "http://" + listener.Addr().String()
}

// ginMiddleware leaves c.Writer as it is, which is gin's own.
func ginMiddleware(next func(*gin.Context)) func(*testing.T, site) string {
	return func(t *testing.T, s site) string {
		gin.SetMode(gin.ReleaseMode)
		engine := gin.New()
		engine.Use(func(c *gin.Context) {
			s.mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				c.Request = r
				next(c)
			})).ServeHTTP(c.Writer, c.Request)
		})
		engine.GET("/", gin.WrapF(s.leak(http.StatusOK)))
		engine.NoRoute(gin.WrapF(s.leak(http.StatusNotFound)))
		return drive.Serve(t, engine).URL
	}
}

func echoV4Middleware(t *testing.T, s site) string {
	e := echov4.New()
	e.Use(func(next echov4.HandlerFunc) echov4.HandlerFunc {
		return func(c echov4.Context) error {
			if c.Request().URL.Path != "/" {
				s.leak(http.StatusNotFound)(c.Response(), c.Request())
				return nil
			}
			return next(c)
		}
	}, echov4.WrapMiddleware(s.mw.Wrap))
	e.GET("/", echov4.WrapHandler(s.leak(http.StatusOK)))
	return drive.Serve(t, e).URL
}

func echoV5Middleware(t *testing.T, s site) string {
	e := echov5.New()
	e.Use(func(next echov5.HandlerFunc) echov5.HandlerFunc {
		return func(c *echov5.Context) error {
			if c.Request().URL.Path != "/" {
				s.leak(http.StatusNotFound)(c.Response(), c.Request())
				return nil
			}
			return next(c)
		}
	}, echov5.WrapMiddleware(s.mw.Wrap))
	e.GET("/", echov5.WrapHandler(s.leak(http.StatusOK)))
	return drive.Serve(t, e).URL
}

func gorillaMiddleware(t *testing.T, s site) string {
	router := mux.NewRouter()
	router.Use(s.mw.Wrap)
	router.HandleFunc("/", s.leak(http.StatusOK))
	router.NotFoundHandler = s.leak(http.StatusNotFound)
	return drive.Serve(t, router).URL
}

// humaMiddleware hands on huma's context, which writes to the writer that it has.
func humaMiddleware(t *testing.T, s site) string {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("Trial", "1"))
	api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		s.mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			next(huma.WithContext(ctx, r.Context()))
		})).ServeHTTP(w, r)
	})
	huma.Get(api, "/{$}", func(ctx context.Context, _ *struct{}) (*humaPage, error) {
		saved := fmt.Sprint(s.mw.Save(nil, request(ctx), consent.RefuseAll()))
		return &humaPage{SetCookie: cookies(), Saved: saved, Body: []byte("a page")}, nil
	})
	mux.HandleFunc("/", s.leak(http.StatusNotFound))
	return drive.Serve(t, mux).URL
}

func gatewayMiddleware(t *testing.T, s site) string {
	gateway := runtime.NewServeMux(
		runtime.WithMiddlewares(func(next runtime.HandlerFunc) runtime.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
				s.mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next(w, r, params) })).ServeHTTP(w, r)
			}
		}),
		runtime.WithRoutingErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int) {
			s.leak(http.StatusNotFound)(w, r)
		}))
	require.NoError(t, gateway.HandlePath("GET", "/", func(w http.ResponseWriter, r *http.Request, _ map[string]string) { s.leak(http.StatusOK)(w, r) }))
	return drive.Serve(t, gateway).URL
}
