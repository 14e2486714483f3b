// Socket.IO: its long polling needs every request of a session at the same
// instance, which is what sticky = "cookie" is for.
const http = require('node:http')
const { Server } = require('socket.io')

const server = http.createServer((req, res) => res.end(JSON.stringify({ app: 'socket.io', slot: process.env.NODE_APP_INSTANCE })))
const io = new Server(server)

io.on('connection', (socket) => {
  socket.on('echo', (text, answer) => answer({ text, slot: process.env.NODE_APP_INSTANCE, by: socket.conn.transport.name }))
})
process.on('SIGINT', () => io.close())
server.listen(process.env.PORT || 3005)
