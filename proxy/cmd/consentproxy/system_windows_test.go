package main

import (
	"syscall"
	"time"
)

// sayGoroutines is no signal that Windows sends: the tests of what a process holds read /proc
// too, and end there before.
const sayGoroutines = syscall.SIGTERM

// processorTime is nothing: what a request takes is measured on Unix.
func processorTime() time.Duration { return 0 }
