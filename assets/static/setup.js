document.getElementById('form').addEventListener('submit', async event => {
  event.preventDefault()
  const form = new FormData(event.target)
  const answer = await fetch('/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: form.get('name'),
      password: form.get('password'),
      setup: location.hash.slice(1)
    })
  })
  const body = await answer.json()
  document.getElementById('said').textContent = answer.ok
    ? 'Done. ' + body.name + ' is the admin; log in with POST /login.'
    : body.error
})
