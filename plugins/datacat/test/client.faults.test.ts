import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test, type TestContext } from 'node:test'
import { suiteApp } from '../../../core/test/suite-app.ts'
import { createProxy, type Way } from '../../../examples/datacat-clients/faults/proxy.ts'
import type { DatacatError } from '../clients/typescript/datacat.ts'
import datacat from '../plugin.ts'
import type { EventAnswer } from './answers.ts'
import { connect, failure, filesOf, startServer, temporary } from './faulty-server.ts'

const shared = suiteApp({ plugins: [datacat] })
const eventsOf = async (id: string): Promise<EventAnswer[]> =>
  (await shared.call('GET', `/v1/datacat/sessions/${id}/events`)).body['events'] as EventAnswer[]
const namesOf = async (id: string): Promise<string[]> =>
  (await eventsOf(id)).map(event => event.name)
async function behind(t: TestContext, fault: string, times = Infinity): Promise<Way> {
  const proxy = await createProxy(shared.url)
  t.after(() => proxy.close())
  return proxy.through(fault, times)
}

describe('what is not an answer of datacat', () => {
  for (const fault of [
    "200, another's health",
    '401',
    '403',
    '404 of a proxy',
    '405',
    '400 of a proxy',
    '413 of a proxy',
    '303 to the server',
    '302 to a login page'
  ])
    test(`keeps the offline folder as it is, and is told: ${fault}`, async t => {
      const [way, folder] = [await behind(t, fault), temporary(t)]
      const told: unknown[] = []
      const client = connect(t, way, {
        offlineDir: folder,
        retries: 0,
        flushMs: 10_000,
        onError: error => told.push(error)
      })
      const session = await client.createSession()
      await session.logEvent('kept')
      await client.flush()
      assert.deepEqual([filesOf(folder).length, client.stats().stored], [2, 1])
      assert.ok(told.length > 0)
      way.mend()
      await client.flush()
      assert.deepEqual([await namesOf(session.id), client.stats().stored], [['kept'], 0])
    })

  for (const fault of ['301 to the server', '302 to the server', '307 to the server'])
    test(`a write stays a write where it is moved: ${fault}`, async t => {
      const client = connect(t, await behind(t, fault), { retries: 0 })
      const session = await client.createSession()
      await session.logEvent('x')
      await client.flush()
      assert.deepEqual(await namesOf(session.id), ['x'])
    })

  test('a token goes along to the same host only', async t => {
    const [first, other] = [await startServer(t), await startServer(t)]
    const seen: unknown[] = []
    other.answer = ({ headers }) => {
      seen.push(headers.authorization)
      return false
    }
    for (const host of ['127.0.0.1', 'localhost']) {
      first.answer = ({ url }, response) => {
        response.writeHead(307, { location: other.url.replace('127.0.0.1', host) + url }).end()
        return true
      }
      await connect(t, first, { token: 't' }).createSession()
    }
    assert.deepEqual(seen, ['Bearer t', undefined])
  })

  test('a gateway that gives up after the write has it stored once', async t => {
    for (const fault of ['stored, 504', 'stored, 502', 'stored, connection closed']) {
      const client = connect(t, await behind(t, fault, 2), { buffered: false })
      const session = await client.createSession()
      await session.logEvent('paid')
      assert.deepEqual(await namesOf(session.id), ['paid'])
    }
  })
})

describe('what is too large', () => {
  test('is refused before it waits, and holds nothing up', async t => {
    const told: unknown[] = []
    const client = connect(t, shared, { onError: error => told.push(error) })
    const session = await client.createSession()
    await session.updateState({ big: 'x'.repeat(5_000_000) })
    await session.updateState({ wide: 'я'.repeat(600_000) })
    await session.logEvent('after')
    await client.flush()
    assert.deepEqual(await namesOf(session.id), ['after'])
    assert.deepEqual([client.stats().rejected, client.stats().delivered], [2, 1])
    assert.match((told[0] as DatacatError).message, /5000\d+ bytes of JSON are over/)
    const plain = connect(t, shared, { buffered: false })
    const big = { state: { big: 'x'.repeat(2_000_000) } }
    assert.equal((await failure(plain.createSession(big))).code, 'invalid')
  })

  test('an exception is cut by bytes and keeps its frames, causes, parts and codes', async t => {
    const client = connect(t, shared)
    const session = await client.createSession()
    function charge(): Error {
      return new Error(`${'я'.repeat(5_000)}\n`.repeat(200), {
        cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
      })
    }
    await session.logException(charge())
    await session.logException(new Error('diff line\n'.repeat(300)))
    await session.logException(new AggregateError([new TypeError('inner'), 'a text'], 'many'))
    await client.flush()
    assert.equal(client.stats().delivered, 3)
    const [long, lines, many] = (await eventsOf(session.id)).map(event => event.exception)
    const stack = long?.stacktrace.join('\n') ?? ''
    assert.match(stack, /at charge .*client\.faults\.test\.ts/)
    assert.match(stack, /Caused by: Error: refused \[ECONNREFUSED\]/)
    assert.match(long?.message ?? '', /… \(1000200 characters\)$/)
    for (const one of [long, lines, many])
      assert.match(one?.file ?? '', /client\.faults\.test\.ts$/)
    assert.match(many?.stacktrace.join('\n') ?? '', /One of: TypeError: inner[^]*One of: a text/)
  })
})

describe('the last words of a process', () => {
  const module = new URL('../clients/typescript/datacat.ts', import.meta.url).href
  async function run(id: string, end: string): Promise<unknown[]> {
    const script = `import { createDatacatClient, reportUncaught } from ${JSON.stringify(module)}
      const client = createDatacatClient({ url: ${JSON.stringify(shared.url)}, flushMs: 60000 })
      const session = client.openSession(${JSON.stringify(id)})
      reportUncaught(session)
      setInterval(() => {}, 1000)
      void session.logEvent('queued')
      ${end}`
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { stdio: 'ignore', timeout: 60_000 }
    )
    return once(child, 'exit')
  }
  for (const [what, end, exit, names] of [
    [
      'an exception nobody catches',
      "throw new RangeError('end')",
      [1, null],
      ['queued', 'exception']
    ],
    [
      'a rejection nobody handles',
      "Promise.reject(new Error('end'))",
      [1, null],
      ['queued', 'exception']
    ],
    ['SIGTERM', "process.kill(process.pid, 'SIGTERM')", [null, 'SIGTERM'], ['queued']]
  ] as const)
    test(`arrive at ${what}`, async t => {
      const session = await connect(t, shared).createSession()
      assert.deepEqual(await run(session.id, end), exit)
      assert.deepEqual(await namesOf(session.id), names)
    })
})

test('what goes wrong in the background is told without being asked for, once a sentence', async t => {
  const warn = t.mock.method(console, 'warn', () => {})
  const way = await behind(t, '401')
  const client = connect(t, way, { retries: 0 })
  await client.openSession('11111111-1111-4111-8111-111111111111').logEvent('x')
  for (let time = 0; time < 3; time++) await failure(client.flush())
  assert.equal(warn.mock.callCount(), 1)
  assert.match(String(warn.mock.calls[0]?.arguments[0]), /^datacat: datacat answered 401/)
})
