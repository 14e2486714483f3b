// Loaded by Node before the program that it hosts, CommonJS or ES module, by
// NODE_OPTIONS='--require "<this file>"'. It acts in the process that the daemon
// has started, and does nothing in worker threads and child processes. A launcher
// such as npm is passed through: it acts in what that starts, from when it first
// listens (join). It does this:
//
// - A server that listens on a TCP port gets the listening socket of that port
//   from the daemon, which keeps it open: all instances share it, and
//   connections queue while none runs.
// - The main server, the one on the declared port or else the first HTTP server
//   (or else the first server) that listens, takes connections from the instance's private socket as well.
//
// It replaces listen, close, address and listening of net.Server.prototype, and
// takes connections through _handle.onconnection, as Node's cluster module does.
'use strict'

const { isMainThread } = require('node:worker_threads')
const given = process.env.ROOST_NODE

if (given !== undefined && isMainThread) begin(JSON.parse(given))

function begin (options) {
  const program = require('node:path').parse(process.argv[1] || '').name
  if (options.launchers && new RegExp(options.launchers).test(program)) return
  delete process.env.ROOST_NODE
  // child processes must not load this file
  if (options.nodeOptions === undefined) delete process.env.NODE_OPTIONS
  else process.env.NODE_OPTIONS = options.nodeOptions
  // (below a launcher a channel is somebody else's)
  if (!process.channel === !!options.launchers) host(options)
}

