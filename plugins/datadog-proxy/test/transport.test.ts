import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { DatadogError, type DatadogFailure } from '../contract.ts'
import { fakeDatadog, json, keys, window, type Answer } from './loopback.ts'

const search = { query: 'service:checkout', window, limit: 10 }
const fails =
  (failure: DatadogFailure, message?: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof DatadogError, String(error))
    assert.equal(error.failure, failure, error.message)
    if (message) assert.match(error.message, message)
    return true
  }
const answering =
  (
    body: string,
    type = 'application/json',
    status = 200,
    headers: Record<string, string> = {}
  ): Answer =>
  response =>
    response.writeHead(status, { 'content-type': type, ...headers }).end(body)

const garbage: Record<string, [Answer, RegExp]> = {
  'an HTML page with status 200': [
    answering('<html><title>Log in</title></html>', 'text/html'),
    /text\/html instead of JSON/
  ],
  'an HTML page that claims to be JSON': [answering('<html></html>'), /is not JSON/],
  'truncated JSON': [answering('{"data":[{"id":"a","attr'), /breaks off/],
  'an empty 200': [answering(''), /empty body/],
  null: [answering('null'), /without a list/],
  'a bare list': [answering('[]'), /without a list/],
  'an object without data': [answering('{"meta":{}}'), /without a list/],
  'data that is no list': [answering('{"data":{}}'), /without a list/],
  'rows without the expected fields': [
    answering('{"data":[{"nonsense":1}]}'),
    /none has the expected fields/
  ]
}
for (const [name, [answer, message]] of Object.entries(garbage)) {
  test(`${name} is garbage, never an empty result`, async t => {
    const { account, seen } = await fakeDatadog(t, answer)
    await assert.rejects(account.logs(search), fails('garbage', message))
    assert.equal(seen.length, 1)
  })
}

test('null, an empty object and a wrong shape are garbage for every call', async t => {
  let body = 'null'
  const { account } = await fakeDatadog(t, response =>
    answering(body)(response, undefined as never, 1)
  )
  for (body of ['null', '{}', '"text"', '[null]']) {
    const calls = [
      () => account.logs(search),
      () => account.events(search),
      () => account.hosts({ filter: '', limit: 5 }),
      () => account.metric({ query: 'q', window }),
      () => account.monitor('1'),
      () => account.findNotebook('x'),
      () => account.createNotebook({ name: 'n', cells: [], window }),
      () => account.validate()
    ]
    for (const call of calls) await assert.rejects(call(), fails('garbage'))
  }
})

test('a hanging server ends in a time-out', async t => {
  const { account } = await fakeDatadog(t, () => {})
  await assert.rejects(account.logs(search, { timeoutMs: 60 }), fails('timeout', /within 0.06 s/))
})

test('the deadline covers reading the body', async t => {
  const { account } = await fakeDatadog(t, response => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"data":[')
  })
  await assert.rejects(account.logs(search, { timeoutMs: 60 }), fails('timeout'))
})

test('half a body is unavailable after three attempts', async t => {
  const { account, seen } = await fakeDatadog(t, response => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      .write('{"data":[', () => response.destroy())
  })
  await assert.rejects(account.logs(search), fails('unavailable', /could not be reached/))
  assert.equal(seen.length, 3)
})

test('a refused connection is unavailable', async t => {
  const { account, waits } = await fakeDatadog(t, () => {}, {
    fetch: async () => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
      })
    }
  })
  await assert.rejects(account.monitor('1'), fails('unavailable', /ECONNREFUSED/))
  assert.equal(waits.length, 2)
})

const resets: [string, Record<string, string>, { wait: [number, number]; retryAfter?: number }][] =
  [
    ['reset 0', { 'x-ratelimit-reset': '0' }, { wait: [250, 500] }],
    ['reset 2', { 'x-ratelimit-reset': '2' }, { wait: [2000, 2500], retryAfter: 2 }],
    ['reset 3494', { 'x-ratelimit-reset': '3494' }, { wait: [250, 500], retryAfter: 3494 }],
    ['reset soon', { 'x-ratelimit-reset': 'soon' }, { wait: [250, 500] }],
    ['a negative reset', { 'x-ratelimit-reset': '-5' }, { wait: [250, 500] }],
    ['reset as an epoch', { 'x-ratelimit-reset': 'epoch' }, { wait: [9000, 11_500] }],
    ['reset as a past epoch', { 'x-ratelimit-reset': '1600000000' }, { wait: [250, 500] }],
    ['no reset', {}, { wait: [250, 500] }],
    ['Retry-After only', { 'retry-after': '3' }, { wait: [3000, 3500], retryAfter: 3 }]
  ]
