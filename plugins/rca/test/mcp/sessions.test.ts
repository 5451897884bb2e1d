import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Server } from '@modelcontextprotocol/server'
import { createTestApp } from '../../../../core/testing.ts'
import proxy from '../../../datadog-proxy/plugin.ts'
import webhooks from '../../../webhooks/plugin.ts'
import { createEventStore } from '../../mcp/event-store.ts'
import { createSessions } from '../../mcp/sessions.ts'
import rca from '../../plugin.ts'

const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream'
}
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' }
  }
})
const ping = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' })
const post = (body: string, session?: string): Request =>
  new Request('http://127.0.0.1/mcp', {
    method: 'POST',
    body,
    headers: { ...headers, ...(session === undefined ? {} : { 'mcp-session-id': session }) }
  })

/** Sessions with a clock of the test's, and a way to begin one. */
function make() {
  const clock = { now: 0 }
  const onerror = (error: Error): void => assert.fail(error)
  const sessions = createSessions({ maxRequestBodySize: 10_000, onerror }, () => clock.now)
  const begin = async (owner: string): Promise<string> => {
    const server = new Server({ name: 's', version: '1' }, { capabilities: { tools: {} } })
    const answer = await sessions.open(owner, server, post(initialize), undefined)
    await answer.text()
    return answer.headers.get('mcp-session-id') ?? ''
  }
  const ask = async (id: string, owner: string): Promise<number | undefined> => {
    const answer = await sessions.serve(id, owner, post(ping, id), undefined)
    await answer?.text()
    return answer?.status
  }
  return { clock, sessions, begin, ask }
}

test('a session is its owner\u2019s alone, and ends when it is idle', async t => {
  const { clock, sessions, begin, ask } = make()
  t.after(() => sessions.close())
  const id = await begin('user 1')
  assert.equal(await ask(id, 'user 1'), 200)
  assert.equal(await ask(id, 'user 2'), undefined)
  clock.now = 29 * 60_000
  assert.equal(await ask(id, 'user 1'), 200)
  clock.now = 60 * 60_000
  assert.equal(await ask(id, 'user 1'), undefined)
})

test('sessions are few: the oldest of a caller, then of all, makes room', async t => {
  const { sessions, begin, ask } = make()
  t.after(() => sessions.close())
  const other = await begin('other')
  const own: string[] = []
  for (let n = 0; n < 21; n++) own.push(await begin('user 1'))
  assert.equal(await ask(own[0] ?? '', 'user 1'), undefined)
  assert.equal(await ask(own[1] ?? '', 'user 1'), 200)
  assert.equal(await ask(other, 'other'), 200)
  for (let n = 0; n < 100; n++) await begin(`many ${n}`)
  assert.equal(await ask(other, 'other'), undefined)
})

test('what was sent is kept for a broken stream, and not without end', async () => {
  const store = createEventStore()
  const message = (text: string) => ({ jsonrpc: '2.0' as const, method: 'x', params: { text } })
  const first = await store.storeEvent('a', message('one'))
  await store.storeEvent('b', message('other'))
  await store.storeEvent('a', message('two'))
  const replay = async (from: string): Promise<unknown[]> => {
    const sent: unknown[] = []
    await store.replayEventsAfter(from, {
      send: (_id, event) => Promise.resolve(void sent.push(event))
    })
    return sent
  }
  assert.deepEqual(await replay(first), [message('two')])
  for (let n = 0; n < 10; n++) await store.storeEvent('a', message('x'.repeat(100_000)))
  assert.deepEqual(await replay(first), [])
})

async function served(t: TestContext) {
  const { url } = await createTestApp(t, { plugins: [proxy, webhooks, rca] })
  const call = (method: string, body?: string, session?: string): Promise<Response> =>
    fetch(new URL('/mcp', url), {
      method,
      headers: { ...headers, ...(session === undefined ? {} : { 'mcp-session-id': session }) },
      ...(body === undefined ? {} : { body })
    })
  return { call, url }
}

test('a session over the wire: begun, used, ended, and gone', async t => {
  const { call, url } = await served(t)
  const begun = await call('POST', initialize)
  await begun.text()
  const id = begun.headers.get('mcp-session-id') ?? ''
  assert.match(id, /^[\da-f-]{36}$/)
  for (const [method, body, session, status] of [
    ['POST', ping, id, 200],
    ['POST', ping, undefined, 200],
    ['POST', ping, 'nobody', 404],
    ['GET', undefined, undefined, 400],
    ['GET', undefined, 'nobody', 404],
    ['DELETE', undefined, id, 200],
    ['POST', ping, id, 404]
  ] as const) {
    const answer = await call(method, body, session)
    await answer.text()
    assert.equal(answer.status, status, `${method} ${session}`)
  }
  for (const method of ['GET', 'POST', 'DELETE']) {
    const answer = await fetch(new URL('/mcp', url), {
      method,
      headers: { ...headers, 'mcp-session-id': id, origin: 'https://evil.example' },
      ...(method === 'POST' ? { body: ping } : {})
    })
    await answer.text()
    assert.equal(answer.status, 403, `${method} of a foreign page`)
  }
})
