module.exports = { poweredByHeader: false, outputFileTracingRoot: __dirname, eslint: { ignoreDuringBuilds: true } }
