package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	spoolFormat   = "consent-ledger-spool/1"
	maxSpoolFile  = 64 << 20
	spoolRoom     = 256 << 10 // is made at once, since a disk is slow to note a file's new size
	runBytes      = 8         // of what tells the files of one ledger from each other
	damagedSuffix = ".damaged"
)

// A spoolFile holds refusals and links. Its first line is the format with its version, and the ledger. Each
// further one is a seal (without keys a SHA-256 sum) in hexadecimal digits, a space, and a
// refusal, a notice or a link as JSON. What follows is zero. Its process has it locked.
type spoolFile struct {
	*os.File
	place   spoolPlace
	head    int64 // the length of the first line
	at      int64 // where the next line goes
	room    int64 // up to where the file is zero
	records int
	notices map[string]bool // by fingerprint: those that it holds
}

// A spooled is what a line holds: a refusal, a notice alone, or the link of a user.
type spooled struct {
	Notice string      `json:"notice,omitempty"` // the content
	User   hexadecimal `json:"user,omitempty"`   // of a link: consent_link.user_hash

	ID          key         `json:"id,omitzero"`
	Replaces    key         `json:"replaces,omitzero"` // the ID of a refusal that is to be written no more
	Reference   key         `json:"reference,omitzero"`
	Decided     int64       `json:"decided,omitzero"`
	Revision    int64       `json:"revision,omitzero"`
	Answers     string      `json:"answers,omitempty"`
	Objection   bool        `json:"objection,omitzero"`
	GPC         bool        `json:"gpc,omitzero"`
	Regime      string      `json:"regime,omitempty"`
	Action      string      `json:"action,omitempty"`
	Language    string      `json:"language,omitempty"`
	Fingerprint hexadecimal `json:"fingerprint,omitempty"` // of the notice
}

