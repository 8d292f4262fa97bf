//go:build !windows

package ledger_test

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// postgresBinaries returns the folder of the server's programs; "" if there are none.
func postgresBinaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil && len(found) == 0 {
		found = []string{path}
	}
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// serverOwner is who the server runs as, since it refuses to be root: another user of the
// same group, which may reach what the test can. It is nil for whoever runs the test.
func serverOwner() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(os.Getgid())}
		}
	}
	return nil
}

// giveToServer lets the server write to a folder.
func giveToServer(folder string) error {
	who := serverOwner()
	if who == nil {
		return nil
	}
	return os.Chown(folder, int(who.Uid), int(who.Gid))
}

// asServer has a command run as the server does, in a group of its own.
func asServer(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Credential: serverOwner(), Setpgid: true}
}

// endServer ends a server at once.
func endServer(process *os.Process) { _ = process.Signal(syscall.SIGQUIT) }
