package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A closedFile is a file of SQLite that nobody has open: there is no log of what was
// written since. SQLite would make one to read it, and leave it there, unless it is told
// that nothing will change.
type closedFile struct {
	path  string
	about fs.FileInfo
}

// findClosed returns the file at path if it is one; nil if it is not.
func findClosed(path string) (*closedFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return nil, err
	}
	const modes = 18 // where the header says if there is a log (SQLite's file format, section 1.3.3)
	header := make([]byte, modes+1)
	if n, _ := io.ReadFull(file, header); n < len(header) || header[modes] != 2 {
		return nil, nil
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &closedFile{path, about}, nil
}

// inCopy returns the path of the file in the folder of a copy.
func inCopy(folder string) string { return filepath.Join(folder, "consent.db") }

// copyLeft copies a file of SQLite whose log nobody has open, as there is no index of it:
// SQLite would make one next to the file, which may be on a medium that takes none. It
// returns the folder of the copy; "" if there is no such log.
func copyLeft(path string) (folder string, err error) {
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
		return "", nil
	}
	if _, err := os.Stat(path + "-shm"); !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if folder, err = os.MkdirTemp("", "ledger"); err != nil {
		return "", err
	}
	for _, suffix := range []string{"", "-wal"} {
		if err := copyFile(path+suffix, inCopy(folder)+suffix); err != nil {
			os.RemoveAll(folder)
			return "", err
		}
	}
	return folder, nil
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// close closes what the ledger has opened itself.
func (d *database) close() error {
	err := errors.Join(d.checkUnchanged(), d.log.close(), d.Close())
	if d.temporary != "" {
		err = errors.Join(err, os.RemoveAll(d.temporary))
	}
	return err
}

// checkUnchanged fails if somebody has written to what was to stay as it is.
func (d *database) checkUnchanged() error {
	if d.closed == nil {
		return nil
	}
	now, err := os.Stat(d.closed.path)
	_, open := os.Stat(d.closed.path + "-wal")
	if err != nil || open == nil || now.Size() != d.closed.about.Size() || !now.ModTime().Equal(d.closed.about.ModTime()) {
		return fmt.Errorf("ledger: somebody has opened %s to write while it was read: read it again", d.name)
	}
	return nil
}