function host ({ lane: laneFD, channel: channelFD, claim: claimFD, clustered, port: declared }) {
  const net = require('node:net')
  const proto = net.Server.prototype
  const { listen, close, address } = proto
  const listening = Object.getOwnPropertyDescriptor(proto, 'listening')
  const servers = new WeakMap() // server: what is known of it
  const questions = new Map() // number: what takes the answer
  const shared = new Set() // servers on sockets that the daemon has given
  const listeners = new Set() // servers that listen
  let send = process.send
  let count = 0
  let main = null // { server, handle, port, secure }
  let lane = null // the private socket
  let awake = null // keeps the event loop going while an answer is due or connections end

  const tell = (message) => {
    if (process.connected) send.call(process, { cmd: 'NODE_ROOST', ...message }, undefined, undefined, () => {})
  }
  const know = (server) => {
    // asking: number of the open question; want: the request; given: number of
    // the question that gave the socket; armed: waits for 'listening';
    // retired: the address of a server that takes no new connections
    // upgraded: how many connections have left HTTP
    if (!servers.has(server)) servers.set(server, { asking: 0, want: null, given: 0, armed: false, retired: null, upgraded: -1 })
    return servers.get(server)
  }
  // (a listener of 'disconnect' would keep the event loop going for ever)
  const stayAwake = (on) => {
    if (on && !awake) awake = setInterval(() => process.connected || orphaned(), 100)
    if (!on && awake) awake = clearInterval(awake)
  }
  const orphaned = () => {
    stayAwake(false)
    for (const n of [...questions.keys()]) answer(n, 'disconnected')
  }

  process.on('internalMessage', (message, handle) => {
    if (message.cmd !== 'NODE_ROOST') return
    if (message.act === 'ping') tell({ act: 'pong', n: message.n, ...delays() })
    if (message.act === 'port') answer(message.n, message.error, handle)
    if (message.act === 'retire') retire()
    if (message.act === 'leave') setTimeout(stayAwake, 50, false) // the signal may be a little later
  })
  if (send) tell({ act: 'hello', version: process.version })

  // join takes the channel that came past a launcher, unless another process
  // below it has.
  function join () {
    if (send || process.channel || !claim()) return
    require('node:child_process')._forkChild(channelFD, 'json')
    send = process.send
    tell({ act: 'hello', version: process.version })
  }

  // claim takes the place of the process that the launcher is for, unless one
  // that lives has it. All share the offset in the file, so only the first that
  // reads finds something; it leaves its number there.
  function claim () {
    const { readSync, writeSync } = require('node:fs')
    const holder = Buffer.alloc(16)
    try {
      if (readSync(claimFD, holder, 0, 16, null) === 0) {
        readSync(claimFD, holder, 0, 16, 0)
        if (alive(parseInt(holder.toString('latin1')))) return false
      }
      writeSync(claimFD, String(process.pid).padEnd(16), 0)
      return true
    } catch { // a launcher that closes what it does not know
      return false
    }
  }

  function alive (pid) {
    try {
      return !pid || process.kill(pid, 0) // no number yet: it comes
    } catch (err) {
      return err.code !== 'ESRCH'
    }
  }

  // delays are how late the event loop was in the last minute, in milliseconds:
  // how much later than asked for a timer came. The first ping starts it.
  let timer = null
  function delays () {
    try {
      if (!timer) {
        timer = require('node:perf_hooks').monitorEventLoopDelay({ resolution: 200 })
        timer.enable()
      }
      if (timer.count === 0) return {}
      const late = (p) => Math.max(0, timer.percentile(p) / 1e6 - 200)
      const found = { p50: late(50), p99: late(99) }
      if (timer.count > 300) timer.reset()
      return found
    } catch { // not Node, but what takes itself for it
      return {}
    }
  }

  // request reads the arguments of listen as Node does; null when they ask for
  // anything but a TCP port that may be shared.
  function request (args) {
    let o = args[0]
    if (o === null || o === undefined || typeof o === 'function') return null
    if (typeof o !== 'object') o = { port: o, host: typeof args[1] === 'string' ? args[1] : '' }
    if (o._handle || o.handle || typeof o.fd === 'number' || o.path || o.exclusive || o.reusePort) return null
    const port = typeof o.port === 'string' && o.port.trim() !== '' ? Number(o.port) : o.port
    if (!Number.isInteger(port) || port < 1 || port > 65535) return null
    const backlog = o.backlog || Number(args[1]) || Number(args[2]) || undefined
    return { port, host: o.host || '', backlog, ipv6Only: !!o.ipv6Only, signal: o.signal }
  }

  proto.listen = function (...args) {
    if (channelFD) join()
    const state = know(this)
    if (!state.armed && this !== lane) {
      state.armed = true
      this.prependOnceListener('listening', () => {
        state.armed = false
        opened(this)
      })
    }
    const want = request(args)
    if (!want || this._handle || !process.connected) return listen.apply(this, args)
    const callback = args[args.length - 1]
    if (typeof callback === 'function') this.once('listening', callback)
    if (want.signal?.aborted) process.nextTick(() => this.close())
    else want.signal?.addEventListener('abort', () => this.close(), { once: true })
    const n = ++count
    Object.assign(state, { asking: n, want, retired: null })
    const take = (error, handle) => receive(this, n, error, handle)
    if (want.host === '' || net.isIP(want.host)) ask(n, want, take)
    else {
      require('node:dns').lookup(want.host, (err, ip) => {
        if (state.asking !== n) return
        want.host = ip
        if (!err) return ask(n, want, take)
        state.asking = 0
        this.emit('error', err)
      })
    }
    return this
  }

  // ask has take called with an error code, such as 'disconnected', or a socket.
  function ask (n, { host, port, ipv6Only, udp }, take) {
    questions.set(n, take)
    stayAwake(true)
    tell({ act: 'port', n, host, port, ipv6Only, udp })
  }

  function answer (n, error, handle) {
    const take = questions.get(n)
    questions.delete(n)
    if (questions.size === 0) stayAwake(false)
    take?.(error, handle)
  }

  // receive has a server listen on the shared socket, fail with the error, or,
  // when the daemon is gone, listen as Node does without it.
  function receive (server, n, error, handle) {
    const state = know(server)
    if (state.asking !== n) { // closed meanwhile
      handle?.close()
      return tell({ act: 'closed', n })
    }
    state.asking = 0
    const { want } = state
    if (handle) {
      state.given = n
      shared.add(server)
      listen.call(server, handle, want.backlog)
    } else if (error === 'disconnected') {
      listen.call(server, { port: want.port, host: want.host || undefined, backlog: want.backlog, ipv6Only: want.ipv6Only })
    } else {
      server.emit('error', failure(error, want.host || '::', want.port))
    }
  }

  // failure is the error that Node gives when it cannot listen by itself.
  function failure (code, address, port, syscall = 'listen') {
    const errno = -(require('node:os').constants.errno[code] || 0)
    const text = require('node:util').getSystemErrorMap().get(errno)?.[1] || 'the daemon cannot listen'
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0 // the frames would be ours
    const err = new Error(`${syscall} ${code}: ${text} ${address}:${port}`)
    Error.stackTraceLimit = stackTraceLimit
    return Object.assign(err, { code, errno, syscall, address, port })
  }

  // opened runs when a server has begun to listen, before the program hears of it.
  function opened (server) {
    if (server === lane || !send) return
    listeners.add(server)
    countUpgrades(server)
    const at = address.call(server)
    if (!at || typeof at === 'string') return // a Unix socket or a pipe
    if (declared && at.port !== declared) return tell({ act: 'elsewhere', port: at.port })
    if (main && main.server !== server && main.handle.fd >= 0 && (speaksHTTP(main.server) || !speaksHTTP(server))) return
    main = { server, handle: server._handle, port: at.port, secure: secure(server) }
    tell({ act: 'listening', lane: openLane(), address: at.address, port: at.port })
  }

  // countUpgrades tells apart connections that have left HTTP, as websockets do:
  // they may last for days, so a drain does not wait for them. A listener would
  // change what Node does with a request for an upgrade; this does not.
  function countUpgrades (server) {
    const state = know(server)
    if (state.upgraded >= 0) return
    state.upgraded = 0
    const { emit } = server
    server.emit = function (event, request, socket) {
      if (event === 'upgrade' && socket && this.listenerCount('upgrade') > 0) {
        state.upgraded++
        socket.once('close', () => { state.upgraded-- })
      }
      return emit.apply(this, arguments)
    }
  }

  // speaksHTTP: not what only may, such as a plain net.Server.
  function speaksHTTP (server) {
    return typeof server.updateSettings === 'function' ? secure(server) : 'headersTimeout' in server
  }
  const secure = (server) => typeof server.setSecureContext === 'function'

  // openLane lets the main server take connections from the private socket and
  // reports whether it can: the daemon speaks HTTP/1.1 in the clear, which plain
  // servers and those of HTTPS (past their handshake) understand.
  function openLane () {
    const { server } = main
    const plain = typeof server.updateSettings !== 'function' && !secure(server)
    if (!plain && !speaksHTTP(server)) return false
    if (lane) return true
    lane = net.createServer({ allowHalfOpen: true })
    lane.on('error', () => {})
    // HTTPS: as if TLS had been spoken
    lane.on('connection', (socket) => {
      const { server } = main
      lane._connections--
      server._connections++
      socket.server = socket._server = server
      socket.alpnProtocol = false
      server.emit('secureConnection', socket)
    })
    listen.call(lane, { fd: laneFD, backlog: 4096 })
    if (!lane._handle) return false
    lane.unref()
    const accept = lane._handle.onconnection
    lane._handle.onconnection = function (err, client) {
      if (err) return
      if (!(main.handle.fd >= 0)) return client.close()
      disguise(client)
      // as if accepted on the server's own socket: it counts and limits it, and
      // the cluster module, if the program uses it, spreads it
      if (main.secure) accept.call(this, err, client)
      else main.handle.onconnection(err, client)
    }
    return true
  }

  // disguise gives a private connection the addresses that programs expect of
  // one; they would find undefined.
  function disguise (client) {
    const { port } = main
    client.getpeername = (out) => { Object.assign(out, { address: '127.0.0.1', family: 'IPv4', port: 0 }); return 0 }
    client.getsockname = (out) => { Object.assign(out, { address: '127.0.0.1', family: 'IPv4', port }); return 0 }
  }

  // retire takes no more connections from shared sockets, ends those that there
  // are after their next answer, and tells when none is left. Those that stay
  // idle are ended after a while: closed at once, some would meet a request on
  // its way. The program sees its servers listen on.
  function retire () {
    stayAwake(true)
    const left = new Set(shared)
    if (main) left.add(main.server)
    for (const server of shared) {
      if (!server._handle) continue
      know(server).retired = address.call(server)
      server._handle.close()
      server._handle = null
    }
    for (const server of left) server.prependListener('request', (req, res) => { res.shouldKeepAlive = false })
    const begun = Date.now()
    const timer = setInterval(() => {
      for (const server of left) {
        if (Date.now() - begun > 200) server.closeIdleConnections?.()
        if (!(server._connections > Math.max(0, know(server).upgraded))) left.delete(server)
      }
      if (left.size > 0) return
      clearInterval(timer)
      tell({ act: 'drained' })
    }, 10)
    timer.unref()
  }

  proto.close = function (callback) {
    const state = servers.get(this)
    if (!state) return close.apply(this, arguments)
    const open = !this._handle && (state.asking || state.retired)
    if (state.given) tell({ act: 'closed', n: state.given })
    if (main?.server === this) tell({ act: 'unlistening' })
    shared.delete(this)
    listeners.delete(this)
    Object.assign(state, { asking: 0, given: 0, retired: null })
    if (!open) return close.apply(this, arguments)
    if (typeof callback === 'function') this.once('close', callback)
    return close.call(this)
  }

  proto.address = function () {
    const state = !this._handle && servers.get(this)
    if (state?.retired) return state.retired
    if (!state?.asking) return address.call(this)
    const { host, port } = state.want
    const family = net.isIP(host || '::')
    return family ? { address: host || '::', family: `IPv${family}`, port } : null
  }

  Object.defineProperty(proto, 'listening', {
    ...listening,
    get () {
      const state = servers.get(this)
      return listening.get.call(this) || !!(state && (state.asking || state.retired))
    }
  })

  if (clustered) {
    require(__filename.replace(/\.cjs$/, '-cluster.cjs'))({
      listeners,
      ask: (want, take) => ask(++count, want, take.bind(null, count)),
      give: (n) => tell({ act: 'closed', n }),
      failure
    })
  }
}
