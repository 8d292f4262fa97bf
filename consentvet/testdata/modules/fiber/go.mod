module github.com/gofiber/fiber/v2

go 1.26.0

require github.com/valyala/fasthttp v1.0.0
