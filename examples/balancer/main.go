// Command balancer runs three instances of a site behind a balancer. They share
// their keys, so that a decision taken on one counts on all; and the keys are
// changed while they run, whenever you press Enter.
package main

import (
	"bufio"
	"crypto/rand"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"sync/atomic"
)

func main() {
	keys := [][]byte{newKey()}
	var instances []*instance
	var targets []*url.URL
	for _, name := range []string{"A", "B", "C"} {
		i := &instance{name: name}
		if err := i.use(keys); err != nil {
			log.Fatal(err)
		}
		listener, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			log.Fatal(err)
		}
		go func() { log.Fatal(http.Serve(listener, i)) }()
		instances = append(instances, i)
		targets = append(targets, &url.URL{Scheme: "http", Host: listener.Addr().String()})
	}
	go func() { log.Fatal(http.ListenAndServe("localhost:8080", newBalancer(targets))) }()

	log.Println("open http://localhost:8080; press Enter to change the key, Ctrl-C to end it")
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		fresh := newKey()
		for err := range rotation(instances, keys, fresh) {
			if err != nil {
				log.Fatal(err)
			}
		}
		keys = slices.Insert(keys, 0, fresh) // the old ones may go when a lifetime has passed
		log.Println("the key is changed, and nobody is asked again")
	}
}

func newKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}

// newBalancer hands each request to the next of the targets.
func newBalancer(targets []*url.URL) http.Handler {
	var turn atomic.Uint64
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(targets[turn.Add(1)%uint64(len(targets))])
		r.Out.Host = r.In.Host // forms are checked against it, and cookies are expired for it
		r.SetXForwarded()
	}}
}
