package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small is a repository that can be released: a library, a module with a command, and one
// that is not published.
var small = map[string]string{
	"CHANGELOG.md":        "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-12-01\n\n## [0.0.9] - 2026-11-01\n",
	"go.work":             "go 1.26.0\n\nuse (\n\t.\n\t./dev\n\t./ledger\n)\n\nreplace example.com/consent v0.1.0 => ./\n",
	"go.mod":              "module example.com/consent\n\ngo 1.26.0\n",
	"consent.go":          "package consent\n\ntype Site struct{}\n\nfunc (s *Site) Ask() {}\n\ntype box[T any] struct{}\n\nfunc (b *box[T]) Open() {}\n",
	"ledger/go.mod":       "module example.com/consent/ledger\n\ngo 1.26.0\n\nrequire example.com/consent v0.1.0\n",
	"ledger/main.go":      "package main\n\nfunc main() {}\n",
	"dev/go.mod":          "module example.com/consent/dev\n\ngo 1.26.0\n\nrequire example.com/consent v0.1.0\n\nreplace example.com/consent => ../\n",
	"dev/release/api.txt": "package example.com/consent\n\nfunc (*Site) Ask()\ntype Site struct{}\n\n",
}

func TestAReleaseTagsEveryModuleOrNone(t *testing.T) {
	program := filepath.Join(t.TempDir(), "release")
	command(t, ".", nil, "go", "build", "-o", program, ".")
	tests := []struct {
		name    string
		changed map[string]string // files of another content; "" removes one
		prepare []string          // arguments of git, after the commit
		version string
		says    []string
		tags    string
	}{
		{
			name: "nothing stands in the way",
			says: []string{"git push --atomic origin main v0.1.0 ledger/v0.1.0\n"},
			tags: "ledger/v0.1.0 tag\nv0.1.0 tag\n",
		},
		{
			name:    "the version has no day yet",
			changed: map[string]string{"CHANGELOG.md": "## [0.1.0] - unreleased\n"},
			says:    []string{`no date such as 2006-01-02, but "unreleased"`},
		},
		{
			name:    "the changelog begins with another version",
			changed: map[string]string{"CHANGELOG.md": "## [0.0.9] - 2026-11-01\n"},
			says:    []string{"begins with v0.0.9, and not v0.1.0"},
		},
		{
			name:    "the changelog names no version",
			changed: map[string]string{"CHANGELOG.md": "# Changelog\n"},
			says:    []string{"CHANGELOG.md has no heading"},
		},
		{
			name:    "a path that cannot have the version",
			version: "v2.0.0",
			says:    []string{"should be v0 or v1, not v2", "ledger/go.mod requires example.com/consent@v0.1.0, and not v2.0.0"},
		},
		{
			name:    "a module asks for another version",
			changed: map[string]string{"dev/go.mod": strings.ReplaceAll(small["dev/go.mod"], "v0.1.0", "v0.0.9")},
			says:    []string{"dev/go.mod requires example.com/consent@v0.0.9, and not v0.1.0"},
		},
		{
			name:    "the workspace has folders for another version",
			changed: map[string]string{"go.work": strings.ReplaceAll(small["go.work"], "v0.1.0", "v0.0.9")},
			says:    []string{"go.work replaces example.com/consent@v0.0.9, and not v0.1.0"},
		},
		{
			name:    "a module with a command replaces another",
			changed: map[string]string{"ledger/go.mod": small["ledger/go.mod"] + "\nreplace example.com/consent => ../\n"},
			says:    []string{"ledger/go.mod replaces or excludes a module"},
		},
		{
			name:    "what sites can name has changed",
			changed: map[string]string{"consent.go": strings.Replace(small["consent.go"], "Ask()", "Ask(again bool)", 1)},
			says:    []string{"dev/release/api.txt is not what sites can name"},
		},
		{
			name:    "another branch",
			prepare: []string{"checkout", "-q", "-b", "next"},
			says:    []string{`branch: "next", and not main`},
		},
		{
			name:    "a file that is not committed",
			prepare: []string{"rm", "-q", "--cached", "consent.go"},
			says:    []string{"not committed:\nD  consent.go\n?? consent.go"},
		},
		{
			name:    "one of the tags exists",
			prepare: []string{"tag", "ledger/v0.1.0"},
			says:    []string{"tag ledger/v0.1.0 exists already"},
			tags:    "ledger/v0.1.0 commit\n",
		},
		{
			name:    "git refuses the last of the tags",
			prepare: []string{"tag", "ledger"},
			says:    []string{"git update-ref", "refs/tags/ledger/v0.1.0"},
			tags:    "ledger commit\n",
		},
		{
			name:    "everything at once",
			changed: map[string]string{"CHANGELOG.md": "", "dev/release/api.txt": "", "ledger/go.mod": small["ledger/go.mod"] + "\nexclude example.com/other v1.0.0\n"},
			prepare: []string{"checkout", "-q", "-b", "next"},
			says:    []string{"CHANGELOG.md", "api.txt", "ledger/go.mod replaces or excludes a module", "branch"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			for name, content := range small {
				if changed, ok := test.changed[name]; ok {
					content = changed
				}
				if content != "" {
					file := filepath.Join(folder, name)
					require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
					require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
				}
			}
			command(t, folder, nil, "git", "init", "-q", "-b", "main")
			commit(t, folder)
			if test.prepare != nil {
				command(t, folder, nil, "git", test.prepare...)
			}
			before := tags(t, folder)
			version := test.version
			if version == "" {
				version = "v0.1.0"
			}

			checked, checkErr := start(program, folder, "-check", version)
			assert.Equal(t, before, tags(t, folder), "-check changes nothing")
			said, err := start(program, folder, version)
			for _, words := range test.says {
				assert.Contains(t, said, words)
			}
			assert.Equal(t, test.tags, tags(t, folder))
			released := before != test.tags
			assert.Equal(t, released, err == nil, said)
			if checkErr != nil {
				assert.Equal(t, said, checked, "-check says the same")
			}
		})
	}
}

func TestAReleaseAsksForOneVersion(t *testing.T) {
	said, err := exec.Command("go", "run", ".").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(said), "usage: release [-check] VERSION")
}

// start runs the program in a folder, and returns what it prints.
func start(program, folder string, arguments ...string) (string, error) {
	command := exec.Command(program, arguments...)
	command.Dir = folder
	command.Env = append(os.Environ(), identity...)
	said, err := command.CombinedOutput()
	return string(said), err
}

// tags returns each tag with the kind of its object: an annotated one is a tag.
func tags(t *testing.T, folder string) string {
	return command(t, folder, nil, "git", "for-each-ref", "--format", "%(refname:short) %(objecttype)", "refs/tags")
}

// identity is who commits and tags in a repository of a test.
var identity = []string{
	"GIT_AUTHOR_NAME=Test", "GIT_AUTHOR_EMAIL=test@example.com",
	"GIT_COMMITTER_NAME=Test", "GIT_COMMITTER_EMAIL=test@example.com",
}

// commit commits all files of a folder.
func commit(t *testing.T, folder string) {
	command(t, folder, nil, "git", "add", "-A")
	command(t, folder, identity, "git", "commit", "-q", "-m", "test")
}

// command runs a program, and returns what it prints.
func command(t *testing.T, folder string, env []string, name string, arguments ...string) string {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Dir = folder
	command.Env = append(os.Environ(), env...)
	var complaint strings.Builder
	command.Stderr = &complaint
	out, err := command.Output()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(arguments, " "), &complaint)
	return string(out)
}
