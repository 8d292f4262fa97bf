package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// A visitor asks for pages as a browser does.
type visitor struct {
	keeps  bool // cookies
	client *http.Client
}

func newVisitor(keeps bool) *visitor {
	v := &visitor{keeps: keeps, client: &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if keeps {
		v.client.Jar, _ = cookiejar.New(nil) // has no error
	}
	return v
}

func (v *visitor) do(r *http.Request) (*http.Response, error) {
	r.Header.Set("User-Agent", userAgent)
	response, err := v.client.Do(r)
	if failure, is := errors.AsType[*url.Error](err); is {
		err = failure.Err
	}
	return response, err
}

// get returns the beginning of a file.
func (v *visitor) get(ctx context.Context, address *url.URL) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := v.do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxBody))
}

// open opens a page, and follows where it sends the visitor. It is nil if there is no page.
func (w *walk) open(ctx context.Context, v *visitor, address *url.URL) (*page, error) {
	const maxRedirects = 5
	for range maxRedirects {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", "text/html")
		response, err := v.do(r)
		if err != nil {
			return nil, err
		}
		w.note(r, response.Header["Set-Cookie"])
		to, err := response.Location()
		if err == nil && response.StatusCode < 400 {
			response.Body.Close()
			if to.Host != w.URL.Host {
				return nil, fmt.Errorf("leads to another host; begin there: %s", to.Host)
			}
			address = to
			continue
		}
		defer response.Body.Close()
		mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
		if mediaType != "text/html" {
			return nil, nil
		}
		if response.StatusCode >= 400 {
			return nil, errors.New(response.Status)
		}
		return readPage(io.LimitReader(response.Body, maxBody), address), nil
	}
	return nil, errors.New("leads in a circle")
}
