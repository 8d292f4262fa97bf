package ledger_test

import (
	"os"
	"os/exec"
)

// postgresBinaries returns "": the tests reach their server by a Unix socket, in a folder of
// its own, and Windows has none to offer.
func postgresBinaries() string { return "" }

func giveToServer(string) error { return nil }

func asServer(*exec.Cmd) {}

func endServer(process *os.Process) { _ = process.Kill() }
