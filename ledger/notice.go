package ledger

import (
	"bytes"
	"encoding/json"

	"github.com/cookiecharter/consent"
)

// A shownNotice is a notice as a history's page shows it: a screen that is drawn again, the
// sentences and declarations of a site that asks by itself, or, of a version that this
// program does not know, the JSON as it stands.
type shownNotice struct {
	Screen *shownScreen `json:"-"`

	Language  string
	Sentences map[string]string
	Cookies   []struct {
		Provider, Service, Name, Purpose, Category string
		Lifetime                                   int64
		NeedsConsent                               bool
	}

	Unknown string `json:"-"`
}

// A shownScreen is a screen with its lines in blocks.
type shownScreen struct {
	consent.Screen
	Blocks []block
}

// A block is a line, or a table if there are rows.
type block struct {
	consent.Line
	Rows      [][]consent.Line
	IsPressed bool
}

func readShown(content []byte) (shown shownNotice, err error) {
	var kind struct{ Version int }
	if err := json.Unmarshal(content, &kind); err != nil {
		return shown, err
	}
	switch kind.Version {
	case 0:
		err = json.Unmarshal(content, &shown)
	case 1:
		shown.Screen = new(shownScreen)
		err = json.Unmarshal(content, &shown.Screen.Screen)
		shown.Screen.Blocks = blocksOf(shown.Screen.Screen)
	default:
		var indented bytes.Buffer
		err = json.Indent(&indented, content, "", "  ")
		shown.Unknown = indented.String()
	}
	return shown, err
}

// blocksOf puts cells that follow each other into one table.
func blocksOf(screen consent.Screen) (blocks []block) {
	for _, line := range screen.Lines {
		if line.As != consent.AsRow && line.As != consent.AsCell {
			blocks = append(blocks, block{Line: line, IsPressed: line.As == consent.AsButton && line.Value != "" && line.Value == screen.Pressed})
			continue
		}
		if len(blocks) == 0 || blocks[len(blocks)-1].Rows == nil {
			blocks = append(blocks, block{Line: consent.Line{Folded: line.Folded}})
		}
		table := &blocks[len(blocks)-1]
		if len(table.Rows) == 0 || line.As == consent.AsRow {
			table.Rows = append(table.Rows, nil)
		}
		last := len(table.Rows) - 1
		table.Rows[last] = append(table.Rows[last], line)
	}
	return blocks
}
