import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { eventually } from '../../../core/test/eventually.ts'
import {
  createDatacatClient,
  DatacatError,
  type ClientOptions,
  type DatacatClient
} from '../clients/typescript/datacat.ts'

/** How the server treats one request: as it should, not at all, or it stores and the answer is lost. */
type Fault = 'none' | 'refused' | 'lost' | 'cut' | 'busy' | 'stalled' | 'elsewhere'
type Answer = (request: Received, response: ServerResponse) => boolean
interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

interface FaultyServer {
  readonly url: string
  readonly received: Received[]
  /** Names of the events each session got, in order, as often as they were stored. */
  readonly stored: Map<string, string[]>
  /** The next requests fail like this. */
  readonly faults: Fault[]
  /** Answers before anything else does. */
  answer: Answer
  down(): Promise<void>
  up(): Promise<void>
}

const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  let text = ''
  for await (const part of request) text += String(part)
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}
const json = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
): void => {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body))
}

async function startServer(t: TestContext): Promise<FaultyServer> {
  const keys = new Set<string>()
  const store = ({ url, body }: Received): object => {
    const session = /sessions\/([^/]+)\/batch$/.exec(url)?.[1]
    if (session === undefined) return { session_id: body['id'], created: true }
    const events = (body['events'] ?? []) as { name: string }[]
    const duplicate = keys.has(`${session} ${String(body['key'])}`)
    keys.add(`${session} ${String(body['key'])}`)
    if (!duplicate)
      faulty.stored.set(session, [
        ...(faulty.stored.get(session) ?? []),
        ...events.map(event => event.name)
      ])
    return { status: 'ok', accepted: duplicate ? 0 : events.length, duplicate }
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received: Received = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: await bodyOf(request)
    }
    faulty.received.push(received)
    const fault = faulty.faults.shift() ?? 'none'
    if (fault === 'refused') return void request.socket.destroy()
    if (fault === 'busy') return json(response, 503, {}, { 'retry-after': '0' })
    if (fault === 'stalled') return
    if (fault === 'elsewhere')
      return void response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<p>log in to this network first')
    if (faulty.answer(received, response)) return
    const answer = store(received)
    if (fault === 'lost') return void request.socket.destroy()
    if (fault === 'cut') {
      response.writeHead(200, { 'content-length': '1000' }).write('{"sta')
      return void setTimeout(() => request.socket.destroy(), 2)
    }
    json(response, 200, answer)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => {})
  })
  const up = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const down = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  const port = await up(0)
  t.after(down)
  const faulty: FaultyServer = {
    url: `http://127.0.0.1:${port}`,
    received: [],
    stored: new Map(),
    faults: [],
    answer: () => false,
    down,
    async up() {
      await up(port)
    }
  }
  return faulty
}

