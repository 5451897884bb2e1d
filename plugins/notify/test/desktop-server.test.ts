import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignRequests } from '../../../core/test/foreign-requests.ts'
import { rawRequest } from '../../../core/test/raw-request.ts'
import { rayne } from '../../../core/testing.ts'
import { popupArguments, startDesktopServer } from '../service/desktop-server.ts'
import { openChannel } from '../channels/all.ts'

async function start(t: { after(step: () => Promise<void>): void }, token?: string) {
  const shown: (readonly string[])[] = []
  const server = await startDesktopServer({
    port: 0,
    bind: '127.0.0.1',
    token,
    show: args => {
      shown.push(args)
      return Promise.resolve()
    }
  })
  t.after(() => server.close())
  const send = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(server.url, { method: 'POST', body, headers })
  return { ...server, shown, send }
}

test('a pop-up has the hints of the wire contract, and no text is taken for an option', () => {
  assert.deepEqual(popupArguments({ title: '--help', message: '-u low $(id)', urgency: 'low' }), [
    '--urgency=low',
    '--app-name=Rayne',
    '--hint=string:x-dunst-stack-tag:rayne',
    '--hint=string:fgcolor:#ffffff',
    '--hint=string:bgcolor:#1a1a1a',
    '--hint=string:frcolor:#ff8c00',
    '--',
    '--help',
    '-u low $(id)'
  ])
  const bare = popupArguments({})
  assert.deepEqual(
    [bare[0], ...bare.slice(-2)],
    ['--urgency=critical', 'Datadog Webhook', 'Datadog Webhook']
  )
  assert.equal(popupArguments({ urgency: 'loud' })[0], '--urgency=critical')
  assert.ok(popupArguments({ frcolor: '#abc' }).includes('--hint=string:frcolor:#abc'))
  assert.ok(popupArguments({ frcolor: 'red;x' }).includes('--hint=string:frcolor:#ff8c00'))
})

test('what is posted is shown, and bad input is refused by name', async t => {
  const { url, shown, send } = await start(t)
  assert.deepEqual(await (await fetch(url)).json(), { status: 'ok', service: 'notify-server' })
  const answer = await send('{"title":"a","message":"b"}')
  assert.deepEqual(await answer.json(), { status: 'ok', message: 'Notification sent' })
  assert.deepEqual(shown[0]?.slice(-2), ['a', 'b'])
  for (const [body, why] of [
    ['[]', /JSON object/],
    ['null', /JSON object/],
    ['{', /not JSON/],
    ['', /not JSON/],
    ['{"title":7}', /\/title must be a text/],
    ['{"message":{}}', /\/message must be a text/]
  ] as const) {
    const refused = await send(body)
    assert.equal(refused.status, 400, body)
    assert.match(await refused.text(), why)
  }
  assert.equal((await send('x'.repeat(100_000))).status, 413)
  assert.equal((await fetch(url, { method: 'PUT' })).status, 405)
  assert.equal(shown.length, 1)
})

test('pages of others show nothing on this desktop', async t => {
  const { url, shown } = await start(t)
  const { host } = new URL(url)
  for (const [who, headers] of foreignRequests) {
    const all = Object.entries({ host, 'content-length': '2', ...headers }).map(
      ([name, value]) => `${name}: ${value.replace('OWN', host)}`
    )
    const { status } = await rawRequest(url, ['POST / HTTP/1.1', ...all], '{}')
    assert.equal(status, 403, who)
  }
  assert.equal(shown.length, 0)
})

test('a token opens it, as the channel sends it', async t => {
  const token = 'a-token-of-the-desktop'
  const { url, shown, send } = await start(t, token)
  for (const headers of [{}, { authorization: `Bearer ${token}x` }, { authorization: 'Basic x' }])
    assert.equal((await send('{}', headers as Record<string, string>)).status, 401)
  assert.equal((await send('{}', { authorization: `Bearer ${token}` })).status, 200)
  const channel = openChannel({
    name: 'a',
    kind: 'desktop',
    url: url.replace('http://', `http://:${token}@`)
  })
  const words = {
    title: 'a',
    lines: [],
    links: [],
    account: null,
    service: null,
    monitorType: null,
    members: 1
  }
  await channel.send(
    { ...words, key: '', revision: 1, state: 'test', severity: 'info', at: 0 },
    { id: 'x', signal: AbortSignal.timeout(5_000) }
  )
  assert.equal(shown.length, 2)
})

test('a port that others reach needs a token', async () => {
  const { code, stderr } = await rayne(['notify-server', '--bind', '0.0.0.0', '--port', '0'])
  assert.equal(code, 1)
  assert.match(stderr, /others reach 0\.0\.0\.0.*--token/)
})
