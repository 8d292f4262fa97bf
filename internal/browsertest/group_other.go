//go:build !unix

package browsertest

import "os/exec"

// Where processes have no groups, a browser ends the rest of it when its first
// one has gone.

func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
