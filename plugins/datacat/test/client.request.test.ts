import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../../core/test/eventually.ts'
import { connect, failure, json, startServer } from './faulty-server.ts'

describe('a request', () => {
  test('that stalls ends in time and says so', async t => {
    const server = await startServer(t)
    server.faults.push('stalled')
    const error = await failure(connect(t, server, { timeoutMs: 80, retries: 0 }).getSession('one'))
    assert.deepEqual([error.code, error.status, error.retryable], ['timeout', 0, true])
    assert.match(error.message, /GET \/v1\/datacat\/sessions\/one: no answer within 80 ms/)
  })

  test('is repeated after 503, no sooner than Retry-After says', async t => {
    const server = await startServer(t)
    let refusals = 0
    server.answer = (_, response) => {
      if (refusals++ > 0) return false
      json(response, 503, {}, { 'retry-after': '1' })
      return true
    }
    const started = performance.now()
    await connect(t, server).createSession()
    assert.ok(performance.now() - started >= 990, `${performance.now() - started} ms`)
    assert.equal(server.received.length, 2)
    assert.equal(server.received[0]?.body['id'], server.received[1]?.body['id'])
  })

  test('that nobody hears fails as a connection, after every attempt', async t => {
    const server = await startServer(t)
    await server.down()
    const error = await failure(connect(t, server, { retries: 2 }).getSession('one'))
    assert.deepEqual([error.code, error.status, error.attempts], ['connection', 0, 3])
    assert.match(error.message, /ECONNREFUSED/)
  })

  for (const status of [408, 429, 500, 502, 504]) {
    test(`is repeated after ${status}`, async t => {
      const server = await startServer(t)
      server.answer = (_, response) => {
        if (server.received.length > 1) return false
        json(response, status, {})
        return true
      }
      await connect(t, server).createSession()
      assert.equal(server.received.length, 2)
    })
  }

  for (const status of [400, 401, 403, 404, 409, 413]) {
    test(`is not repeated after ${status}`, async t => {
      const server = await startServer(t)
      server.answer = (_, response) => {
        json(response, status, { detail: 'no' })
        return true
      }
      assert.equal((await failure(connect(t, server).createSession())).status, status)
      assert.equal(server.received.length, 1)
    })
  }

  test('that is refused names the fields by their pointers', async t => {
    const server = await startServer(t)
    const errors = [{ pointer: '/body/name', message: 'is too long' }]
    server.answer = (_, response) => {
      json(response, 400, { detail: 'the body is wrong', errors })
      return true
    }
    const error = await failure(connect(t, server).openSession('one').details())
    assert.deepEqual(error.errors, errors)
    assert.equal(error.message, 'datacat answered 400: the body is wrong: /body/name is too long')
  })

  test('of a token is authorised', async t => {
    const server = await startServer(t)
    await connect(t, server, { token: 'a-token' }).createSession()
    assert.equal(server.received[0]?.headers.authorization, 'Bearer a-token')
  })

  for (const [what, prepare] of [
    ['while it is asked', 'stalled'],
    ['between two attempts', 'busy']
  ] as const) {
    test(`ends with its signal ${what}`, async t => {
      const server = await startServer(t)
      server.faults.push(...Array.from({ length: 9 }, () => prepare))
      const client = connect(t, server, { backoffMs: 60_000 })
      const reason = new Error('enough')
      const controller = new AbortController()
      const asked = client.getSession('one', { signal: controller.signal })
      await eventually('the request', () => server.received.length === 1)
      await sleep(20)
      controller.abort(reason)
      await assert.rejects(asked, error => error === reason)
    })
  }

  test('is a query of everything that filters', async t => {
    const server = await startServer(t)
    server.answer = (_, response) => {
      json(response, 200, { sessions: [] })
      return true
    }
    await connect(t, server).listSessions({
      status: 'active',
      machineId: 'm',
      current: { 'a.b': 1 },
      ever: { c: ['x', 'y'] },
      everContains: { open: 'space probe' },
      from: 0,
      perPage: 5
    })
    const query = new URL(server.received[0]?.url ?? '', server.url).searchParams
    assert.deepEqual([...query].sort(), [
      ['current', 'a.b=1'],
      ['ever', 'c=x'],
      ['ever', 'c=y'],
      ['ever_contains', 'open=space probe'],
      ['from', '1970-01-01T00:00:00.000Z'],
      ['machine_id', 'm'],
      ['per_page', '5'],
      ['status', 'active']
    ])
  })
})
