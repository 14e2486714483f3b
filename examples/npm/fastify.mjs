// Fastify as an ES module. It listens on both loopback addresses.
import Fastify from 'fastify'

const app = Fastify({ trustProxy: 'loopback' })
app.get('/', async (request) => ({ app: 'fastify', slot: process.env.NODE_APP_INSTANCE, https: request.protocol === 'https' }))
app.post('/echo', async (request) => request.body)
await app.listen({ port: Number(process.env.PORT) || 3002 })
