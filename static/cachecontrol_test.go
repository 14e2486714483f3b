package static

import (
	"math/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"roost/internal/httplint"
)

// Names as build tools write them.
var hashedNames = strings.Fields(`
/main.3f2a1b9c.js /static/js/main.0a1b2c3d.chunk.js /static/css/main.9f8e7d6c.chunk.css /static/media/logo.6ce24c58023cc2f8fd88.svg
/main.f1b0a7d4c2e98765.js /app.d41d8cd98f00b204e9800998ecf8427e.css /styles.ef46db3751d8e999.css /runtime.3e8c1a9b7f60d254.js
/js/935f2afb.2f5d2d6b.js /js/main.1a2b3c4d.js /js/main.1a2b3c4d.js.map /js/main.1a2b3c4d.js.LICENSE.txt /framework-2fe4cb6473b20297.js
/static/base.5af66c1b1797.css /assets/application-908e25f4bf641868d8683022a5b62f54.css /assets/application-1b6b6b5a.js /app-7d1f3a2b9c.min.js
/css/style.min.3b1e8a9dd8f5ec2a9a0c3b3e7a1b4c6d8f9e0a1b2c3d4e5f6a7b8c9d0e1f2a3b.css /0123456789abcdef0123.png /fonts/inter.8f7a6b5c.woff2
/assets/index-BcD3fG_2.js /assets/index-DlAUqK2U.js /assets/vendor-C8rJ3xQz.js /assets/logo-Dq2s9_Lf.svg /assets/style-kR3F-xQp.css
/assets/index-CiPQvRtX.js /assets/app.B3xNhx9a.js /assets/chunks/theme.Dk4fZ-3a.js /assets/inter-roman-latin.Di8DUHzh.woff2
/index-4f6e2a1c.js /assets/react-8Yk2LmZq.js /assets/photo-B7xK2p9Q.webp /assets/worker-Cx3PqT_w.js /assets/data-D2x1R_4q.json
/main-5A7B2CQX.js /chunk-2QJ4XK7B.js /styles-ZB3RQW5M.css /build/root-KQ5TXW2V.js /polyfills-S3BTP7ME.js /chunk-XVGBHJKL.js
/_next/static/chunks/pages/index.js /_next/static/css/main.css /_next/static/x8Kb2/_buildManifest.js /blog/_next/static/media/a.png
/_app/immutable/entry/start.js /_app/immutable/nodes/0.BcD.js /_astro/hoisted.js /_astro/page.css
/index.1a2b3c4d.css /image.9b8a7c6d.avif /video.0f1e2d3c.mp4 /model.a1b2c3d4.glb /module.c0ffee12.wasm /manifest.5e4d3c2b.json
/worker.abcdef0123456789abcd.mjs /q-4d1a9c3e.js /common.0c9d8e7f.js /2.8a7b6c5d.chunk.js /sound.7a6b5c4d.mp3`)

// Names that people and programs give, of what may change.
var plainNames = strings.Fields(`
/index.html /a/index.3f2a1b9c.html /page-1a2b3c4d.htm / /app.js /main.css /style.min.css /bootstrap.bundle.min.js /jquery-3.7.1.min.js
/jquery-20240101.js /jquery.20240101.js /report-2024-01-01.json /2024-01-01.json /20240101.json /photo-20240101-123456.jpg /photo_20240101123456.jpg
/lib-1.0.0-beta.1.js /react@18.2.0.js /vue.3.4.21.js /font-awesome4.css /bootstrap5.css /d3.v7.min.js /v2.js /1.2.3.4.js /app-v1.2.3.js
/jquery-datatable.js /my-calendar.js /my-Calendar.js /app-DarkMode.js /x-HTMLView.js /x-MyFooBar.js /x-toDoList.js /x-OnTheFly.js /x-getById2.js
/x-JSONData.js /x-viewHTML.js /x-i18nkeys.js /x-mp3audio.js /x-H264High.js /x-Vue3Grid.js /photo-1280x720.jpg /photo-1920x1080.jpg /photo-800x600.png
/IMG-DSC01234.jpg /MVI-GOPR0123.mp4 /doc-CHAPTER2.txt /README-OVERVIEW.md /README-LIGHTBOX.md /x-SECURITY.txt /api-v1alpha2.json /report-q1fy2024.csv
/img-My-Pic-1.jpg /img-beta-2-1.jpg /report-12-01-24.csv /icon-iPhone15.png /photo-McDonald.jpg /x-GitHubUI.js /x-YouTube2.svg /x-OpenAPI3.json
/deadbeef.js /facade.css /defaced.js /accede-effaced.js /cafe-decade.css /feedface.png /x-accedeed.js /1a2b3c4d.js /a1b2c3.js /12345678.js /x-12345678.css
/photo-550e8400-e29b-41d4-a716-446655440000.jpg /550e8400-e29b-41d4-a716-4466554400ab.png /file.pdf /invoice-5f3e2a1b.pdf /backup.3f2a1b9c.zip
/dump-3f2a1b9c.sql /feed.xml /atom.1a2b3c4d.atom /robots.txt /sitemap.xml /favicon.ico /manifest.webmanifest /service-worker.js /sw.js
/apple-touch-icon.png /android-chrome-192x192.png /mstile-150x150.png /data.json /blob /LICENSE /_nuxt/builds/latest.json /page-data/app-data.json
/static/about.js /assets/main.js /_next/image.png /next/static/a.js /x-Überzeug.css /x.geändert.css /3f2a1b9c /dir.3f2a1b9c/app.js /dir-3f2a1b9c/style.css
/photo-Portrait.jpg /x-Firefox9.css /x-settings.json /x-en-US-01.json /messages.de-DE-a1.json /lang.zh-Hans1.json /map-of-the-world.svg /x-undefined.js`)