function connect(
  t: TestContext,
  server: { url: string },
  options: Partial<ClientOptions> = {}
): DatacatClient {
  const client = createDatacatClient({
    url: server.url,
    backoffMs: 1,
    timeoutMs: 2_000,
    ...options
  })
  t.after(() => client.close({ signal: AbortSignal.abort() }).catch(() => {}))
  return client
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'datacat-offline-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const failure = async (work: Promise<unknown>): Promise<DatacatError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  assert.ok(error instanceof DatacatError, `${String(error)} is no DatacatError`)
  return error
}
const names = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index))
const filesOf = (folder: string): string[] =>
  readdirSync(folder).filter(name => name.endsWith('.json'))

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
      json(response, 404, { detail: 'no such session' })
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
        json(response, 400, {
          detail: 'no',
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
      if (events.length > 2) json(response, 413, { detail: 'too large' })
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
    assert.match(String(first?.exception['file']), /client\.test\.ts$/)
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

describe('the offline folder', () => {
  test('keeps what the server does not take, and a later process sends it in order, each once', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const first = connect(t, server, { offlineDir: folder, retries: 0 })
    const session = await first.createSession()
    for (const name of names(3)) {
      await session.logEvent(name)
      await first.flush()
    }
    assert.deepEqual([first.stats().stored, first.stats().queued], [3, 0])
    assert.equal(filesOf(folder).length, 4)
    await first.close()
    await server.up()
    server.faults.push('none', 'lost', 'none', 'cut')
    const second = connect(t, server, { offlineDir: folder })
    await second.openSession(session.id).logEvent('3')
    await second.flush()
    assert.deepEqual(server.stored.get(session.id), names(4))
    assert.equal(server.received[0]?.body['id'], session.id)
    assert.deepEqual(filesOf(folder), [])
    assert.deepEqual(second.stats(), {
      logged: 1,
      recovered: 3,
      delivered: 4,
      dropped: 0,
      rejected: 0,
      queued: 0,
      stored: 0,
      storedBytes: 0
    })
  })

  test('keeps its order when the clock was set back', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    for (const name of names(3)) {
      const client = connect(t, server, { offlineDir: folder, retries: 0 })
      await client.openSession('one').logEvent(name)
      await client.close()
      const [first = ''] = filesOf(folder)
      if (name === '0')
        renameSync(
          path.join(folder, first),
          path.join(folder, first.replace(/^\d+/, '009999999999999'))
        )
    }
    await server.up()
    await connect(t, server, { offlineDir: folder }).flush()
    assert.deepEqual(server.stored.get('one'), names(3))
  })

  test('is emptied by a process that writes nothing', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const first = connect(t, server, { offlineDir: folder, retries: 0 })
    await first.openSession('one').logEvent('0')
    await first.close()
    await server.up()
    connect(t, server, { offlineDir: folder })
    await eventually(
      'the delivery',
      () => server.stored.get('one')?.length === 1 && filesOf(folder).length === 0
    )
  })

  test('half-written, empty, foreign and unreadable files block nothing', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const first = connect(t, server, { offlineDir: folder, retries: 0 })
    for (const name of names(3)) {
      await first.openSession('one').logEvent(name)
      await first.flush()
    }
    await first.close()
    const [torn = '', , last = ''] = filesOf(folder).sort()
    const text = readFileSync(path.join(folder, torn), 'utf8')
    writeFileSync(path.join(folder, torn), text.slice(0, text.length / 2))
    writeFileSync(path.join(folder, last.replace(/^\d+/, '000000000000001')), '')
    mkdirSync(path.join(folder, last.replace(/^\d+/, '000000000000002')))
    writeFileSync(path.join(folder, '.0badc0de-1.tmp'), text.slice(0, 9))
    writeFileSync(path.join(folder, 'notes.txt'), 'mine')
    writeFileSync(
      path.join(folder, last.replace(/^\d+/, '000000000000003')),
      '{"path":"/v1/somewhere/else","body":{}}'
    )
    await server.up()
    const second = connect(t, server, { offlineDir: folder })
    await second.flush()
    assert.deepEqual(server.stored.get('one'), ['1', '2'])
    assert.equal(second.stats().stored, 0)
    assert.equal(second.stats().dropped, 4)
    assert.equal(readFileSync(path.join(folder, 'notes.txt'), 'utf8'), 'mine')
  })

  test('takes no more bytes than it may; what comes on top stays in memory, then is dropped and counted', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const client = connect(t, server, {
      offlineDir: folder,
      retries: 0,
      offlineMaxBytes: 2_000,
      maxQueued: 3
    })
    for (const name of names(20)) {
      await client.openSession('one').logEvent(name)
      await client.flush().catch(() => {})
    }
    const { stored, queued, dropped, storedBytes } = client.stats()
    assert.ok(storedBytes <= 2_000 && stored > 3 && queued === 3, JSON.stringify(client.stats()))
    assert.equal(stored + queued + dropped, 20)
    await server.up()
    await client.flush()
    assert.deepEqual(server.stored.get('one'), names(stored + queued))
    assert.equal(client.stats().storedBytes, 0)
  })

  test('that cannot be used is told, and memory takes its place', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    writeFileSync(path.join(folder, 'file'), '')
    const told: unknown[] = []
    const client = connect(t, server, {
      offlineDir: path.join(folder, 'file'),
      onError: error => told.push(error)
    })
    await client.openSession('one').logEvent('0')
    await client.flush()
    assert.deepEqual(server.stored.get('one'), ['0'])
    assert.equal(told.length, 1)
  })

  test('serves two processes at once', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const first = connect(t, server, { offlineDir: folder, retries: 0 })
    for (const name of names(5)) {
      await first.openSession('one').logEvent(name)
      await first.flush()
    }
    await server.up()
    const second = connect(t, server, { offlineDir: folder })
    await Promise.all([first.flush(), second.flush()])
    assert.deepEqual(server.stored.get('one'), names(5))
    assert.deepEqual([first.stats().stored, second.stats().stored], [0, 0])
  })

  test('keeps unbuffered writes too, and their order', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const client = connect(t, server, { offlineDir: folder, retries: 0, buffered: false })
    const session = await client.createSession()
    await session.logEvent('0')
    await session.logEvent('1')
    await client.close()
    await server.up()
    const later = connect(t, server, { offlineDir: folder, buffered: false })
    await later.openSession(session.id).logEvent('2')
    await later.flush()
    assert.deepEqual(server.stored.get(session.id), names(3))
  })

  test(
    "is its owner's alone",
    { skip: process.platform === 'win32' ? 'Windows has other permissions' : false },
    async t => {
      const folder = path.join(temporary(t), 'deep', 'er')
      const client = connect(t, { url: 'http://127.0.0.1:9' }, { offlineDir: folder, retries: 0 })
      await client.openSession('one').logEvent('0')
      await client.flush()
      const modes = [folder, ...filesOf(folder).map(name => path.join(folder, name))].map(
        name => statSync(name).mode & 0o777
      )
      assert.deepEqual(modes, [0o700, 0o600])
    }
  )
})

