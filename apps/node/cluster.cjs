// What hook.cjs adds in an instance that is a worker to Node's cluster module, as
// NODE_UNIQUE_ID has told it: its program was written for a primary that forks
// it. The daemon is not one. A worker asks its primary for sockets, and tells it
// that it leaves; both end here.
'use strict'

module.exports = function (listeners) {
  const cluster = require('node:cluster')
  const { Server } = require('node:net')
  const { worker } = cluster
  const ask = cluster._getServer

  // What the daemon does not share (port 0, Unix sockets, file descriptors) is
  // opened here, as without a cluster.
  cluster._getServer = function (server, { address, port, addressType, backlog, fd, flags }, done) {
    if (!(server instanceof Server)) return ask.apply(this, arguments)
    server._listen2(address, port, addressType, backlog, fd, flags)
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
