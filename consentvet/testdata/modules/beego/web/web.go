// Package web runs a site, with sessions if it says so.
package web

import (
	"net/http"

	"github.com/beego/beego/v2/context"
	"github.com/beego/beego/v2/session"
)

type Config struct{ SessionName string }

var BConfig = &Config{SessionName: "beegosessionID"}

type Controller struct{ Ctx *context.Context }

func Run() error {
	manager := session.NewManager(&session.ManagerConfig{CookieName: BConfig.SessionName})
	return http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { manager.Start(w, r) }))
}
