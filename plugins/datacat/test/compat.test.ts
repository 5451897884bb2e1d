import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'
import type { OldSessionAnswer } from './answers.ts'

const shared = suiteApp({ plugins: [datacat] })
const unknown = '00000000-0000-4000-8000-000000000000'

interface Raw {
  readonly status: number
  readonly body: string
  readonly headers: Record<string, unknown>
}
/** One request without anything a library would add or mend. */
function ask(
  method: string,
  path: string,
  body: string | Buffer = '',
  headers: Record<string, string> = {}
): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(shared.url),
      {
        method,
        path,
        headers: {
          ...headers,
          ...(body.length > 0 || method === 'POST'
            ? { 'content-length': String(Buffer.byteLength(body)) }
            : {})
        }
      },
      answer => {
        let text = ''
        answer
          .setEncoding('utf8')
          .on('data', (chunk: string) => {
            text += chunk
          })
          .once('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: text, headers: answer.headers })
          )
      }
    )
    sent.once('error', reject)
    sent.end(body)
  })
}
const create = async (): Promise<string> =>
  JSON.parse((await ask('POST', '/api/sessions')).body).session_id as string
const read = async (id: string): Promise<OldSessionAnswer> =>
  JSON.parse((await ask('GET', `/api/sessions/${id}`)).body) as OldSessionAnswer
const done = (answer: Raw): void =>
  assert.deepEqual(
    [answer.status, answer.body, answer.headers['content-type']],
    [200, '{"status":"ok"}\n', 'application/json']
  )
const refused = (answer: Raw, status: number, text: string): void => {
  assert.deepEqual(
    [
      answer.status,
      answer.body,
      answer.headers['content-type'],
      answer.headers['x-content-type-options']
    ],
    [status, `${text}\n`, 'text/plain; charset=utf-8', 'nosniff']
  )
}

describe('opening and reading', () => {
  test('a session is opened whatever the body is', async () => {
    for (const body of ['', '{}', 'junk', '{"id":"mine"}']) {
      const answer = await ask('POST', '/api/sessions', body, {
        'content-type': 'application/json'
      })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-type'], 'application/json')
      assert.match(
        answer.body,
        /^\{"session_id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"\}\n$/
      )
    }
  })

  test('the session object has its keys in order, ended_at only when ended, and a newline behind it', async () => {
    const id = await create()
    const fresh = await ask('GET', `/api/sessions/${id}/`)
    assert.deepEqual(Object.keys(JSON.parse(fresh.body)), [
      'id',
      'created_at',
      'updated_at',
      'active',
      'state',
      'events',
      'metrics'
    ])
    assert.ok(fresh.body.endsWith('"active":true,"state":{},"events":[],"metrics":[]}\n'))
    done(await ask('POST', `/api/sessions/${id}/end`))
    const ended = await read(id)
    assert.deepEqual(Object.keys(ended), [
      'id',
      'created_at',
      'updated_at',
      'ended_at',
      'active',
      'state',
      'events',
      'metrics'
    ])
    assert.deepEqual([ended['active'], ended['ended_at']], [false, ended['updated_at']])
    await new Promise(resolve => {
      setTimeout(resolve, 5)
    })
    done(await ask('POST', `/api/sessions/${id}/end`, 'junk'))
    const [again, first] = [(await read(id)).ended_at, ended.ended_at]
    assert.ok(again !== undefined && first !== undefined && again > first, 'ending again moves it')
  })

  test('writes after the end are accepted and do not revive it', async () => {
    const id = await create()
    done(await ask('POST', `/api/sessions/${id}/end`))
    done(await ask('POST', `/api/sessions/${id}/events`, '{"name":"late"}'))
    done(await ask('POST', `/api/sessions/${id}/state`, '{"late":true}'))
    done(await ask('POST', `/api/sessions/${id}/metrics`, '{"name":"late","value":1}'))
    const { active, state, events, metrics } = await read(id)
    assert.deepEqual([active, state, events.length, metrics.length], [false, { late: true }, 1, 1])
  })
})

