package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asProgram makes the test's binary the program itself, for the tests that
// need a process.
const asProgram = "OPENDATA_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A program is the portal as a process, and what it prints.
type program struct {
	*exec.Cmd
	site string
	out  *bufio.Reader
}

func start(t *testing.T) program {
	t.Helper()
	p := program{Cmd: exec.Command(os.Args[0], "-addr", "localhost:0", "-db", filepath.Join(t.TempDir(), "opendata.db"))}
	p.Env = append(os.Environ(), asProgram+"=1")
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() }) // an error means that it has ended
	p.out = bufio.NewReader(out)
	first, err := p.out.ReadString('\n')
	require.NoError(t, err)
	_, err = fmt.Sscanf(first, "Open %s in a browser", &p.site)
	require.NoError(t, err, first)
	return p
}

// end returns how the program ends.
func (p program) end(t *testing.T) error {
	t.Helper()
	hurry := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	defer hurry.Stop()
	_, err := io.Copy(io.Discard, p.out)
	require.NoError(t, err)
	return p.Wait()
}

func TestAnInterruptStopsThePortalOnceTheLastAnswersAreOut(t *testing.T) {
	t.Parallel()
	p := start(t)
	assert.Regexp(t, `^http://localhost:[1-9]\d*$`, p.site)
	response, err := http.Get(p.site)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)

	slow := begin(t, p)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	said, err := p.out.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "Stopping, once the last answers are out. Ctrl-C again does not wait.\n", said)
	_, err = fmt.Fprint(slow, "language=en")
	require.NoError(t, err)
	status, err := bufio.NewReader(slow).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 303 See Other\r\n", status)
	assert.NoError(t, p.end(t))
}

func TestAConnectionThatSaysNothingKeepsNoPortalOpen(t *testing.T) {
	t.Parallel()
	p := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.site, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, p.Process.Signal(os.Interrupt))
	assert.NoError(t, p.end(t))
}

func TestASecondInterruptDoesNotWait(t *testing.T) {
	t.Parallel()
	p := start(t)
	begin(t, p)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	_, err := p.out.ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	err = p.end(t)
	exit := new(exec.ExitError)
	require.True(t, errors.As(err, &exit), "%v", err)
	assert.Equal(t, syscall.SIGINT, exit.Sys().(syscall.WaitStatus).Signal())
}

// begin begins a request whose form is yet to come.
func begin(t *testing.T, p program) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.site, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /language HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n")
	require.NoError(t, err)
	// The server asks for the form, so that its handler is known to run.
	ask := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	_, err = io.ReadFull(conn, ask)
	require.NoError(t, err)
	return conn
}

func TestTheAddressIsPrintedAsItWasGiven(t *testing.T) {
	for _, test := range []struct{ given, listening, want string }{
		{"localhost:8080", "127.0.0.1:8080", "http://localhost:8080"},
		{"localhost:0", "127.0.0.1:43210", "http://localhost:43210"},
		{"127.0.0.1:8080", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{":8080", "[::]:8080", "http://localhost:8080"},
		{"0.0.0.0:http", "0.0.0.0:80", "http://0.0.0.0:80"},
		{"[::1]:0", "[::1]:43210", "http://[::1]:43210"},
	} {
		listening, err := net.ResolveTCPAddr("tcp", test.listening)
		require.NoError(t, err)
		assert.Equal(t, test.want, address(test.given, listening))
	}
}

func TestAnAddressThatIsTakenIsAnErrorThatNamesTheFlag(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer taken.Close()
	err = run(taken.Addr().String(), filepath.Join(t.TempDir(), "opendata.db"), io.Discard)
	assert.ErrorContains(t, err, taken.Addr().String())
	assert.ErrorContains(t, err, "-addr")
}

func TestADatabaseThatCannotBeOpenedIsAnErrorThatNamesTheFlag(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nowhere", "opendata.db")
	err := run("localhost:0", missing, io.Discard)
	assert.ErrorContains(t, err, missing)
	assert.ErrorContains(t, err, "-db")
}
