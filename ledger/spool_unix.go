//go:build !windows

package ledger

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errLocked says that another process has a file.
var errLocked = errors.New("another process has it")

// openLocked opens a file for this process alone.
func openLocked(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return file, nil
}

func lock(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	if err != nil {
		return err
	}
	// Who had it until now may have deleted it.
	there, err := os.Lstat(file.Name())
	if err != nil {
		return err
	}
	if mine, err := file.Stat(); err != nil || !os.SameFile(there, mine) {
		return errors.Join(errLocked, err)
	}
	return nil
}

// isThere reports that the file is in its place, where the next process finds it.
func (f *spoolFile) isThere() bool {
	there, err := os.Lstat(f.Name())
	if err != nil {
		return false
	}
	mine, err := f.Stat()
	return err == nil && os.SameFile(there, mine)
}

// syncFolder has a new name survive a loss of power.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
