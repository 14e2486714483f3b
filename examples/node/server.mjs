// An ES module that says itself when it is ready, and stops in order when asked by message or by signal.
import http from 'node:http'

const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.end(`${process.env.GREETING} from instance ${process.env.NODE_APP_INSTANCE}\n`)
})

server.listen(process.env.PORT, () => process.send?.('ready'))

const stop = () => server.close(() => process.exit(0))
process.on('message', (message) => message === 'shutdown' && stop())
process.on('SIGINT', stop)
