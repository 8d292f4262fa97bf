package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// tag makes an annotated tag of each name for the commit that is checked out. Git takes the
// names in one transaction: if one of them exists, or the process ends early, there is none.
func tag(root, version string, names []string) error {
	commit, err := git(root, "", "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	tagger, err := git(root, "", "var", "GIT_COMMITTER_IDENT")
	if err != nil {
		return err
	}
	var transaction strings.Builder
	for _, name := range names {
		object, err := git(root, fmt.Sprintf("object %s\ntype commit\ntag %s\ntagger %s\n\nVersion %s\n", commit, name, tagger, strings.TrimPrefix(version, "v")), "mktag")
		if err != nil {
			return err
		}
		fmt.Fprintf(&transaction, "create refs/tags/%s %s\n", name, object)
	}
	_, err = git(root, transaction.String(), "update-ref", "--stdin")
	return err
}

// git returns what git prints, without the last line's end.
func git(folder, input string, arguments ...string) (string, error) {
	command := exec.Command("git", arguments...)
	command.Dir, command.Stdin = folder, strings.NewReader(input)
	var complaint strings.Builder
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", arguments[0], err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimRight(string(out), "\n"), nil
}
