// Package headers sets cookies by Set-Cookie fields.
package headers

import (
	"net/http"
	"net/http/httputil"
	"net/textproto"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Name: "declared"},
	consent.Cookie{Name: "id_*"},
	consent.Cookie{Name: "*_end"},
	consent.Cookie{Name: "unset"}, // want `cookie "unset" is declared but nothing whose name is constant sets it`
)

const field = "set-cookie"

func fields(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Set-Cookie", "declared=1; Path=/")
	h.Add("Set-Cookie", "id_1=1")
	h.Add("Set-Cookie", "added=1")                // want `cookie "added" is set by a Set-Cookie field but not declared`
	h.Set(field, "  padded\t = 1; Secure")        // want `cookie "padded" is set by a Set-Cookie field but not declared`
	w.Header().Set("Set-Cookie", "token="+r.Host) // want `cookie "token" is set by a Set-Cookie field but not declared`
	h.Add("Set-Cookie", "id_"+r.Host+"=1")
	h.Add("Set-Cookie", "of_"+r.Host+"=1; Domain=a=b") // want `the name of this cookie, "of_*", set by a Set-Cookie field, is not constant and may be one that is not declared`
	h.Add("Set-Cookie", r.Host)                        // want `the name of this cookie, set by a Set-Cookie field, is not constant and cannot be checked`
	h.Add("Set-Cookie", "bare; Path=/")                // want `cookie "bare" is set by a Set-Cookie field but not declared`
	h.Add("Set-Cookie", "old=; Max-Age=0")
	h.Add("Set-Cookie", "old="+r.Host+"; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
	h.Add("Content-Type", "text=1")
	h.Add(r.Host, "unknown=1") // want `the name of this header field is not constant: if it is Set-Cookie, the cookie cannot be checked`
	h.Add("X-"+r.Host, "other=1")
	h.Add("Set-Cookie", r.Host+"_end=1") // want `the name of this cookie, set by a Set-Cookie field, is not constant and cannot be checked`

	c := &http.Cookie{Name: "written"} // want `cookie "written" is set by a Set-Cookie field but not declared`
	h.Add("Set-Cookie", c.String())

	h["Set-Cookie"] = []string{"declared=1", "indexed=1"}   // want `cookie "indexed" is set by a Set-Cookie field but not declared`
	h["Set-Cookie"] = append(h["Set-Cookie"], "appended=1") // want `cookie "appended" is set by a Set-Cookie field but not declared`
	w.Header()["Set-Cookie"] = append(w.Header()["Set-Cookie"], "declared=2")
	h["Set-Cookie"] = r.Header["X-Cookies"]           // want `the name of this cookie, set by a Set-Cookie field, is not constant and cannot be checked`
	h["Set-Cookie"] = h["X-Cookies"]                  // want `the name of this cookie, set by a Set-Cookie field, is not constant and cannot be checked`
	h["Set-Cookie"] = r.Response.Header["Set-Cookie"] // want `the name of this cookie, set by a Set-Cookie field, is not constant and cannot be checked`
	h["Set-Cookie"] = r.TransferEncoding              // want `the name of this cookie, set by a Set-Cookie field, is not constant and cannot be checked`
	h["Set-Cookie"] = nil
	var kept []string
	for _, line := range h["Set-Cookie"] {
		if line != r.Host {
			kept = append(kept, line)
		}
	}
	h["Set-Cookie"] = kept
	var taken []string
	for _, line := range r.Header["X-Cookies"] {
		taken = append(taken, line) // want `the name of this cookie, set by a Set-Cookie field, is not constant and cannot be checked`
	}
	h["Set-Cookie"] = taken
	h["Other"] = []string{"other=1"}

	m := map[string][]string{}
	m["Set-Cookie"] = []string{"no_header=1"}
}

// What is sent to others is not set; what they have set is.
func proxy(w http.ResponseWriter, r *http.Request) error {
	out, err := http.NewRequest("GET", "https://api.example.com", nil)
	if err != nil {
		return err
	}
	out.Header.Set("Set-Cookie", "upstream=1")
	out.Header["Set-Cookie"] = []string{"upstream=1"}
	for key, values := range r.Header {
		out.Header[key] = values
	}
	forward(out.Header, r)
	made := make(http.Header)
	made.Set(r.Host, r.Host)
	made.Set("Set-Cookie", "made=1") // want `cookie "made" is set by a Set-Cookie field but not declared`
	response, err := http.DefaultClient.Do(out)
	if err != nil {
		return err
	}
	for key, values := range response.Header {
		w.Header()[key] = values // want `the name of this header field is not constant: if it is Set-Cookie, the cookie cannot be checked`
	}
	return nil
}

// A mail's header is not a response's.
type mail struct{ header textproto.MIMEHeader }

func notify(r *http.Request, fields map[string]string) []*mail {
	bare, full := newMail(nil), newMail(make(textproto.MIMEHeader))
	for key, value := range fields {
		full.header.Add(key, value)
	}
	return []*mail{bare, full}
}

func newMail(header textproto.MIMEHeader) *mail { return &mail{header: header} }

func forward(h http.Header, r *http.Request) { h.Set(r.Host, r.Host) }

func rewrite(r *httputil.ProxyRequest) { r.Out.Header.Set(r.In.Host, r.In.Host) }
