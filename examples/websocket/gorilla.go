package main

import (
	"net/http"

	"github.com/gorilla/websocket"
)

var upgrader websocket.Upgrader // refuses other sites

// echoByGorilla sends back what it gets. Gorilla writes the head of the upgrade
// to the connection by itself, with the cookies that it is given.
func echoByGorilla(w http.ResponseWriter, r *http.Request) {
	head := make(http.Header)
	setCookies(head)
	conn, err := upgrader.Upgrade(w, r, head)
	if err != nil {
		return // it has answered
	}
	defer conn.Close()
	conn.SetReadLimit(32 << 10)
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, message) != nil {
			return // the visitor has left
		}
	}
}
