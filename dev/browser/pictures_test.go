package browser

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the pictures of docs/pictures anew")

// The pictures are those of the charter's README. They are drawn each time, and written when they
// are asked for: go test -run Pictures -update
func TestPicturesAreSmallAndWhereTheReadmeShowsThem(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	readme, err := os.ReadFile("../../charter/README.md")
	require.NoError(t, err)
	type scene struct {
		name, path string
		click      string // what is clicked, if anything
		see        string // what is then shown, from its top
	}
	var banners []scene
	for _, layout := range layouts {
		banners = append(banners, scene{"banner-" + string(layout), d.inLayout(t, layout), "", "body"})
	}
	pages := []scene{
		{"settings", "/", ".charter-banner [data-charter-open]", ".charter-settings[open]"},
		{"charter", banners[0].path + "cookies/", "", "body"},
	}
	for _, device := range []struct {
		name          string
		width, height int64
		scenes        []scene
	}{
		{"phone", 390, 844, append(banners, pages...)},
		{"desktop", 1280, 800, append([]scene{banners[0], banners[2]}, pages...)},
	} {
		for _, scheme := range []string{"light", "dark"} {
			b := newTab(t)
			b.prefer("prefers-color-scheme", scheme)
			call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
				Width: device.width, Height: device.height, DeviceScaleFactor: 1, ScrollbarType: emulation.SetDeviceMetricsOverrideScrollbarTypeOverlay,
			})
			call(b, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true})
			for _, scene := range device.scenes {
				b.visit(d.url + scene.path)
				if scene.click != "" {
					b.click(scene.click)
				}
				b.until(fmt.Sprintf("document.querySelector(%q)", scene.see))
				picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
				require.NoError(t, err)
				name := fmt.Sprintf("docs/pictures/%s-%s-%s.png", scene.name, scheme, device.name)
				path := filepath.Join("../..", name)
				assert.Less(t, len(picture), 150<<10, path)
				if *update {
					require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
					require.NoError(t, os.WriteFile(path, picture, 0o644))
				}
				assert.FileExists(t, path)
				assert.Contains(t, string(readme), "../"+name)
			}
		}
	}
}
