// Package servertest runs the servers of others in tests: nginx, HAProxy, Varnish and what
// else a test starts by itself.
package servertest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Find returns the path of the first of these programs that is installed. If none is, the
// test is skipped; with CI=true it fails.
func Find(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("none of %q is installed, and CI=true asks for it", names)
	}
	t.Skipf("none of %q is installed", names)
	return ""
}

// Systems give away the ports from 32768 (Linux) or 49152 (RFC 6335, section 6) to whoever
// wants any: connections that go out, and servers at port 0.
const firstPort, lastPort = 20000, 32767

// FreeAddress returns an address of this machine at which nothing listens. Its port is none
// of those that the system gives away: on a busy machine somebody else would have it by the
// time that the server begins to listen.
func FreeAddress(t testing.TB) string {
	t.Helper()
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			listener.Close()
			return listener.Addr().String()
		}
	}
	t.Fatal(err)
	return ""
}

// Folder returns a folder that lasts as long as the test. Its path is short, since it is part
// of a socket's name, and every user can write to it, since a server's workers are another's.
func Folder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "server")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	return folder
}

// patience is how long a server has to begin to listen, and to end.
const patience = time.Minute

// Run runs a server until the test ends. It returns when something listens at an address. If
// nothing does, the test fails with what the server has said.
func Run(t testing.TB, server *exec.Cmd, address string) {
	t.Helper()
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close() // the server has its own
	server.Stdout, server.Stderr = said, said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// No interrupt: what a shell has begun in the background ignores it, and so does all
		// that it begins.
		_ = server.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(patience, func() { _ = server.Process.Kill() })
		defer late.Stop()
		_ = server.Wait() // terminated
	})
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
	}
	text, _ := os.ReadFile(said.Name())
	t.Fatalf("%s does not listen at %s: %s", server.Path, address, text)
}

// nginx has what nginx needs around its servers to run in a folder of its own.
const nginx = `daemon off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	proxy_cache_path %[1]s/cache keys_zone=pages:1m;
%[2]s
}
`

// Nginx runs nginx with these servers, one of which listens at an address. They can keep pages
// in the zone "pages".
func Nginx(t testing.TB, address, servers string) {
	t.Helper()
	program, folder := Find(t, "nginx"), Folder(t)
	config := write(t, folder, fmt.Sprintf(nginx, folder, servers))
	Run(t, exec.Command(program, "-p", folder, "-e", filepath.Join(folder, "error.log"), "-c", config), address)
}

// HAProxy runs HAProxy with a configuration that listens at an address.
func HAProxy(t testing.TB, address, config string) {
	t.Helper()
	Run(t, exec.Command(Find(t, "haproxy"), "-db", "-f", write(t, Folder(t), config)), address)
}

// Varnish runs Varnish at an address with a configuration in VCL.
func Varnish(t testing.TB, address, config string) {
	t.Helper()
	program, folder := Find(t, "varnishd"), Folder(t)
	Run(t, exec.Command(program, "-F", "-j", "none", "-n", folder, "-a", address, "-f", write(t, folder, config), "-s", "malloc,16m"), address)
}

// write writes a configuration into a folder, and returns its path.
func write(t testing.TB, folder, config string) string {
	t.Helper()
	file := filepath.Join(folder, "config")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
