import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../../core/test/eventually.ts'
import type { DatacatError } from '../clients/typescript/datacat.ts'
import { connect, failure, names, refuse, startServer } from './faulty-server.ts'

describe('a write', () => {
  test('waits for its batch, with the time of the call', async t => {
    const server = await startServer(t)
    const session = connect(t, server).openSession('one')
    const before = Date.now()
    const data = { a: 1 }
    await session.logEvent('first', data)
    data.a = 2
    await session.updateState({ s: 1 })
    await session.logCounter('c')
    await session.logHistogram('h', [1, 2, 30], { buckets: [10, 1] })
    assert.equal(server.received.length, 0)
    await session.flush()
    assert.equal(server.received.length, 1)
    const { events, states, metrics, key } = (server.received[0]?.body ?? {}) as Record<
      string,
      Record<string, unknown>[]
    >
    assert.deepEqual(
      events?.map(event => [event['name'], event['data']]),
      [['first', { a: 1 }]]
    )
    assert.deepEqual(
      states?.map(state => state['state']),
      [{ s: 1 }]
    )
    assert.deepEqual(
      metrics?.map(({ timestamp: _, ...metric }) => metric),
      [
        { name: 'c', value: 1, type: 'counter' },
        {
          name: 'h',
          value: 11,
          type: 'histogram',
          count: 3,
          metadata: {
            sum: 33,
            buckets: [
              { le: 1, count: 1 },
              { le: 10, count: 1 },
              { le: null, count: 1 }
            ]
          }
        }
      ]
    )
    assert.ok(Date.parse(String(events?.[0]?.['timestamp'])) >= before)
    assert.match(String(key), /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    assert.deepEqual(session.stats(), {
      logged: 4,
      recovered: 0,
      delivered: 4,
      dropped: 0,
      rejected: 0,
      queued: 0,
      stored: 0
    })
  })

  test('is sent without being asked, after a while or when there are many', async t => {
    const server = await startServer(t)
    const session = connect(t, server, { flushMs: 60 }).openSession('one')
    await session.logEvent('0')
    await eventually('the first batch', () => server.received.length === 1)
    const many = connect(t, server, { flushMs: 60_000, flushItems: 5 }).openSession('two')
    for (const name of names(5)) await many.logEvent(name)
    await eventually('the full batch', () => server.stored.get('two')?.length === 5)
  })

  test('is one request without a buffer, and rejects', async t => {
    const server = await startServer(t)
    const session = connect(t, server, { buffered: false }).openSession('one')
    server.faults.push('lost', 'none')
    await session.logEvent('0')
    assert.deepEqual(server.stored.get('one'), ['0'])
    assert.equal(server.received.length, 2)
    server.answer = (_, response) => {
      refuse(response, 404, 'session-not-found')
      return true
    }
    assert.equal((await failure(session.logEvent('1'))).status, 404)
    assert.deepEqual((await failure(session.logMetric('m', Number.NaN))).errors, [
      { pointer: '/value', message: 'is NaN, not a finite number' }
    ])
    assert.deepEqual(session.stats(), {
      logged: 3,
      recovered: 0,
      delivered: 1,
      dropped: 0,
      rejected: 2,
      queued: 0,
      stored: 0
    })
  })

  test('that JSON cannot carry is counted and told, and takes nothing with it', async t => {
    const server = await startServer(t)
    const told: unknown[] = []
    const session = connect(t, server, { onError: error => told.push(error) }).openSession('one')
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    await session.logEvent('0', circle)
    await session.logMetric('m', Infinity)
    await session.logEvent('1', { big: 1n })
    await session.logEvent('2')
    await session.flush()
    assert.deepEqual(server.stored.get('one'), ['2'])
    assert.equal(session.stats().rejected, 3)
    assert.deepEqual(
      told.map(error => (error as DatacatError).code),
      ['invalid', 'invalid', 'invalid']
    )
  })

  test('that the server refuses takes only itself out of its batch', async t => {
    const server = await startServer(t)
    server.answer = ({ body }, response) => {
      const events = (body['events'] ?? []) as { name: string }[]
      const index = events.findIndex(event => event.name === '3' || event.name === '17')
      if (index >= 0)
        refuse(response, 400, 'invalid-input', {
          errors: [{ pointer: `/events/${index}/name`, message: 'no' }]
        })
      return index >= 0
    }
    const client = connect(t, server)
    const session = client.openSession('one')
    for (const name of names(20)) await session.logEvent(name)
    await session.flush()
    assert.deepEqual(
      server.stored.get('one'),
      names(20).filter(name => name !== '3' && name !== '17')
    )
    assert.deepEqual(
      [client.stats().delivered, client.stats().rejected, client.stats().queued],
      [18, 2, 0]
    )
  })

  test('that was sent in half before the server went away is not stored twice', async t => {
    const server = await startServer(t)
    let halves = 0
    server.answer = ({ body }, response) => {
      const events = (body['events'] ?? []) as { name: string }[]
      if (events.length > 2) refuse(response, 413, 'body-too-large')
      else if (events[0]?.name === '2' && halves++ === 0) response.destroy()
      else return false
      return true
    }
    const client = connect(t, server, { retries: 0 })
    for (const name of names(4)) await client.openSession('one').logEvent(name)
    await failure(client.flush())
    assert.deepEqual(server.stored.get('one'), names(2))
    await client.flush()
    assert.deepEqual(server.stored.get('one'), names(4))
  })

  test('that finds no room is dropped and counted', async t => {
    const server = await startServer(t)
    await server.down()
    const client = connect(t, server, { maxQueued: 10, retries: 0 })
    const session = client.openSession('one')
    for (const name of names(7)) await session.logEvent(name)
    assert.equal((await failure(client.flush())).code, 'connection')
    for (const name of names(7, 7)) await session.logEvent(name)
    assert.deepEqual([client.stats().queued, client.stats().dropped], [10, 4])
    await server.up()
    await client.flush()
    assert.deepEqual(server.stored.get('one'), names(10))
  })

  test('after the client is closed is dropped, told, and sent nowhere', async t => {
    const server = await startServer(t)
    const told: unknown[] = []
    const client = connect(t, server, { onError: error => told.push(error) })
    const session = client.openSession('one')
    await session.logEvent('0')
    await client.close()
    await session.logEvent('1')
    await sleep(30)
    assert.deepEqual(server.stored.get('one'), ['0'])
    assert.deepEqual([client.stats().dropped, (told[0] as DatacatError).code], [1, 'closed'])
  })

  test("of a session's end comes after all that was written before", async t => {
    const server = await startServer(t)
    const session = connect(t, server).openSession('one')
    await session.logEvent('0')
    await session.end()
    await session.logEvent('1')
    await session.flush()
    assert.deepEqual(
      server.received.map(({ body }) => [
        body['end'],
        ((body['events'] ?? []) as { name: string }[]).map(event => event.name)
      ]),
      [
        [true, ['0']],
        [undefined, ['1']]
      ]
    )
  })

  test("a page that is not datacat's is not taken for its answer", async t => {
    const server = await startServer(t)
    server.faults.push('elsewhere', 'elsewhere')
    const client = connect(t, server)
    const session = client.openSession('one')
    await session.logEvent('0')
    await client.flush()
    assert.deepEqual(server.stored.get('one'), ['0'])
    assert.equal(server.received.length, 3)
  })

  test('an exception says where it was thrown, and of what it was the consequence', async t => {
    const server = await startServer(t)
    const session = connect(t, server).openSession('one')
    function charge(): never {
      throw new TypeError('no card', { cause: new RangeError('empty') })
    }
    try {
      charge()
    } catch (error) {
      await session.logException(error, { data: { order: 7 } })
    }
    await session.logException('a text')
    await session.flush()
    const [first, second] = (server.received[0]?.body['events'] ?? []) as {
      name: string
      level: string
      message: string
      data: Record<string, unknown>
      exception: Record<string, unknown>
    }[]
    assert.deepEqual(
      [first?.name, first?.level, first?.message, first?.data['type'], first?.data['order']],
      ['exception', 'error', 'no card', 'TypeError', 7]
    )
    assert.deepEqual(
      [first?.exception['type'], first?.exception['function']],
      ['TypeError', 'charge']
    )
    assert.match(String(first?.exception['file']), /client\.write\.test\.ts$/)
    assert.ok(Number(first?.exception['line']) > 100)
    assert.match(String(first?.exception['stacktrace']), /,Caused by: RangeError: empty,/)
    assert.deepEqual(second?.exception, { type: 'string', message: 'a text', stacktrace: [] })
  })

  test('a timed function gives its answer or its error, and both are timed', async t => {
    const server = await startServer(t)
    const session = connect(t, server).openSession('one')
    assert.equal(await session.time('work', () => 7), 7)
    await assert.rejects(
      session.time('work', async () => {
        await sleep(20)
        throw new Error('broken')
      }),
      /broken/
    )
    await session.flush()
    const metrics = (server.received[0]?.body['metrics'] ?? []) as {
      name: string
      type: string
      unit: string
      value: number
      count: number
    }[]
    assert.deepEqual(
      metrics.map(({ name, type, unit, count }) => [name, type, unit, count]),
      [
        ['work', 'timer', 's', 1],
        ['work', 'timer', 's', 1]
      ]
    )
    assert.ok((metrics[1]?.value ?? 0) >= 0.019)
  })
})

describe('a process that forgets to close its client', () => {
  const run = async (url: string): Promise<unknown[]> => {
    const module = new URL('../clients/typescript/datacat.ts', import.meta.url).href
    const script = `import { createDatacatClient } from ${JSON.stringify(module)}
      const client = createDatacatClient({ url: ${JSON.stringify(url)}, backoffMs: 1 })
      const session = client.openSession('one')
      session.startHeartbeat({ intervalMs: 10 })
      void session.logEvent('last words')`
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { stdio: ['ignore', 'inherit', 'inherit'], timeout: 30_000 }
    )
    return once(child, 'exit')
  }

  test('ends by itself once its data is sent', async t => {
    const server = await startServer(t)
    assert.deepEqual(await run(server.url), [0, null])
    assert.deepEqual(server.stored.get('one'), ['last words'])
  })

  test('ends by itself when nobody takes its data', async t => {
    const server = await startServer(t)
    await server.down()
    assert.deepEqual(await run(server.url), [0, null])
  })
})
