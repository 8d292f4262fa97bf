// Command opendata is a small open-data portal whose cookies are declared,
// explained and kept to what the visitor has chosen.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cookiecharter/consent/ledger"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	db := flag.String("db", "opendata.db", "`file or postgres:// URL` of the database that keeps what visitors decide")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("opendata: %q is not a flag", flag.Arg(0))
	}
	if err := run(*addr, *db, os.Stdout); err != nil {
		log.Fatal("opendata: ", err)
	}
}

// run serves the portal until it is interrupted, and says so to out.
func run(addr, db string, out io.Writer) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	books, err := ledger.Open(ctx, db, ledger.Config{})
	if err != nil {
		return fmt.Errorf("%w (-db chooses another database)", err)
	}
	defer func() {
		patience, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		err = errors.Join(err, books.Close(patience))
	}()
	handler, err := newSite(books)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w (-addr chooses another address)", err)
	}
	fmt.Fprintf(out, "Open %s in a browser to see the portal; Ctrl-C stops it.\n", address(addr, listener.Addr()))
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stop() // from here on an interrupt ends the program at once
		fmt.Fprintln(out, "Stopping, once the last answers are out. Ctrl-C again does not wait.")
		patience, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		err := server.Shutdown(patience)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close() // browsers keep connections open that they do not use
		}
		done <- err
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}

// address is where a browser finds the portal: the host as it was given, since
// "localhost" is easier to recognise than what it stands for, and the port that
// is listened on, which for port 0 the system has picked.
func address(given string, listening net.Addr) string {
	host, _, _ := net.SplitHostPort(given) // it has been listened on
	if host == "" {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(listening.String())
	return "http://" + net.JoinHostPort(host, port)
}
