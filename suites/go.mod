module github.com/cookiecharter/consent/suites

go 1.26.0

replace github.com/cookiecharter/consent => ../

require (
	github.com/cookiecharter/consent v0.1.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/text v0.43.0
)

require (
	github.com/gorilla/securecookie v1.1.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
