import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../../core/test/eventually.ts'
import {
  connect,
  failure,
  json,
  startServer,
  type Answer,
  type FaultyServer
} from './faulty-server.ts'

describe('a heartbeat', () => {
  const beats = (server: FaultyServer): unknown[] =>
    server.received.filter(one => one.url.endsWith('/heartbeat')).map(one => one.body)
  const answer: Answer = ({ url }, response) => {
    if (!url.endsWith('/heartbeat')) return false
    json(response, 200, { status: 'ok', session_status: 'active' })
    return true
  }

  test('tells the limits once, beats on through failures, and ends when told', async t => {
    const server = await startServer(t)
    server.answer = answer
    server.faults.push('refused', 'refused')
    const session = connect(t, server).openSession('one')
    const stop = session.startHeartbeat({
      hungAfterSeconds: 5,
      crashedAfterSeconds: 9,
      intervalMs: 15
    })
    await eventually('some beats', () => beats(server).length >= 6)
    stop()
    await sleep(20)
    const count = beats(server).length
    await sleep(60)
    assert.equal(beats(server).length, count)
    assert.deepEqual(
      beats(server).slice(0, 3),
      Array.from({ length: 3 }, () => ({ hung_after_seconds: 5, crashed_after_seconds: 9 }))
    )
    assert.deepEqual(beats(server)[5], {})
  })

  for (const way of ['end', 'suspend', 'close'] as const) {
    test(`ends with ${way}`, async t => {
      const server = await startServer(t)
      server.answer = answer
      const session = connect(t, server).openSession('one')
      session.startHeartbeat({ intervalMs: 10 })
      await eventually('a beat', () => beats(server).length > 0)
      await session[way]()
      await sleep(20)
      const count = beats(server).length
      await sleep(50)
      assert.equal(beats(server).length, count)
      if (way === 'suspend') assert.deepEqual(beats(server).at(-1), { suspended: true })
    })
  }
})

describe('a stream', () => {
  test('of an export is read record by record, however it is cut', async t => {
    const server = await startServer(t)
    server.answer = (_, response) => {
      const bytes = Buffer.from(
        '{"type":"session","id":"ö1"}\n{"type":"event","name":"€"}\r\n\n{"type":"metric"}'
      )
      response.writeHead(200)
      void (async () => {
        for (const byte of bytes) {
          response.write(Buffer.of(byte))
          await sleep(0)
        }
        response.end()
      })()
      return true
    }
    const records = []
    for await (const record of connect(t, server).exportSessions()) records.push(record)
    assert.deepEqual(records, [
      { type: 'session', id: 'ö1' },
      { type: 'event', name: '€' },
      { type: 'metric' }
    ])
  })

  test('of an export that breaks off is an error', async t => {
    const server = await startServer(t)
    server.answer = (_, response) => {
      response.writeHead(200).write('{"type":"session"}\n{"ty')
      setTimeout(() => response.destroy(), 10)
      return true
    }
    const records: unknown[] = []
    const error = await failure(
      (async () => {
        for await (const record of connect(t, server).exportSessions()) records.push(record)
      })()
    )
    assert.deepEqual([records.length, error.code], [1, 'connection'])
  })

  test('of changes is opened again where it was lost, and closed when nobody reads', async t => {
    const server = await startServer(t)
    let closed = 0
    server.answer = (_, response) => {
      const number = server.received.length
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(
        `: hello\n\nretry: 1\nid: ${number}\nevent: event\ndata: {"n":\ndata: ` +
          `${number}}\n\nevent: odd\ndata: no json\n\n`
      )
      response.once('close', () => {
        closed += 1
      })
      if (number < 3) setTimeout(() => response.destroy(), 10)
      return true
    }
    const seen: unknown[] = []
    for await (const change of connect(t, server).live('one')) {
      seen.push(change)
      if (seen.length === 3) break
    }
    assert.deepEqual(
      seen,
      [1, 2, 3].map(n => ({ type: 'event', id: String(n), data: { n } }))
    )
    assert.deepEqual(
      server.received.map(one => [one.url, one.headers['last-event-id']]),
      [undefined, '1', '2'].map(id => ['/v1/datacat/live?session=one', id])
    )
    await eventually('the end of the last connection', () => closed === 3)
  })

  test('of changes ends with its signal, and with a refusal', async t => {
    const server = await startServer(t)
    server.answer = (_, response) => {
      response.writeHead(200).write(': quiet\n\n')
      return true
    }
    const client = connect(t, server)
    const reason = new Error('enough')
    const controller = new AbortController()
    const reading = (async () => {
      for await (const _ of client.live(undefined, { signal: controller.signal })) assert.fail()
    })()
    await eventually('the connection', () => server.received.length === 1)
    controller.abort(reason)
    await assert.rejects(reading, error => error === reason)
    server.answer = (_, response) => {
      json(response, 404, { detail: 'no such session' })
      return true
    }
    assert.equal(
      (
        await failure(
          (async () => {
            for await (const _ of client.live('two')) assert.fail()
          })()
        )
      ).status,
      404
    )
  })
})
