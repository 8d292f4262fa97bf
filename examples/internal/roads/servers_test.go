package roads

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/fcgi"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/akrylysov/algnhsa"
	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdaurl"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
	"github.com/cookiecharter/consent/internal/servertest"
)

// Each serves a handler in its own way, and returns how a visitor reaches it.
var servers = map[string]struct {
	serve func(*testing.T, http.Handler) (*http.Client, string)
	limits
}{
	"http3":         {serve: serveHTTP3},
	"net/http/fcgi": {serve: serveFCGI},
	// The server on the other side of the pipe copies when the program has ended.
	"net/http/cgi": {serve: serveCGI, limits: limits{buffers: true}},
	// An event has one answer, which is whole.
	"Lambda, API Gateway v1": {serve: byEvent(func(h http.Handler) lambda.Handler {
		return lambda.NewHandler(httpadapter.New(h).ProxyWithContext)
	}, v1), limits: limits{buffers: true}},
	"Lambda, API Gateway v2": {serve: byEvent(func(h http.Handler) lambda.Handler {
		return lambda.NewHandler(httpadapter.NewV2(h).ProxyWithContext)
	}, v2), limits: limits{buffers: true}},
	"Lambda, load balancer": {serve: byEvent(func(h http.Handler) lambda.Handler {
		return lambda.NewHandler(httpadapter.NewALB(h).ProxyWithContext)
	}, alb), limits: limits{buffers: true}},
	"Lambda, algnhsa v1":   {serve: byEvent(func(h http.Handler) lambda.Handler { return algnhsa.New(h, nil) }, v1), limits: limits{buffers: true}},
	"Lambda, algnhsa v2":   {serve: byEvent(func(h http.Handler) lambda.Handler { return algnhsa.New(h, nil) }, v2), limits: limits{buffers: true}},
	"Lambda, function URL": {serve: serveFunctionURL},
}

func handler(s site) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/cookies/", s.site.Handler())
	mux.HandleFunc("GET /{$}", page)
	mux.HandleFunc("POST /accept", s.accept)
	mux.HandleFunc("GET /stream", s.stream)
	mux.HandleFunc("GET /afterwards", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "a body")
		setBoth(w)
	})
	mux.HandleFunc("/", missing)
	return s.mw.Wrap(mux)
}

func TestAServerAroundTheMiddleware(t *testing.T) {
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			s, err := newSite()
			require.NoError(t, err)
			client, url := server.serve(t, handler(s))
			// A server that reads the header map when the handler has returned sends what
			// net/http would not.
			afterwards := drive.New(t, client).Get(url + "/afterwards")
			assert.Equal(t, "a body", afterwards.Text)
			assert.False(t, afterwards.Sets(asked), "a line that was set after the body")
			try(t, s, client, url, server.limits)
		})
	}
}

func serveHTTP3(t *testing.T, h http.Handler) (*http.Client, string) {
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http3.Server{Handler: h, TLSConfig: http3.ConfigureTLSConfig(certified.TLS)}
	go server.Serve(conn)
	transport := &http3.Transport{TLSClientConfig: certified.Client().Transport.(*http.Transport).TLSClientConfig}
	t.Cleanup(func() { transport.Close(); server.Close(); conn.Close() })
	return &http.Client{Transport: transport}, "https://" + conn.LocalAddr().String()
}

const nginxServer = `server {
	listen %[1]s;
	location / {
		include /etc/nginx/fastcgi_params;
		fastcgi_param HTTP_HOST $host:$server_port; # Debian's has no port
		fastcgi_pass %[2]s;
		fastcgi_buffering off;
	}
}`

func serveFCGI(t *testing.T, h http.Handler) (*http.Client, string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go fcgi.Serve(listener, h)
	listen := servertest.FreeAddress(t)
	servertest.Nginx(t, listen, fmt.Sprintf(nginxServer, listen, listener.Addr()))
	return http.DefaultClient, "http://" + listen
}

// TestMain makes the test's own program the one that a CGI server starts for each
// request.
func TestMain(m *testing.M) {
	if os.Getenv("GATEWAY_INTERFACE") == "" {
		os.Exit(m.Run())
	}
	s, err := newSite()
	if err != nil {
		panic(err)
	}
	close(s.more)
	h := handler(s)
	if err := cgi.Serve(h); err != nil {
		panic(err)
	}
}

