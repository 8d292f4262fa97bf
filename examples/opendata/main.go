// Command opendata is a small open-data portal whose cookies are declared,
// explained and kept to what the visitor has chosen.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cookiecharter/consent"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		log.Fatal(err)
	}
}

// run serves the portal until ctx is done.
func run(ctx context.Context, addr string) error {
	handler, err := newSite()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("The portal is at http://%s (stop it with Ctrl-C)\n", listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		done <- server.Shutdown(patience)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}

// newSite wires the portal: the declarations, the middleware made of them, and
// around it what watches the middleware at work, for the panel.
func newSite() (http.Handler, error) {
	key := make([]byte, 32) // for this run alone; a real site keeps its keys
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: cookies,
		Keys:     [][]byte{key},
		Insecure: true, // the portal speaks plain http, on this machine
		Observe:  observe,
	})
	if err != nil {
		return nil, err
	}
	// Other sites' pages cannot post the portal's forms.
	return watch(http.NewCrossOriginProtection().Handler(mw.Wrap(newPortal(mw)))), nil
}