describe('routing', () => {
  test('answers every odd request in the words of the first version', async () => {
    const id = await create()
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      refused(await ask(method, '/api/sessions'), 405, 'Method not allowed')
    for (const method of ['POST', 'PUT', 'DELETE'])
      refused(await ask(method, '/api/grafana/sessions'), 405, 'Method not allowed')
    assert.equal((await ask('HEAD', '/api/sessions')).status, 405)
    for (const method of ['GET', 'POST', 'DELETE'])
      refused(await ask(method, '/api/sessions/'), 400, 'Session ID required')
    for (const [method, path] of [
      ['DELETE', id],
      ['PUT', id],
      ['POST', id],
      ['GET', `${id}/state`],
      ['POST', `${id}/bogus`],
      ['POST', `${id}/state/`],
      ['PUT', 'nope/state'],
      ['GET', `${id}/state/more`]
    ] as const)
      refused(await ask(method, `/api/sessions/${path}`), 404, 'Not found')
    assert.equal((await ask('HEAD', `/api/sessions/${id}`)).status, 404)
    refused(await ask('GET', '/api/nothing'), 404, '404 page not found')
    refused(await ask('GET', '/api/grafana/sessions/'), 404, '404 page not found')
    const moved = await ask('GET', `/api//sessions/${id}`)
    assert.deepEqual([moved.status, moved.headers['location']], [301, `/api/sessions/${id}`])
  })

  test('an unknown session: capital letter when read, none when written, and the body is judged first', async () => {
    for (const id of [unknown, 'nope', 'a%20b', unknown.toUpperCase()]) {
      refused(await ask('GET', `/api/sessions/${id}`), 404, 'Session not found')
      refused(await ask('POST', `/api/sessions/${id}/end`), 404, 'session not found')
      for (const [verb, body] of [
        ['state', '{}'],
        ['events', '{}'],
        ['metrics', '{}']
      ] as const) {
        refused(await ask('POST', `/api/sessions/${id}/${verb}`, body), 404, 'session not found')
        refused(await ask('POST', `/api/sessions/${id}/${verb}`, '[]'), 400, 'Invalid request body')
      }
    }
  })

  test('a caller who accepts problem+json gets one, with the same status', async () => {
    const answer = await ask('POST', `/api/sessions/${unknown}/events`, 'null', {
      accept: 'application/problem+json'
    })
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.deepEqual([answer.status, JSON.parse(answer.body).error], [404, 'session not found'])
  })
})

describe('events and metrics', () => {
  test('an event: any case of a field, null or missing data is null, later bytes are ignored', async () => {
    const id = await create()
    const bodies: [string, string, unknown][] = [
      ['{"name":"a","data":{"b":1,"a":2}}', 'a', { a: 2, b: 1 }],
      ['{"NAME":"b","Data":{}}', 'b', {}],
      ['{}', '', null],
      ['null', '', null],
      ['{"name":null,"data":null}', '', null],
      ['{"name":"c","timestamp":"1999","x":1}garbage{', 'c', null],
      [
        '{"name":"d","data":{"__proto__":{"polluted":1},"constructor":2}}',
        'd',
        JSON.parse('{"__proto__":{"polluted":1},"constructor":2}')
      ],
      ['{"name":"e","data":{"a":{"a":null}}} ', 'e', { a: { a: null } }],
      [' {"name":"é\\u2028<&>"}', 'é\u2028<&>', null]
    ]
    for (const [body] of bodies) done(await ask('POST', `/api/sessions/${id}/events`, body))
    const { events } = await read(id)
    assert.deepEqual(
      events.map((event: { name: string; data: unknown }) => [event.name, event.data]),
      bodies.map(([, name, data]) => [name, data])
    )
    assert.deepEqual(Object.keys(events[0] ?? {}), ['timestamp', 'name', 'data'])
    for (const event of events)
      assert.ok(Math.abs(Date.parse(event.timestamp) - Date.now()) < 60_000)
    for (const body of [
      '',
      '[]',
      '"x"',
      '1',
      'true',
      '{',
      '{"name":1}',
      '{"data":[]}',
      '{"data":"x"}',
      '{"data":1}',
      '\ufeff{}',
      '{"data":{"a":1e999}}',
      '{"name":"a",}'
    ])
      assert.equal((await ask('POST', `/api/sessions/${id}/events`, body)).status, 400, body)
    assert.equal((await read(id))['events'].length, bodies.length, 'a refused event was stored')
  })

  test('a metric: tags are left out when empty, null tags are empty texts, every float64 comes back', async () => {
    const id = await create()
    const bodies: [string, object][] = [
      ['{"name":"a","value":2,"tags":["x","y"]}', { name: 'a', value: 2, tags: ['x', 'y'] }],
      ['{"name":"a","value":2.5,"tags":[]}', { name: 'a', value: 2.5 }],
      ['{"name":"a","tags":null}', { name: 'a', value: 0 }],
      ['{"value":null}', { name: '', value: 0 }],
      ['null', { name: '', value: 0 }],
      ['{"tags":[null,"z"],"VALUE":1e-7}', { name: '', value: 1e-7, tags: ['', 'z'] }],
      ['{"name":"b","value":1.7976931348623157e308}', { name: 'b', value: Number.MAX_VALUE }],
      ['{"name":"b","value":1.7976931348623157e308}', { name: 'b', value: Number.MAX_VALUE }],
      ['{"name":"b","value":-5e-324}', { name: 'b', value: -5e-324 }],
      [
        '{"name":"quote\\"\\\\,{}","value":-7,"tags":["\\"{},\\\\"]}',
        { name: 'quote"\\,{}', value: -7, tags: ['"{},\\'] }
      ]
    ]
    for (const [body] of bodies) done(await ask('POST', `/api/sessions/${id}/metrics`, body))
    done(await ask('POST', `/api/sessions/${id}/metrics`, '{"name":"zero","value":-0.0}'))
    const { body } = await ask('GET', `/api/sessions/${id}`)
    const { metrics } = JSON.parse(body)
    assert.deepEqual(
      metrics.slice(0, -1).map(({ timestamp: _, ...metric }: { timestamp: string }) => metric),
      bodies.map(([, wanted]) => wanted)
    )
    assert.ok(body.includes('"name":"zero","value":-0}'), 'minus zero keeps its sign')
    for (const bad of [
      '{"value":"1"}',
      '{"value":true}',
      '{"value":NaN}',
      '{"value":1e999}',
      '{"tags":[1]}',
      '{"tags":"x"}',
      '{"tags":{}}',
      '{"name":[]}',
      ''
    ])
      refused(await ask('POST', `/api/sessions/${id}/metrics`, bad), 400, 'Invalid request body')
  })

  test('both keep the order they came in, over many names', async () => {
    const id = await create()
    for (let n = 0; n < 150; n++)
      done(await ask('POST', `/api/sessions/${id}/metrics`, `{"name":"m${n % 7}","value":${n}}`))
    for (let n = 0; n < 20; n++)
      done(await ask('POST', `/api/sessions/${id}/events`, `{"name":"${n}"}`))
    const first = await read(id)
    assert.deepEqual(
      first['metrics'].map((metric: { value: number }) => metric.value),
      Array.from({ length: 150 }, (_, n) => n)
    )
    assert.deepEqual(
      first['events'].map((event: { name: string }) => event.name),
      Array.from({ length: 20 }, (_, n) => String(n))
    )
    done(await ask('POST', `/api/sessions/${id}/metrics`, '{"name":"new","value":150}'))
    done(await ask('POST', `/api/sessions/${id}/events`, '{"name":"20"}'))
    const second = await read(id)
    assert.deepEqual(
      [
        second.metrics.at(-1)?.name,
        second.metrics.length,
        second.events.at(-1)?.name,
        second.events.length
      ],
      ['new', 151, '20', 21]
    )
    assert.ok(second['updated_at'] >= first['updated_at'])
  })
})

