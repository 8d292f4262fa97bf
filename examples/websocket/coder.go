package main

import (
	"context"
	"net/http"

	"github.com/coder/websocket"
)

// echoByCoder sends back what it gets. Coder's library has the server write the
// head of the upgrade, with the cookies of the response.
func echoByCoder(w http.ResponseWriter, r *http.Request) {
	setCookies(w.Header())
	conn, err := websocket.Accept(w, r, nil) // refuses other sites
	if err != nil {
		return // it has answered
	}
	defer conn.CloseNow()
	for ctx := context.Background(); ; {
		kind, message, err := conn.Read(ctx)
		if err != nil || conn.Write(ctx, kind, message) != nil {
			return // the visitor has left
		}
	}
}
