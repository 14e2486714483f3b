// A client of ws.js and socket.io.js, for the tests: node client.js PORT CA.pem
// It keeps connections open, has what it says echoed, and connects again when a
// program says goodbye. It prints a line whenever all have been served once
// more, and ends with status 1 at the first failure. It ends when its input does.
const dns = require('node:dns')
const { readFileSync } = require('node:fs')
const WebSocket = require('ws')
const { io } = require('socket.io-client')

const [port, ca] = [process.argv[2], readFileSync(process.argv[3])]
// not every resolver knows that names in .localhost are this machine (RFC 6761)
dns.lookup = (host, options, answer) => answer(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4)
const rounds = {} // by connection: how many answers it got
const slots = {} // by connection: the slots that have answered
let told = 0

const fail = (why) => { console.error(why); process.exit(1) }
const served = (name) => {
  rounds[name]++
  const all = Math.min(...Object.values(rounds))
  if (all > told) console.log(JSON.stringify({ rounds: told = all, slots }))
}
const dueIn10s = (name) => setTimeout(fail, 10_000, `${name}: no answer within 10 s`)

// talk keeps a WebSocket that says one thing after the other.
function talk (name) {
  const socket = new WebSocket(`wss://ws.localhost:${port}`, { ca })
  let due = dueIn10s(name)
  let text = ''
  const say = () => {
    clearTimeout(due)
    due = dueIn10s(name)
    socket.send(text = String(Math.random()))
  }
  socket.on('open', say)
  socket.on('error', (err) => fail(`${name}: ${err}`))
  socket.on('message', (data) => {
    if (String(data) !== text) fail(`${name}: ${data} instead of ${text}`)
    served(name)
    setTimeout(() => socket.readyState === WebSocket.OPEN && say(), 10)
  })
  socket.on('close', (code) => {
    clearTimeout(due)
    if (code !== 1001) fail(`${name}: closed with ${code}`)
    talk(name)
  })
}

// poll keeps a session of Socket.IO by the transports given.
function poll (name, transports) {
  const socket = io(`https://socket-io.localhost:${port}`, { ca, transports, withCredentials: true, reconnectionDelay: 50, forceNew: true })
  socket.on('connect_error', (err) => fail(`${name}: ${err} ${err.description?.message || ''}`))
  const say = async () => {
    const text = String(Math.random())
    try {
      const answer = await socket.timeout(10_000).emitWithAck('echo', text)
      if (answer.text !== text) fail(`${name}: ${answer.text} instead of ${text}`)
      slots[name] = [...new Set([...(slots[name] || []), answer.slot])]
      served(name)
      setTimeout(say, 10)
    } catch (err) {
      if (socket.connected) fail(`${name}: ${err}`)
    }
  }
  socket.on('connect', say)
}

for (let n = 0; n < 4; n++) rounds[`ws ${n}`] = rounds[`upgraded ${n}`] = rounds[`polling ${n}`] = 0
for (let n = 0; n < 4; n++) {
  talk(`ws ${n}`)
  poll(`upgraded ${n}`, ['polling', 'websocket'])
  poll(`polling ${n}`, ['polling'])
}
process.stdin.on('end', () => process.exit()).resume()