// makeSpoolFile makes an empty file, and its folder.
func makeSpoolFile(place spoolPlace) (*spoolFile, error) {
	if err := os.MkdirAll(place.folder, 0o700); err != nil {
		return nil, err
	}
	file, err := openLocked(filepath.Join(place.folder, place.newName()), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	f := &spoolFile{File: file, place: place, notices: make(map[string]bool)}
	head := []byte(spoolFormat + " " + place.ledger.String() + "\n")
	f.head = int64(len(head))
	if err := errors.Join(f.write(head), syncFolder(place.folder)); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	return f, nil
}

// openSpoolFile opens a file that another process has left.
func openSpoolFile(path string, place spoolPlace) (*spoolFile, error) {
	file, err := openLocked(path, os.O_RDWR)
	if err != nil && !errors.Is(err, errLocked) && !errors.Is(err, fs.ErrNotExist) {
		file, err = openLocked(path, os.O_RDONLY) // on a medium that cannot be written to
	}
	if err != nil {
		return nil, err
	}
	return &spoolFile{File: file, place: place}, nil
}

// write puts whole lines at the end, durably.
func (f *spoolFile) write(lines []byte) error {
	end := f.at + int64(len(lines))
	if end > maxSpoolFile {
		return errSpoolFull
	}
	if end > f.room {
		room := (end + spoolRoom - 1) / spoolRoom * spoolRoom
		if _, err := f.WriteAt(make([]byte, room-f.room), f.room); err != nil {
			return err
		}
		f.room = room
	}
	if _, err := f.WriteAt(lines, f.at); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	f.at = end
	return nil
}

// append adds links, and refusals with what notices they need.
func (f *spoolFile) append(w waiting) error {
	var lines bytes.Buffer
	var added []string
	for _, made := range w.links {
		f.line(&lines, spooled{User: made.user, Reference: made.reference, Decided: made.decided})
	}
	for _, e := range w.refusals {
		if e.notice != nil && !f.notices[string(e.row.notice)] {
			f.line(&lines, spooled{Notice: string(e.notice)})
			f.notices[string(e.row.notice)] = true
			added = append(added, string(e.row.notice))
		}
		r := &e.row
		f.line(&lines, spooled{
			ID: r.id, Replaces: e.replaces, Reference: r.reference, Decided: r.decided, Revision: r.revision, Answers: r.answers, Objection: r.objection, GPC: r.gpc,
			Regime: r.regime, Action: r.action, Language: r.language, Fingerprint: r.notice,
		})
	}
	if err := f.write(lines.Bytes()); err != nil {
		for _, fingerprint := range added {
			delete(f.notices, fingerprint)
		}
		return err
	}
	f.records += w.count()
	return nil
}

func (f *spoolFile) line(to *bytes.Buffer, s spooled) {
	content := []byte(compact(s))
	to.WriteString(hex.EncodeToString(f.sum(content)))
	to.WriteByte(' ')
	to.Write(content)
	to.WriteByte('\n')
}

// sealed is what the seal of a line covers.
func (f *spoolFile) sealed(content []byte) fields {
	return fields(nil).text("spool").key(f.place.ledger).bytes(content)
}

func (f *spoolFile) sum(content []byte) []byte {
	if f.place.sealer.can() {
		return f.place.sealer.seal(f.sealed(content))
	}
	return f.sealed(content).sum()
}

// holds reports that a line is as it was written.
func (f *spoolFile) holds(sum, content []byte) bool {
	if f.place.sealer.can() {
		return f.place.sealer.holds(sum, f.sealed(content))
	}
	return bytes.Equal(sum, f.sealed(content).sum())
}

// empty overwrites all lines but the first.
func (f *spoolFile) empty() error {
	if _, err := f.WriteAt(make([]byte, f.at-f.head), f.head); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	f.at, f.records = f.head, 0
	clear(f.notices)
	return nil
}

// remove deletes the file, and gives it back.
func (f *spoolFile) remove() error {
	err := os.Remove(f.Name())
	closed := f.Close()
	if err != nil { // Windows deletes no file that is open
		err = os.Remove(f.Name())
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if errors.Is(closed, os.ErrClosed) {
		closed = nil // by an earlier attempt
	}
	return errors.Join(err, closed)
}

// read returns what a file holds that another process has left. knows reports
// whether the ledger has a writer of that ID.
func (f *spoolFile) read(knows func(key) (bool, error)) (kept waiting, err error) {
	content, err := io.ReadAll(io.LimitReader(f, maxSpoolFile+1))
	if err != nil {
		return kept, err
	}
	if len(content) > maxSpoolFile {
		return kept, fmt.Errorf("%s: %w", f.Name(), errSpoolFull)
	}
	first, rest, whole := bytes.Cut(content, []byte("\n"))
	if !whole && len(bytes.Trim(content, "\x00")) < len(spoolFormat)+len(" ")+36 {
		return kept, nil // its process was killed when it had only begun
	}
	format, ledger, _ := strings.Cut(string(first), " ")
	if format != spoolFormat {
		return kept, fmt.Errorf("%s begins with %.40q, and this program knows %q: it is left as it is", f.Name(), format, spoolFormat)
	}
	if err := f.place.ledger.UnmarshalText([]byte(ledger)); err != nil {
		return kept, fmt.Errorf("%s does not say of which ledger it is: it is left as it is", f.Name())
	}
	known, err := f.place.knows(f.place.ledger, knows)
	if err != nil {
		return kept, err
	}
	if !known {
		return kept, fmt.Errorf("%s holds refusals of another ledger: it is left as it is; move it to where that ledger is opened, or away", f.Name())
	}
	kept, damaged, torn := f.lines(rest)
	if torn > 0 {
		slog.Warn("ledger: the last refusal was being kept when its process ended, and nobody had the answer yet", "file", f.Name(), "bytes", torn)
	}
	if damaged > 0 {
		copied := f.Name() + damagedSuffix
		if err := os.WriteFile(copied, content, 0o600); err != nil {
			return waiting{}, fmt.Errorf("%s has %d damaged lines, and cannot be copied: %w", f.Name(), damaged, err)
		}
		slog.Error("ledger: not all refusals that an earlier process has left can be read", "damaged lines", damaged, "copy", copied)
	}
	return kept, nil
}

// lines reads all lines after the first. What has no end was being written, as is what
// ends with zeros.
func (f *spoolFile) lines(rest []byte) (kept waiting, damaged, torn int) {
	notices := make(map[string][]byte)
	rest = bytes.TrimRight(rest, "\x00")
	for len(rest) > 0 {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			return kept, damaged, len(rest)
		}
		rest = after
		digits, content, _ := bytes.Cut(line, []byte(" "))
		sum, err := hex.DecodeString(string(digits))
		var s spooled
		if err != nil || !f.holds(sum, content) || json.Unmarshal(content, &s) != nil {
			damaged++
			continue
		}
		if s.Notice != "" {
			fingerprint := sha256.Sum256([]byte(s.Notice))
			notices[string(fingerprint[:])] = []byte(s.Notice)
			continue
		}
		if s.User != nil {
			kept.links = append(kept.links, &waitingLink{link: link{user: s.User, reference: s.Reference, decided: s.Decided}})
			continue
		}
		if s.Replaces != (key{}) {
			kept.refusals = slices.DeleteFunc(kept.refusals, func(e *entry) bool { return e.row.id == s.Replaces })
		}
		kept.refusals = append(kept.refusals, &entry{
			row: row{
				id: s.ID, reference: s.Reference, decided: s.Decided, revision: s.Revision, answers: s.Answers, objection: s.Objection, gpc: s.GPC,
				regime: s.Regime, action: s.Action, language: s.Language, notice: s.Fingerprint,
			},
			notice: notices[string(s.Fingerprint)],
			tried:  true,
		})
	}
	return kept, damaged, 0
}
