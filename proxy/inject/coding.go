package inject

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A coding is a way to compress a page that browsers and sites have in common.
type coding struct {
	index      int
	names      []string
	newDecoder func() decoder
	newEncoder func() encoder
}

type decoder interface {
	io.Reader
	Reset(io.Reader) error
}

type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// Pages wait while they are compressed, so that each coding is used at a quick level.
const (
	brotliQuality = 2
	brotliWindow  = 18        // bits
	zstdWindow    = 256 << 10 // bytes, for a page that is compressed here
	zstdMaxWindow = 8 << 20   // as browsers read it (RFC 9659 section 3)
)

// gzipIndex is that of gzip, whose pages need not be compressed again.
const gzipIndex = 0

var codings = [...]*coding{
	{gzipIndex, []string{"gzip", "x-gzip"},
		func() decoder { return new(gzip.Reader) },
		func() encoder {
			w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
			return w
		}},
	{1, []string{"br"},
		func() decoder { return brotli.NewReader(nil) },
		func() encoder {
			return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: brotliQuality, LGWin: brotliWindow})
		}},
	{2, []string{"zstd"},
		func() decoder {
			r, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdMaxWindow)) // valid options
			return r
		},
		func() encoder {
			w, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
				zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true)) // valid options
			return w
		}},
}

// codingOf returns how a body is compressed, nil if it is not, and whether it can be read.
func codingOf(h http.Header) (c *coding, known bool) {
	values := h["Content-Encoding"]
	if len(values) == 0 {
		return nil, true
	}
	if len(values) > 1 {
		return nil, false // one in the other
	}
	name := strings.ToLower(strings.TrimSpace(values[0]))
	if name == "" || name == "identity" {
		return nil, true
	}
	c = named(name)
	return c, c != nil
}

func named(name string) *coding {
	for _, c := range codings {
		if slices.Contains(c.names, name) {
			return c
		}
	}
	return nil
}

// readable returns what of an Accept-Encoding (RFC 9110 section 12.5.3) can be read here.
func readable(accepted []string) string {
	var kept []string
	var seen [len(codings)]bool
	other := "" // the weight of whatever is not named
	for part := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		part = strings.TrimSpace(part)
		name, weight, _ := strings.Cut(part, ";")
		name, weight = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(weight)
		wanted := isWanted(weight)
		switch c := named(name); {
		case name == "*" && wanted:
			other = ";" + weight
		case c != nil:
			seen[c.index] = true
			if wanted {
				kept = append(kept, part)
			}
		case name == "identity" && wanted:
			kept = append(kept, part)
		}
	}
	if other != "" {
		for _, c := range codings {
			if !seen[c.index] {
				kept = append(kept, strings.TrimSuffix(c.names[0]+other, ";"))
			}
		}
	}
	if len(kept) == 0 {
		return "identity"
	}
	return strings.Join(kept, ", ")
}

// isWanted reports whether a weight such as "q=0.5" is more than nothing.
func isWanted(weight string) bool {
	_, q, weighed := strings.Cut(weight, "=")
	return !weighed || strings.Trim(q, "0. ") != ""
}
