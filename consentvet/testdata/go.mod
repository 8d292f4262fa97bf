module example.com/sites

go 1.26.0

// Small modules stand for frameworks: they set cookies as these do.
replace (
	example.com/flash => ./modules/flash
	example.com/hooked => ./modules/hooked
	github.com/beego/beego/v2 => ./modules/beego
	github.com/cookiecharter/consent => ../..
	github.com/gin-gonic/gin => ./modules/gin
	github.com/gofiber/fiber/v2 => ./modules/fiber
	github.com/labstack/echo/v4 => ./modules/echo
	github.com/valyala/fasthttp => ./modules/fasthttp
	gopkg.in/macaron.v1 => ./modules/macaron
)

require (
	example.com/flash v1.0.0
	example.com/hooked v1.0.0
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/beego/beego/v2 v2.0.0
	github.com/cookiecharter/consent v0.1.0
	github.com/gin-gonic/gin v1.0.0
	github.com/gofiber/fiber/v2 v2.0.0
	github.com/gorilla/csrf v1.7.3
	github.com/gorilla/sessions v1.4.0
	github.com/justinas/nosurf v1.2.0
	github.com/labstack/echo/v4 v4.0.0
	golang.org/x/text v0.43.0
	gopkg.in/macaron.v1 v1.0.0
)

require (
	github.com/gorilla/securecookie v1.1.2 // indirect
	github.com/valyala/fasthttp v1.0.0 // indirect
)