func serveCGI(t *testing.T, _ http.Handler) (*http.Client, string) {
	program, err := os.Executable()
	require.NoError(t, err)
	server := drive.Serve(t, &cgi.Handler{Path: program})
	return server.Client(), server.URL
}

// byEvent serves by a Lambda handler, which gets an event and returns an answer, both
// as JSON.
func byEvent(adapt func(http.Handler) lambda.Handler, event func(*http.Request, string) any) func(*testing.T, http.Handler) (*http.Client, string) {
	return func(_ *testing.T, h http.Handler) (*http.Client, string) {
		function := adapt(h)
		return &http.Client{Transport: transport(func(r *http.Request, body string) (*http.Response, error) {
			asked, err := json.Marshal(event(r, body))
			if err != nil {
				return nil, err
			}
			said, err := function.Invoke(r.Context(), asked)
			if err != nil {
				return nil, err
			}
			// Both versions: AWS goes by the members that are there.
			var answer events.APIGatewayV2HTTPResponse
			if err := json.Unmarshal(said, &answer); err != nil {
				return nil, err
			}
			return response(r, answer.StatusCode, answer.Headers, answer.MultiValueHeaders, answer.Cookies, strings.NewReader(answer.Body)), nil
		})}, "https://example.org"
	}
}

type transport func(r *http.Request, body string) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	return f(r, string(body))
}

func response(r *http.Request, status int, one map[string]string, multi map[string][]string, cookies []string, body io.Reader) *http.Response {
	header := make(http.Header)
	for name, value := range one {
		header.Set(name, value)
	}
	for name, values := range multi {
		header[name] = values
	}
	for _, line := range cookies {
		header.Add("Set-Cookie", line)
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
}

// v1 is an event of a REST API.
func v1(r *http.Request, body string) any {
	event := events.APIGatewayProxyRequest{
		HTTPMethod:        r.Method,
		Path:              r.URL.Path,
		MultiValueHeaders: r.Header,
		Headers:           single(r),
		Body:              body,
	}
	event.RequestContext.DomainName = r.Host
	event.RequestContext.AccountID = "123456789012" // by which algnhsa knows the version
	return event
}

// alb is an event of a load balancer whose target group has multi-value headers, in
// lower case. The adapter finds no host then, so that a post has to say by itself, as
// browsers do on https, that it comes from the same site.
func alb(r *http.Request, body string) any {
	headers := map[string][]string{"host": {r.Host}, "sec-fetch-site": {"same-origin"}}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = values
	}
	return events.ALBTargetGroupRequest{HTTPMethod: r.Method, Path: r.URL.Path, MultiValueHeaders: headers, Body: body}
}

// v2 is an event of an HTTP API, which takes the cookies out of the headers.
func v2(r *http.Request, body string) any {
	headers := single(r)
	delete(headers, "Cookie")
	event := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: r.URL.Path, Headers: headers, Body: body}
	if cookie := r.Header.Get("Cookie"); cookie != "" {
		event.Cookies = strings.Split(cookie, "; ")
	}
	event.RequestContext.DomainName = r.Host
	event.RequestContext.HTTP.Method = r.Method
	event.RequestContext.HTTP.Path = r.URL.Path
	return event
}

// single returns one value for each header, as events have them.
func single(r *http.Request) map[string]string {
	headers := map[string]string{"Host": r.Host}
	for name := range r.Header {
		headers[name] = r.Header.Get(name)
	}
	return headers
}

// serveFunctionURL serves by a function URL that streams.
func serveFunctionURL(_ *testing.T, h http.Handler) (*http.Client, string) {
	function := lambdaurl.Wrap(h)
	return &http.Client{Transport: transport(func(r *http.Request, body string) (*http.Response, error) {
		event := &events.LambdaFunctionURLRequest{RawPath: r.URL.Path, Headers: single(r), Body: body}
		event.RequestContext.DomainName = r.Host
		event.RequestContext.HTTP.Method = r.Method
		answer, err := function(context.WithoutCancel(r.Context()), event)
		if err != nil {
			return nil, err
		}
		return response(r, answer.StatusCode, answer.Headers, nil, answer.Cookies, answer.Body), nil
	})}, "https://example.org"
}
