package ledger

import (
	"errors"
	"os"
	"syscall"
)

// errLocked says that another process has a file.
var errLocked = syscall.Errno(32) // ERROR_SHARING_VIOLATION

// openLocked opens a file for this process alone.
func openLocked(path string, flags int) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	access, disposition := uint32(syscall.GENERIC_READ|syscall.GENERIC_WRITE), uint32(syscall.OPEN_EXISTING)
	if flags&os.O_RDWR == 0 {
		access = syscall.GENERIC_READ
	}
	if flags&os.O_CREATE != 0 {
		disposition = syscall.CREATE_NEW
	}
	const shared = 0 // with nobody
	handle, err := syscall.CreateFile(name, access, shared, nil, disposition, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(handle), path)
	if file == nil {
		return nil, errors.New("ledger: " + path + " cannot be opened")
	}
	return file, nil
}

// isThere reports that the file is in its place: Windows moves and deletes none that is open.
func (f *spoolFile) isThere() bool { return true }

// syncFolder does nothing: Windows keeps names without it.
func syncFolder(string) error { return nil }
