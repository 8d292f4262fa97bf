//go:build unix

package browsertest

import (
	"os/exec"
	"syscall"
)

// ownGroup has the process that cmd will start lead a group, since a browser is
// many processes.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