func TestNamesWithAHashAreTold(t *testing.T) {
	if len(hashedNames) < 50 || len(plainNames) < 80 {
		t.Fatalf("%d and %d names", len(hashedNames), len(plainNames))
	}
	for _, path := range hashedNames {
		if !immutable(path, mediaTypeOf(path)) {
			t.Errorf("%s: not recognised", path)
		}
	}
	for _, path := range plainNames {
		if immutable(path, mediaTypeOf(path)) {
			t.Errorf("%s: taken for immutable", path)
		}
	}
}

func TestWhatNeverChangesIsAskedForOnce(t *testing.T) {
	const once, again = "public, max-age=31536000, immutable", "no-cache"
	all := files{"index.html": "page", "app.3f2a1b9c.html": "page", "a.js": "a"}
	for name, content := range beside(t, "assets/app.3f2a1b9c.js", script(5000), br) {
		all[name] = content
	}
	s := newSite(t, Config{Serving: Serving{SPA: true}}, all)
	for path, want := range map[string]string{
		"/": again, "/a.js": again, "/app.3f2a1b9c": again, "/some/route-3f2a1b9c": again,
		"/assets/app.3f2a1b9c.js": once, "/assets/app.00000000.js": "no-store",
	} {
		for _, accept := range []string{"identity", "br", "gzip"} {
			fields := []string{"Accept-Encoding: " + accept, "Accept: text/html"}
			a := s.get(path, fields...)
			if got := a.Header.Get("Cache-Control"); got != want {
				t.Errorf("%s in %s: %s, want %s", path, accept, got, want)
			}
			if want == "no-store" {
				continue
			}
			b := s.get(path, append(fields, "If-None-Match: "+a.Header.Get("Etag"))...)
			if got := b.Header.Get("Cache-Control"); b.StatusCode != 304 || got != want {
				t.Errorf("%s in %s: %d, %s, want %s", path, accept, b.StatusCode, got, want)
			}
		}
	}
}

// Of random hashes, most must be recognised; the rest look like names.
func TestMostHashesAreRecognised(t *testing.T) {
	const n = 5000
	random := rand.New(rand.NewSource(1))
	for _, c := range []struct {
		tool, before, alphabet, after string
		length                        int
		most                          float64 // of 100 that may be missed
	}{
		{"webpack, 8", "/main.", "0123456789abcdef", ".js", 8, 3},
		{"webpack", "/main.", "0123456789abcdef", ".js", 20, 0.1},
		{"hugo", "/style.min.", "0123456789abcdef", ".css", 64, 0},
		{"vite", "/assets/index-", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", ".js", 8, 20},
		{"vitepress", "/assets/app.", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", ".js", 8, 20},
		{"esbuild", "/main-", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ".js", 8, 25},
	} {
		missed := 0
		for range n {
			hash := make([]byte, c.length)
			for i := range hash {
				hash[i] = c.alphabet[random.Intn(len(c.alphabet))]
			}
			if path := c.before + string(hash) + c.after; !immutable(path, mediaTypeOf(path)) {
				missed++
			}
		}
		percent := float64(missed) * 100 / n
		if percent > c.most {
			t.Errorf("%s: %.1f %% are missed, more than %v", c.tool, percent, c.most)
		}
		t.Logf("%s: %.1f %% are missed", c.tool, percent)
	}
}

// What never changes is what has the hash in its name, not another path that a rule shows it at.
func TestAPathThatARuleLeadsFromIsNotImmutable(t *testing.T) {
	s := newSite(t, Config{}, files{"_redirects": "/logo.png /logo.3f2a1b9c.png 200\n", "logo.3f2a1b9c.png": "png"})
	const never = "public, max-age=31536000, immutable"
	for path, want := range map[string]string{"/logo.png": "no-cache", "/logo.3f2a1b9c.png": never} {
		if a := s.get(path); a.body != "png" || a.Header.Get("Cache-Control") != want {
			t.Errorf("%s: %d, %v", path, a.StatusCode, a.Header)
		}
	}
	r := httptest.NewRequest("GET", "/logo.3f2a1b9c.png", nil)
	for want, r := range map[string]*http.Request{never: r, "no-cache": Rewritten(r)} {
		w := httplint.Record(t, s, r)
		if got := w.Header().Get("Cache-Control"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
