export default function handler (req, res) {
  res.json({ app: 'next', slot: process.env.NODE_APP_INSTANCE, https: req.headers['x-forwarded-proto'] === 'https' })
}
