package chrome

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Memory returns how many bytes the processes of the browser hold, pages that they share
// counted once (proportional set size). It is zero where the system has no /proc.
func (b *Browser) Memory() (size int64) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // an error is of the pattern
	for _, path := range stats {
		if group(path) == b.cmd.Process.Pid {
			size += share(filepath.Dir(path))
		}
	}
	return size
}

// group returns the process group in the file /proc/PID/stat (proc_pid_stat(5)), or zero.
func group(path string) (id int) {
	content, _ := os.ReadFile(path)                        // gone: its process has ended
	after := content[bytes.LastIndexByte(content, ')')+1:] // the name may hold anything
	_, _ = fmt.Sscanf(string(after), " %1s %d %d", new(string), new(int), &id)
	return id
}

func share(process string) int64 {
	content, _ := os.ReadFile(filepath.Join(process, "smaps_rollup"))
	_, after, _ := bytes.Cut(content, []byte("\nPss:"))
	var kilobytes int64
	_, _ = fmt.Sscan(string(after), &kilobytes)
	return kilobytes << 10
}
