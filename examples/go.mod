module github.com/cookiecharter/consent/examples

go 1.26.0

require (
	github.com/cookiecharter/consent v0.0.0
	golang.org/x/text v0.43.0
)

require github.com/gorilla/securecookie v1.1.2 // indirect

replace github.com/cookiecharter/consent => ../
