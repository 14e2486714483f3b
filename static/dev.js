// Put into pages by "roost dev": keeps this one as the files are.
(() => {
  if (window.roostDev) return
  window.roostDev = true
  const script = new URL(document.currentScript.src)
  let state = script.search.slice(1) // what this page shows
  let source

  const listen = () => {
    const from = source = new EventSource(new URL('events?' + state, script))
    from.addEventListener('reload', () => location.reload())
    from.addEventListener('style', (event) => {
      state = event.lastEventId
      restyle()
    })
    from.onerror = () => { // it tries again by itself, unless something else has answered
      if (from.readyState === EventSource.CLOSED) setTimeout(() => from === source && !document.hidden && listen(), 1000)
    }
  }

  // Each style sheet is loaded again beside the old one, which goes when the new one is there.
  const restyle = () => {
    const links = [...document.querySelectorAll('link[rel~="stylesheet"]')].filter((link) => link.href && new URL(link.href).origin === location.origin)
    if (links.length === 0) location.reload()
    for (const old of links) {
      if (old.dataset.roostOld !== undefined) continue
      old.dataset.roostOld = ''
      const url = new URL(old.href)
      url.searchParams.set('roost', state)
      const fresh = old.cloneNode()
      delete fresh.dataset.roostOld
      fresh.href = url
      fresh.onload = fresh.onerror = () => old.remove()
      old.after(fresh)
    }
  }

  // A page that nobody sees lets go of its connection: browsers have six for a server.
  document.addEventListener('visibilitychange', () => {
    source?.close()
    if (!document.hidden) listen()
  })
  if (!document.hidden) listen()
})()
