// Package beego sets cookies by the controllers of beego, which has sessions too.
package beego

import (
	"github.com/beego/beego/v2/web"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "declared"})

type login struct{ web.Controller }

func (l *login) Post() {
	l.Ctx.SetCookie("declared", "1")
	l.Ctx.SetCookie("lang", "fr", 60) // want `cookie "lang" is set by github.com/beego/beego/v2/context but not declared`
	l.Ctx.SetCookie("gone", "", -1)
}

func main() {
	_ = web.Run() // want `cookie "beegosessionID" is set by github.com/beego/beego/v2/session but not declared`
}
