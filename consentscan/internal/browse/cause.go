package browse

import (
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// causeOf says who has started a request.
func causeOf(by *network.Initiator, worker string) seen.Cause {
	c := seen.Cause{Worker: worker}
	if by == nil {
		return c
	}
	if by.Stack != nil {
		if frame := top(by.Stack); frame != nil {
			c.Script, c.Line, c.Column = parse(frame.URL).whole, int(frame.LineNumber)+1, int(frame.ColumnNumber)+1
			return c
		}
	}
	if by.URL != "" {
		c.Script = parse(by.URL).whole
		if by.LineNumber > 0 {
			c.Line = int(by.LineNumber) + 1
		}
	}
	return c
}

// top returns the innermost call of a script that has an address, the hook's apart.
func top(stack *runtime.StackTrace) *runtime.CallFrame {
	for ; stack != nil; stack = stack.Parent {
		for _, frame := range stack.CallFrames {
			if frame.URL != "" {
				return frame
			}
		}
	}
	return nil
}
