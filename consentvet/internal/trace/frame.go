package trace

import (
	"golang.org/x/tools/go/ssa"
)

// A frame is a call that tracing has entered by its result. A parameter of its function
// is then what that call passes, and not what others pass.
type frame struct {
	call  *ssa.CallCommon
	outer *frame
	depth int
}

// maxFrames limits how many calls are told apart within each other.
const maxFrames = 6

// enter returns the frame of a call within another, always the same one.
func (p *Program) enter(call *ssa.CallCommon, outer *frame) *frame {
	f := frame{call: call, outer: outer, depth: 1}
	if outer != nil {
		f.depth = outer.depth + 1
	}
	if f.depth > maxFrames {
		return outer
	}
	if p.frames[f] == nil {
		p.frames[f] = &f
	}
	return p.frames[f]
}
