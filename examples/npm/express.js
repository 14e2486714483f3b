// Express, as its documentation has it; nothing in it knows of Roost.
const express = require('express')
const app = express()

app.set('trust proxy', 'loopback')
app.get('/', (req, res) => res.json({ app: 'express', slot: process.env.NODE_APP_INSTANCE, https: req.secure }))
app.post('/echo', express.json(), (req, res) => res.json(req.body))
app.listen(process.env.PORT || 3001)
