package host

import "net/http"

// limitBody refuses requests whose body is larger than limit with 413: at
// once where they say so, else when it becomes so, and the handler sees no byte
// beyond it. (Echo's BodyLimit hands on what it has read along with the error,
// and uses its reader again for the next request while an app's transport may
// still be reading.)
func limitBody(next http.Handler, limit int64, fail func(http.ResponseWriter, *http.Request, int)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.ContentLength > limit:
			if r.ProtoMajor == 1 { // the body is on its way: nothing after it could be told from it
				w.Header().Set("Connection", "close")
			}
			fail(w, r, http.StatusRequestEntityTooLarge)
			return
		case r.ContentLength < 0: // not known
			to := w
			if x := exchangeOf(w); x != nil {
				to = x.ResponseWriter // net/http's own, which then closes the connection
			}
			r.Body = http.MaxBytesReader(to, r.Body, limit)
		}
		next.ServeHTTP(w, r)
	})
}
