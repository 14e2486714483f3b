// What hook.cjs adds in an instance that is a worker to Node's cluster module, as
// NODE_UNIQUE_ID has told it: its program was written for a primary that forks
// it. The daemon is not one. A worker asks its primary for sockets, and tells it
// that it leaves; both end here.
'use strict'

module.exports = function ({ listeners, ask, give, failure }) {
  const cluster = require('node:cluster')
  const { isIP } = require('node:net')
  const { worker } = cluster

  // What the daemon does not share (port 0, Unix sockets, file descriptors) is
  // opened here, as without a cluster.
  cluster._getServer = (server, { address, port, addressType, backlog, fd, flags }) => {
    server._listen2(address, port, addressType, backlog, fd, flags)
  }

  // A UDP port is shared as well; other sockets are bound here.
  const proto = require('node:dgram').Socket.prototype
  const { bind } = proto
  proto.bind = function (...args) {
    const [first, second] = args
    if (typeof first?.recvStart === 'function') return bind.apply(this, args)
    const o = first !== null && typeof first === 'object' ? { ...first } : { port: first, address: second }
    if (typeof o.port === 'function') o.port = 0
    if (typeof o.address !== 'string') o.address = ''
    const heard = args[args.length - 1]
    const port = Number(o.port)
    if (!(port > 0 && port < 65536) || o.exclusive || o.reusePort || typeof o.fd === 'number' || (o.address && !isIP(o.address)) || !process.connected) {
      return bind.call(this, { ...o, exclusive: true }, ...(typeof heard === 'function' ? [heard] : []))
    }
    if (typeof heard === 'function') this.once('listening', heard)
    const host = o.address || (this.type === 'udp4' ? '0.0.0.0' : '')
    ask({ host, port, udp: true }, (n, error, handle) => {
      if (!handle) return this.emit('error', failure(error, host || '::', port, 'bind'))
      this.once('close', () => give(n))
      try {
        bind.call(this, handle)
      } catch (err) { // closed meanwhile, or bound
        handle.close()
        give(n)
      }
    })
    return this
  }

  // disconnect closes all servers and leaves when their connections have ended.
  worker.disconnect = function () {
    this.exitedAfterDisconnect = true
    let left = 1
    const closed = () => { if (--left === 0 && process.connected) process.disconnect() }
    for (const server of [...listeners]) {
      left++
      server.close(closed)
    }
    process.nextTick(closed)
    return this
  }

  worker.destroy = worker.kill = function () {
    this.exitedAfterDisconnect = true
    if (!process.connected) process.exit(0)
    process.once('disconnect', () => process.exit(0))
    process.disconnect()
  }
}
