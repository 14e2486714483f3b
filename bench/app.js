// The app of the benchmarks: the same file under Roost and under PM2.
require('node:http').createServer((request, response) => response.end('ok\n')).listen(process.env.PORT || 3000)