describe('limits', () => {
  test('what is too long, too deep or too large is refused with a reason, and nothing is stored', async () => {
    const id = await create()
    const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
    done(await ask('POST', `/api/sessions/${id}/state`, deep(100)))
    const tooDeep = await ask('POST', `/api/sessions/${id}/state`, deep(101))
    assert.equal(tooDeep.status, 400)
    assert.match(tooDeep.body, /nested deeper than 100 levels/)
    assert.equal((await ask('POST', `/api/sessions/${id}/state`, deep(150_000))).status, 400)
    const long = await ask(
      'POST',
      `/api/sessions/${id}/events`,
      JSON.stringify({ name: 'n'.repeat(257) })
    )
    assert.deepEqual([long.status, long.body.includes('longer than 256')], [400, true])
    assert.equal(
      (
        await ask(
          'POST',
          `/api/sessions/${id}/metrics`,
          JSON.stringify({ name: 'a\u0000b', value: 1 })
        )
      ).status,
      400
    )
    const large = await ask(
      'POST',
      `/api/sessions/${id}/events`,
      JSON.stringify({ name: 'x', data: { text: 'x'.repeat(1_048_600) } })
    )
    assert.equal(large.status, 413)
    const bomb = await ask(
      'POST',
      `/api/sessions/${id}/events`,
      gzipSync(JSON.stringify({ name: 'x', data: { text: 'x'.repeat(20_000_000) } })),
      { 'content-encoding': 'gzip' }
    )
    assert.equal(bomb.status, 413)
    done(
      await ask('POST', `/api/sessions/${id}/events`, gzipSync('{"name":"zipped"}'), {
        'content-encoding': 'gzip'
      })
    )
    const { events, metrics } = await read(id)
    assert.deepEqual(
      [events.map((event: { name: string }) => event.name), metrics],
      [['zipped'], []]
    )
  })
})

test('a repeated write is stored once when it carries a key, and a repeated opening is one session', async () => {
  const id = '3f0c1c1e-7f4a-4c7e-9d53-0a6f2f0b7c11'
  const key = { 'idempotency-key': id }
  for (let time = 0; time < 3; time++)
    assert.equal((await ask('POST', '/api/sessions', '', key)).body, `{"session_id":"${id}"}\n`)
  const writes = [
    ['events', '{"name":"paid"}'],
    ['metrics', '{"name":"total","value":1}'],
    ['state', '{"a":1}'],
    ['end', '']
  ] as const
  let last = ''
  for (let time = 0; time < 3; time++) {
    for (const [verb, body] of writes)
      assert.deepEqual(
        (await ask('POST', `/api/sessions/${id}/${verb}`, body, { 'idempotency-key': `${verb}-1` }))
          .status,
        200
      )
    const { body } = await ask('GET', `/api/sessions/${id}`)
    const session = JSON.parse(body) as OldSessionAnswer
    assert.deepEqual([session.events.length, session.metrics.length, session.active], [1, 1, false])
    if (time > 0) assert.equal(body, last)
    last = body
  }
  for (const bad of ['x', 'k'.repeat(129)])
    assert.equal((await ask('POST', '/api/sessions', '', { 'idempotency-key': bad })).status, 400)
  const long = { 'idempotency-key': 'k'.repeat(129) }
  assert.equal((await ask('POST', `/api/sessions/${id}/events`, '{"name":"x"}', long)).status, 400)
})
