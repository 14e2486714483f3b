const out = document.getElementById('api')
for (const name of ['clock', 'docs']) document.getElementById(name).port = location.port

async function ask() {
  try {
    const response = await fetch('/api/hello')
    out.textContent = response.ok ? JSON.stringify(await response.json(), null, 2) : `status ${response.status}`
  } catch (error) {
    out.textContent = String(error)
  }
}

ask()
setInterval(ask, 1000)
