// A plain Node app: nothing in it knows about Roost. Its two instances share port 3000, and the host reaches each of
// them over a private socket.
const http = require('node:http')

let requests = 0

const server = http.createServer((request, response) => {
  requests++
  const path = request.url.split('?')[0]
  if (path === '/api/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    const tick = () => response.write(`data: ${JSON.stringify({ time: new Date(), instance: process.env.NODE_APP_INSTANCE })}\n\n`)
    const timer = setInterval(tick, 1000)
    tick()
    response.on('close', () => clearInterval(timer))
    return
  }
  if (path === '/api/crash') {
    response.end('bye\n', () => process.exit(1))
    return
  }
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Cache-Control', 'no-store')
  response.end(JSON.stringify({ app: 'api', instance: Number(process.env.NODE_APP_INSTANCE), pid: process.pid, requests, path: request.url }) + '\n')
})

server.listen(process.env.PORT || 3000, () => console.log('api listens on', server.address().port))

// On a wanted stop: finish what has begun, then go.
process.on('SIGINT', () => server.close(() => process.exit(0)))
