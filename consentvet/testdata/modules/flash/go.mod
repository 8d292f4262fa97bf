module example.com/flash

go 1.26.0

require github.com/gin-gonic/gin v1.0.0
