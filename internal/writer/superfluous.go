package writer

import (
	"path"
	"runtime"
	"strings"
)

// logSuperfluous says what net/http's writer for HTTP/1 would say of a WriteHeader
// that comes too late, with the line of the handler. Called through, it would name
// this package.
func (w *Writer) logSuperfluous() {
	what := "http: superfluous response.WriteHeader call"
	if w.hijacked {
		what = "http: response.WriteHeader on hijacked connection"
	}
	caller := handlersFrame()
	w.filter.Logf("%s from %s (%s:%d)", what, caller.Function, path.Base(caller.File), caller.Line)
}

// handlersFrame returns the first frame of the stack that is neither of this
// package nor of net/http.
func handlersFrame() runtime.Frame {
	pc := make([]uintptr, 16)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	for {
		frame, more := frames.Next()
		if !more || !strings.HasPrefix(frame.Function, "github.com/cookiecharter/consent/internal/writer.") &&
			!strings.HasPrefix(frame.Function, "net/http.") {
			return frame
		}
	}
}
