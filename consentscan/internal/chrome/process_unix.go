//go:build unix

package chrome

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/chromedp/chromedp"
)

// start starts cmd with a pipe to its file descriptor 3 and one from 4, where a Chromium
// reads commands and writes answers. It leads a process group, since a browser is many.
func start(cmd *exec.Cmd) (*chromedp.PipeConn, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return kill(cmd) }
	commands, toBrowser, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	fromBrowser, answers, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, commands.Close(), toBrowser.Close())
	}
	cmd.ExtraFiles = []*os.File{commands, answers}
	err = cmd.Start()
	_, _ = commands.Close(), answers.Close() // the browser has its own
	if err != nil {
		return nil, errors.Join(err, toBrowser.Close(), fromBrowser.Close())
	}
	return chromedp.NewPipeConn(fromBrowser, toBrowser), nil
}

func kill(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
