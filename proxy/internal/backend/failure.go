package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/cookiecharter/consent/proxy/internal/server"
)

// The reasons why a site has not answered properly.
const (
	Slow        = "slow"        // it takes too long
	Unreachable = "unreachable" // there is no connection to it
	Silent      = "silent"      // it closes the connection without an answer
	Invalid     = "invalid"     // its answer has no valid head
	Untrusted   = "untrusted"   // its certificate is not valid
)

// Reasons are all of them.
var Reasons = []string{Slow, Unreachable, Silent, Invalid, Untrusted}

// fail answers if the site does not. The visitor learns no more than the
// status; the log says what is wrong, but for what a broken head holds: there
// may be cookies in it.
func (b *backend) fail(w http.ResponseWriter, r *http.Request, err error) {
	var byVisitor *server.VisitorError
	if errors.As(err, &byVisitor) {
		http.Error(w, http.StatusText(byVisitor.Status()), byVisitor.Status())
		return
	}
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the visitor has left
	}
	status, reason, said := http.StatusBadGateway, Invalid, fmt.Sprintf("its answer has no valid head, or one of more than %d bytes", maxAnswerHead)
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		status, reason, said = http.StatusGatewayTimeout, Slow, "it takes too long"
	case errors.As(err, &network):
		reason, said = Unreachable, network.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		reason, said = Silent, "it has closed the connection without an answer"
	case errors.As(err, &certificate):
		reason, said = Untrusted, certificate.Error()
	}
	b.Log.Warn("the site does not answer properly", "reason", said, "method", r.Method, "path", r.URL.Path)
	if b.Failed != nil {
		b.Failed(reason)
	}
	http.Error(w, fmt.Sprintf("%d %s", status, http.StatusText(status)), status)
}
