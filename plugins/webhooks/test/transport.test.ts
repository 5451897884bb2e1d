import assert from 'node:assert/strict'
import test from 'node:test'
import { gzipSync } from 'node:zlib'
import { openSocket, rawRequest } from '../../../core/test/raw-request.ts'
import { createTestApp } from '../../../core/testing.ts'
import webhooks from '../plugin.ts'
import { fixtures, bytesOf } from './fixture.ts'
import { post } from './senders.ts'

test('no transport header refuses an alert', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  for (const fixture of fixtures.filter(({ axis }) => axis === 'transport')) {
    const headers = Object.fromEntries(
      Object.entries(fixture.headers).map(([name, value]) => [name, String(value)])
    )
    const { status, id } = await post(app.call, { body: bytesOf(fixture), headers })
    assert.ok(status === 202 || status === 200, `${fixture.name}: ${status}`)
    const raw = await fetch(`${app.url}/v1/webhooks/events/${id}/raw`)
    assert.ok(Buffer.from(await raw.arrayBuffer()).equals(bytesOf(fixture)), fixture.name)
  }
  const { alert } = (
    await app.call(
      'GET',
      `/v1/webhooks/events/${
        (await post(app.call, { body: gzipSync('{"monitor_id":77}'), headers: {} })).id
      }`
    )
  ).body as { alert: Record<string, unknown> }
  assert.deepEqual([alert['monitor_id'], alert['parse_error']], ['77', null])
})

test('doubled and trailing slashes anywhere in the path lose no alert', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  for (const [n, path] of [
    '//v1/webhooks/receive',
    '/v1//webhooks/receive',
    '/v1/webhooks//receive',
    '/v1/webhooks/receive/',
    '/v1/webhooks/receive//',
    '////v1///webhooks//receive',
    '//v1/webhooks/receive/eu',
    '/v1/webhooks/receive//eu',
    '/v1/webhooks//receive/eu/',
    '//v1/webhooks/receive?x=//y'
  ].entries()) {
    const body = JSON.stringify({ n })
    const { status } = await rawRequest(
      app.url,
      [`POST ${path} HTTP/1.1`, 'Host: localhost', `Content-Length: ${body.length}`],
      body
    )
    assert.equal(status, 202, path)
  }
  const events = await app.db('webhooks_events').select('account').orderBy('id')
  assert.deepEqual(
    events.map(row => row.account),
    [...Array.from({ length: 6 }, () => null), 'eu', 'eu', 'eu', null]
  )
})

test('an alert in pieces, and one whose connection ends early', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  const answer = await rawRequest(
    app.url,
    ['POST /v1/webhooks/receive HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked'],
    '5\r\n{"mon\r\nf\r\nitor_id":"12345\r\n2\r\n"}\r\n0\r\n\r\n'
  )
  assert.equal(answer.status, 202)
  const socket = openSocket(app.url)
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.end(
    'POST /v1/webhooks/receive HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"a'
  )
  socket.resume()
  await closed
  assert.equal((await app.db('webhooks_events').count({ n: '*' }))[0]?.['n'], '1')
})
