module github.com/cookiecharter/consent

go 1.26.0

require (
	github.com/gorilla/securecookie v1.1.2
	github.com/stretchr/testify v1.7.1
	golang.org/x/text v0.3.8
)

require (
	github.com/davecgh/go-spew v1.1.0 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	gopkg.in/yaml.v3 v3.0.0-20200313102051-9f266ea9e77c // indirect
)
