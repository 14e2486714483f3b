// WebSockets with ws: echoes, and says goodbye when it is asked to stop.
const http = require('node:http')
const { WebSocketServer } = require('ws')

const server = http.createServer((req, res) => res.end(JSON.stringify({ app: 'ws', slot: process.env.NODE_APP_INSTANCE })))
const sockets = new WebSocketServer({ server })

sockets.on('connection', (socket) => {
  socket.on('error', console.error)
  socket.on('message', (data, binary) => socket.send(data, { binary }))
})
process.on('SIGINT', () => {
  for (const socket of sockets.clients) socket.close(1001, 'restarting')
  sockets.close()
  server.close()
})
server.listen(process.env.PORT || 3004)
