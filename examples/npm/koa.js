// Koa, with a body that is streamed back.
const Koa = require('koa')
const app = new Koa({ proxy: true })

app.use(async (ctx) => {
  if (ctx.path === '/echo') {
    ctx.type = 'json'
    ctx.body = ctx.req
  } else if (ctx.path === '/') {
    ctx.body = { app: 'koa', slot: process.env.NODE_APP_INSTANCE, https: ctx.secure }
  }
})
app.listen(process.env.PORT || 3003)
