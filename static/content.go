package static

import "sync/atomic"

// content is what requests make of an asset, none of it before the first one.
type content struct {
	identity atomic.Pointer[variant]          // as the file is
	coded    [codings]atomic.Pointer[variant] // compressed here; useless when that saves nothing
	sidecars atomic.Pointer[sidecars]
	making   atomic.Uint32 // a bit for each coding that somebody is at, or that waits to be made better
	judged   atomic.Bool   // it is beside another file, and has been found to be the content of that,
	foreign  atomic.Bool   // or not to be
	// immutable: what the path leads to never changes, going by the name.
	immutable bool
}

// contents returns the content of a.
func (a *asset) contents() *content {
	if c := a.content.Load(); c != nil {
		return c
	}
	a.content.CompareAndSwap(nil, &content{immutable: immutable(a.path, a.kind)})
	return a.content.Load()
}

// knows tells whether v, just read, is a as the table has it. It is not when
// the file has changed since.
func (c *content) knows(v *variant) bool {
	now := c.identity.Load()
	return now != nil && now.etag == v.etag && now.size == v.size
}

// judge notes whether a file beside another is the content of that.
func (c *content) judge(genuine bool) bool {
	c.foreign.Store(!genuine)
	c.judged.Store(true)
	return genuine
}

// begin tells whether the caller is the only one at a coding; then it calls end.
func (c *content) begin(as coding, how effort) bool {
	return c.making.Or(bit(as, how))&bit(as, how) == 0
}

func (c *content) end(as coding, how effort) { c.making.And(^bit(as, how)) }

func bit(as coding, how effort) uint32 { return 1 << (uint32(how)*uint32(codings) + uint32(as)) }