describe('whatever fails in between', () => {
  const fault = fc.constantFrom<Fault>('none', 'refused', 'lost', 'cut', 'busy', 'elsewhere')
  const step = fc.oneof(
    fc.record({
      do: fc.constant('log' as const),
      count: fc.integer({ min: 1, max: 12 }),
      session: fc.constantFrom('one', 'two')
    }),
    fc.record({
      do: fc.constant('fail' as const),
      faults: fc.array(fault, { minLength: 1, maxLength: 8 })
    }),
    fc.record({
      do: fc.constantFrom(
        'flush' as const,
        'restart' as const,
        'down' as const,
        'up' as const,
        'wait' as const
      )
    })
  )

  for (const place of ['memory', 'disk'] as const) {
    test(`every item kept in ${place} arrives once and in order`, async t => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 14 }),
          fc.boolean(),
          fc.integer({ min: 0, max: 2 }),
          async (steps, poisoned, retries) => {
            const server = await startServer(t)
            const folder = temporary(t)
            const poison = (name: string): boolean => poisoned && Number(name) % 7 === 3
            server.answer = ({ body }, response) => {
              const bad = ((body['events'] ?? []) as { name: string }[]).some(event =>
                poison(event.name)
              )
              if (bad) json(response, 400, { detail: 'no' })
              return bad
            }
            const open = (): DatacatClient =>
              connect(t, server, {
                retries,
                flushMs: 5,
                flushItems: 4,
                ...(place === 'disk' ? { offlineDir: folder } : {})
              })
            let client = open()
            const logged = { one: [] as string[], two: [] as string[] }
            for (const one of steps) {
              if (one.do === 'fail') server.faults.push(...one.faults)
              if (one.do === 'log')
                for (let count = 0; count < one.count; count++) {
                  const own = logged[one.session]
                  own.push(String(own.length))
                  await client.openSession(one.session).logEvent(String(own.length - 1))
                }
              if (one.do === 'down') await server.down()
              if (one.do === 'up') {
                await server.down()
                await server.up()
              }
              if (one.do === 'wait') await sleep(8)
              if (one.do === 'flush') await client.flush().catch(() => {})
              // What is flushed survives a process that ends without a word.
              if (one.do === 'restart' && place === 'disk') {
                await client.flush()
                await client.close({ signal: AbortSignal.abort() }).catch(() => {})
                client = open()
              }
            }
            await server.down()
            await server.up()
            await eventually('the delivery', async () => {
              await client.flush().catch(() => {})
              return client.stats().queued + client.stats().stored === 0
            })
            for (const session of ['one', 'two'] as const)
              assert.deepEqual(
                server.stored.get(session) ?? [],
                logged[session].filter(name => !poison(name))
              )
            const { logged: all, recovered, delivered, dropped, rejected } = client.stats()
            assert.equal(all + recovered, delivered + dropped + rejected)
            await client.close()
            await server.down()
          }
        ),
        { numRuns: 25 }
      )
    })
  }
})

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
        `: hello\n\nretry: 1\nid: ${number}\nevent: event\ndata: {"n":\ndata: ${number}}\n\nevent: odd\ndata: no json\n\n`
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
