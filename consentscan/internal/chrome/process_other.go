//go:build !unix

package chrome

import (
	"errors"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// start: Go hands no further file descriptors to a process on Windows, and the pipes of
// a Chromium are two of them.
func start(*exec.Cmd) (*chromedp.PipeConn, error) {
	return nil, errors.New("consentscan needs Linux or macOS: on Windows, run it in WSL")
}

func kill(cmd *exec.Cmd) error { return cmd.Process.Kill() }