// The epoch is made when it is sent, because it must lie ahead then.
const made = (headers: Record<string, string>): Record<string, string> =>
  headers['x-ratelimit-reset'] === 'epoch'
    ? { 'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 10) }
    : headers
for (const [
  name,
  headers,
  {
    wait: [least, most],
    retryAfter
  }
] of resets) {
  test(`429 with ${name} waits sensibly and then succeeds`, async t => {
    const { account, seen, waits } = await fakeDatadog(t, (response, _seen, nth) =>
      nth === 1
        ? json(response, { errors: ['Rate limit reached'] }, 429, made(headers))
        : json(response, { data: [] })
    )
    assert.deepEqual((await account.events(search)).rows, [])
    assert.equal(seen.length, 2)
    assert.ok(waits[0]! >= least && waits[0]! <= most, `waited ${waits[0]} ms`)
  })
  test(`429 with ${name} for ever is rate_limited after three attempts`, async t => {
    const { account, seen } = await fakeDatadog(t, response =>
      json(response, { errors: ['Rate limit reached'] }, 429, made(headers))
    )
    await assert.rejects(
      account.logs(search),
      (error: unknown) =>
        fails('rate_limited', /Rate limit reached/)(error) &&
        (retryAfter === undefined ||
          assert.equal((error as DatadogError).details.retryAfterSeconds, retryAfter) === undefined)
    )
    assert.equal(seen.length, 3)
  })
}

test('429 with an empty body is rate_limited', async t => {
  const { account } = await fakeDatadog(t, answering('', 'text/plain', 429))
  await assert.rejects(account.monitor('1'), fails('rate_limited', /empty body/))
})

test('429 with an HTML body is rate_limited', async t => {
  const { account } = await fakeDatadog(
    t,
    answering('<html><head><title>429 Too Many</title></head></html>', 'text/html', 429)
  )
  await assert.rejects(
    account.monitor('1'),
    fails('rate_limited', /HTML page titled "429 Too Many"/)
  )
})

test('a wait that reaches beyond the deadline is not begun', async t => {
  const { account, seen, waits } = await fakeDatadog(
    t,
    answering('{"errors":["slow down"]}', 'application/json', 429, { 'x-ratelimit-reset': '15' })
  )
  await assert.rejects(
    account.monitor('1', { timeoutMs: 5000 }),
    (error: unknown) =>
      fails('rate_limited')(error) && (error as DatadogError).details.retryAfterSeconds === 15
  )
  assert.deepEqual([seen.length, waits.length], [1, 0])
})

test('5xx and then an answer succeeds', async t => {
  const { account, seen, waits } = await fakeDatadog(t, (response, _seen, nth) =>
    nth < 3 ? json(response, { errors: ['Bad Gateway'] }, 502) : json(response, { data: [] })
  )
  await account.events(search)
  assert.equal(seen.length, 3)
  assert.deepEqual(waits, [250, 500])
})

test('400, 403 and 404 are not repeated', async t => {
  let status = 0
  const { account, seen } = await fakeDatadog(t, response =>
    json(response, { errors: ['no'] }, status)
  )
  for (status of [400, 403, 404]) await assert.rejects(account.monitor('1'), DatadogError)
  assert.equal(seen.length, 3)
})

test('creating a notebook is sent once whatever happens', async t => {
  const draft = { name: 'rca', cells: [], window }
  for (const answer of [
    answering('', 'text/html', 503),
    answering('{}', 'application/json', 429),
    answering('{}', 'application/json', 500)
  ]) {
    const { account, seen } = await fakeDatadog(t, answer)
    await assert.rejects(account.createNotebook(draft), DatadogError)
    assert.equal(seen.length, 1)
  }
  const killed = await fakeDatadog(t, response => {
    response.destroy()
  })
  await assert.rejects(killed.account.createNotebook(draft), fails('unavailable'))
  assert.equal(killed.seen.length, 1)
})

test('a redirect is refused and no key follows it', async t => {
  const elsewhere: string[] = []
  const other = createServer((request, response) => {
    elsewhere.push(request.url ?? '')
    response.end()
  }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  for (const status of [301, 302, 303, 307, 308]) {
    const { account, seen } = await fakeDatadog(t, response =>
      response
        .writeHead(status, {
          location: `http://127.0.0.1:${(other.address() as AddressInfo).port}/stolen`
        })
        .end()
    )
    await assert.rejects(account.validate(), fails('garbage', /redirect, which is not followed/))
    assert.equal(seen.length, 1)
  }
  assert.deepEqual(elsewhere, [])
})

test('an answer larger than the limit is refused while reading', async t => {
  const { account } = await fakeDatadog(
    t,
    answering(JSON.stringify({ data: [], filler: 'x'.repeat(5000) })),
    { maxBytes: 1000 }
  )
  await assert.rejects(account.logs(search), fails('garbage', /more than 1000 bytes/))
})

test("the caller's abort comes back as it was", async t => {
  const stop = new AbortController()
  const { account } = await fakeDatadog(t, () =>
    stop.abort(new Error('the analysis was cancelled'))
  )
  await assert.rejects(account.logs(search, { signal: stop.signal }), /the analysis was cancelled/)
  await assert.rejects(account.logs(search, { signal: stop.signal }), /the analysis was cancelled/)
})

test('an abort ends the wait between two attempts', async t => {
  const stop = new AbortController()
  const { account } = await fakeDatadog(
    t,
    response => {
      json(response, {}, 503)
      setTimeout(() => stop.abort(new Error('stopped')), 30)
    },
    { retry: { baseMs: 10_000 } }
  )
  await assert.rejects(account.logs(search, { signal: stop.signal }), /stopped/)
})

test('a key that is echoed in an error does not reach the message', async t => {
  const { account } = await fakeDatadog(t, response =>
    json(response, { errors: [`bad key ${keys.appKey}`] }, 403)
  )
  await assert.rejects(
    account.monitor('1'),
    fails('forbidden', /bad key \[redacted\].*monitors_read/)
  )
})

test('nothing is written to the console, even with DEBUG set', async t => {
  const written: unknown[] = []
  for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const)
    t.mock.method(console, name, (...line: unknown[]) => {
      written.push(line)
    })
  process.env['DEBUG'] = 'koa*'
  t.after(() => {
    delete process.env['DEBUG']
  })
  const { account } = await fakeDatadog(t, response => {
    response.destroy()
  })
  await assert.rejects(
    account.createNotebook({
      name: 'n',
      cells: [{ type: 'timeseries', title: 't', query: 'avg:x{*}' }],
      window
    }),
    DatadogError
  )
  assert.deepEqual(written, [])
})
