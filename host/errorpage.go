package host

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"roost/static"
)

//go:embed errorpage.html
var errorPageHTML string

var errorPage = template.Must(template.New("").Parse(errorPageHTML))

// errorTexts say to a visitor what happened; never why, which is the log's.
var errorTexts = map[int]string{
	http.StatusBadRequest:                   "The request could not be understood.",
	http.StatusUnauthorized:                 "A name and a password are asked for here.",
	http.StatusForbidden:                    "You are not allowed to see this.",
	http.StatusNotFound:                     "There is nothing at this address.",
	http.StatusMethodNotAllowed:             "This cannot be done at this address.",
	http.StatusRequestEntityTooLarge:        "What was sent is too large.",
	http.StatusRequestURITooLong:            "The address is too long.",
	http.StatusRequestedRangeNotSatisfiable: "The part that was asked for does not exist.",
	http.StatusRequestHeaderFieldsTooLarge:  "The request has too many header fields.",
	http.StatusTooManyRequests:              "Too many requests. Please try again in a moment.",
	http.StatusInternalServerError:          "Something went wrong here.",
	http.StatusBadGateway:                   "The application did not answer as it should. Please try again in a moment.",
	http.StatusServiceUnavailable:           "The application is not available. Please try again in a moment.",
	http.StatusGatewayTimeout:               "The application took too long to answer. Please try again in a moment.",
}

const maxErrorPage = 1 << 20 // bytes of a site's own error page

// writeError answers with an error page: the site's own <status>.html, JSON
// for those who prefer it, or the one built in. Header fields that belong to
// the status (Allow, Retry-After, Content-Range) are kept.
func writeError(w http.ResponseWriter, r *http.Request, status int, folder string) {
	body, kind := errorBody(r, status, folder)
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "Content-Disposition", "Etag", "Last-Modified", "Accept-Ranges", "Expires", "Trailer"} {
		h.Del(name)
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	static.AddVary(h, "Accept")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

func errorBody(r *http.Request, status int, folder string) (body []byte, contentType string) {
	if static.PrefersJSON(r.Header["Accept"]) {
		body, _ = json.Marshal(map[string]any{"status": status, "error": http.StatusText(status), "message": errorTexts[status]})
		return append(body, '\n'), "application/json"
	}
	const html = "text/html; charset=utf-8"
	if folder != "" {
		if own, err := readLimited(filepath.Join(folder, fmt.Sprintf("%d.html", status))); err == nil {
			return own, html
		}
	}
	return builtInPage(status), html
}

// readLimited reads each time: an error page is rare, and may be corrected.
func readLimited(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, os.ErrInvalid
	}
	return io.ReadAll(io.LimitReader(f, maxErrorPage))
}

var builtInPages sync.Map // status -> []byte; as many as there are statuses

func builtInPage(status int) []byte {
	if page, ok := builtInPages.Load(status); ok {
		return page.([]byte)
	}
	title := http.StatusText(status)
	if title == "" {
		title = "Error"
	}
	var page bytes.Buffer
	if err := errorPage.Execute(&page, map[string]any{"Status": status, "Title": title, "Text": errorTexts[status]}); err != nil {
		return []byte(title)
	}
	builtInPages.Store(status, page.Bytes())
	return page.Bytes()
}
