module github.com/cookiecharter/consent/examples

go 1.26.0

require (
	github.com/cookiecharter/consent v0.0.0
	github.com/go-chi/chi/v5 v5.5.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/text v0.43.0
)

require (
	github.com/gorilla/securecookie v1.1.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/cookiecharter/consent => ../
