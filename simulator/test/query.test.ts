import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { threadMs } from '../../core/test/thread-time.ts'
import { ApiError } from '../routes/api-error.ts'
import { parseMetricQuery } from '../metrics/grammar.ts'
import { matchesGlob } from '../search/glob.ts'
import { matches, readPath } from '../search/match.ts'
import { parseSearch, wordsOf } from '../search/query.ts'
import { accountOf, call, metricPath, MINUTE, NOW, startSimulator, T0 } from './client.ts'
import { nth, type LogItem, type Page, type Refusal, type SeriesAnswer } from './wire.ts'

const goodMetrics = [
  'system.cpu.idle{*}',
  'avg:system.cpu.user{*}',
  'sum:a.b{env:prod,service:x} by {host}',
  'max:a{!env:staging}',
  'avg:a{host:app-*} by {host,env}.rollup(max,60)',
  'sum:a{*}.as_count()',
  'sum:a{*}.as_rate().rollup(sum, 120)',
  'avg:a{*}/avg:b{*}',
  '100 * (sum:a{*}.as_count() - 3) / sum:b{*}.as_count()',
  'default_zero(sum:a{*})',
  'default_zero(sum:a{*}.as_count()) + 1.5',
  'avg:a{*},avg:b{x:y,z:w}',
  '  avg:a{ env:prod , host:x } by { host } ',
  'avg:a{*} - -1'
]
const badMetrics = [
  '',
  'avg:',
  'avg:a',
  'avg:a{',
  'avg:a{}',
  'avg:a{*',
  'p95:a{*}',
  'avg:a{*}}',
  'avg:a{env}',
  'avg:a{$env}',
  'avg:a{*} by',
  'avg:a{*} by {}',
  'avg:a{*}.as_sum()',
  'avg:a{*}.rollup(p95,60)',
  'avg:a{*} +',
  '(avg:a{*}',
  'top(avg:a{*}, 5)',
  'avg:a{*} avg:b{*}',
  'anomalies(avg:a{*})',
  'avg:a{*}.fill(0)',
  'avg:a{env:prod OR env:x}',
  ','.repeat(3),
  '('.repeat(4000)
]

test('the metric grammar takes what it documents and answers 400 to the rest', async context => {
  for (const query of goodMetrics) assert.doesNotThrow(() => parseMetricQuery(query), query)
  for (const query of badMetrics)
    assert.throws(
      () => parseMetricQuery(query),
      (error: unknown) => error instanceof ApiError && error.status === 400,
      query
    )
  const simulator = await startSimulator(context)
  for (const query of badMetrics.slice(1)) {
    const answer = await call<Refusal>(accountOf(simulator), 'GET', metricPath(query, T0, NOW))
    assert.equal(answer.status, 400, query)
    assert.match(nth(answer.body.errors, 0), /^Error parsing query: /)
  }
  for (const [path, why] of [
    ['/api/v1/query?from=1&to=2', /query/],
    ['/api/v1/query?from=x&to=2&query=a{*}', /from/],
    ['/api/v1/query?from=2&to=1&query=a{*}', /before/]
  ] as const) {
    const answer = await call<Refusal>(accountOf(simulator), 'GET', path)
    assert.equal(answer.status, 400, path)
    assert.match(nth(answer.body.errors, 0), why)
  }
})

test('buckets follow the recorded ladder, start aligned upwards and end after the window', async context => {
  const simulator = await startSimulator(context)
  for (const [seconds, interval, length] of [
    [1200, 5, 240],
    [3600, 20, 180],
    [14_400, 60, 240],
    [86_400, 300, 288]
  ] as const) {
    const from = Math.floor(T0 / 1000) - seconds + 52
    const { series } = (
      await call<SeriesAnswer>(
        accountOf(simulator),
        'GET',
        `/api/v1/query?from=${from}&to=${from + seconds}&query=avg:system.load.1{*}`
      )
    ).body
    const one = nth(series, 0)
    assert.deepEqual([one.interval, one.length, one.pointlist.length], [interval, length, length])
    assert.equal(one.start, Math.ceil(from / interval) * interval * 1000)
    assert.equal(one.end, one.start + length * interval * 1000 - 1000)
    assert.ok(one.end >= (from + seconds) * 1000 - 1000)
    assert.ok(
      one.pointlist.every(
        ([at, value], i) => at === one.start + i * interval * 1000 && typeof value === 'number'
      )
    )
  }
})

test('arithmetic, grouping and counts agree with each other', async context => {
  const simulator = await startSimulator(context)
  const seriesOf = async (query: string): Promise<SeriesAnswer['series']> =>
    (await call<SeriesAnswer>(accountOf(simulator), 'GET', metricPath(query, T0 - 30 * MINUTE, T0)))
      .body.series
  const points = async (query: string): Promise<(number | null)[]> =>
    nth(await seriesOf(query), 0).pointlist.map(([, value]) => value)
  const [a, b, sum] = [
    await points('sum:system.load.1{role:web}'),
    await points('sum:system.load.1{role:app}'),
    await points('sum:system.load.1{role:web} + sum:system.load.1{role:app}')
  ]
  sum.forEach((value, i) =>
    assert.ok(Math.abs((value ?? NaN) - (a[i] ?? NaN) - (b[i] ?? NaN)) < 1e-9)
  )
  const counts = await points('sum:trace.http.request.hits{service:web-gateway}.as_count()')
  assert.ok(counts.every(value => Number.isInteger(value)))
  assert.ok((await points('avg:system.load.1{*} / 0')).every(value => value === null))
  assert.ok((await points('default_zero(avg:system.load.1{*} / 0)')).every(value => value === 0))
  const grouped = await seriesOf('avg:system.load.1{env:prod} by {host}')
  assert.equal(grouped.length, 13)
  assert.deepEqual(
    [grouped[0]?.tag_set, grouped[0]?.scope],
    [['host:app-01'], 'env:prod,host:app-01']
  )
  assert.deepEqual(await seriesOf('avg:no.such.metric{*}'), [])
})

const doc = {
  message: 'TypeError: cannot read "currency" of cart 42',
  tags: { service: ['checkout-api'], env: ['prod'], status: ['error'] } as Record<string, string[]>,
  attributes: { http: { status_code: 503 }, 'a.b': 'x' } as Record<string, unknown>
}
const holds = (query: string): boolean | undefined =>
  matches(parseSearch(query), {
    words: () => wordsOf(doc.message),
    values: key => doc.tags[key] ?? [],
    attribute: path => ({ value: readPath(doc.attributes, path) })
  })

test('the search language matches as Datadog describes it', () => {
  const yes = [
    '',
    '*',
    'currency',
    'CURRENCY',
    '"read currency"',
    'curr*',
    'c?rt',
    'service:checkout-api',
    'service:check*',
    'service:checkout-api status:error',
    'service:x OR status:error',
    '-service:x',
    'NOT service:x',
    'service:(a OR checkout-api)',
    '(service:a OR env:prod) AND status:error',
    '@http.status_code:503',
    '@http.status_code:>=500',
    '@http.status_code:[500 TO 599]',
    '@http.status_code:[500 TO *]',
    '-@http.status_code:<500',
    'env:"prod"',
    'cart AND 42',
    '-(service:x status:error)'
  ]
  const no = [
    'curr',
    'currencies',
    '"currency read"',
    'service:checkout',
    '-status:error',
    'service:x status:error',
    'service:a OR env:b',
    '@http.status_code:>503',
    '@http.status_code:[200 TO 299]',
    '@missing:1',
    'missing:1',
    'status:error AND NOT currency'
  ]
  for (const query of yes) assert.equal(holds(query), true, query)
  for (const query of no) assert.equal(holds(query), false, query)
  const bad = [
    '(',
    ')',
    'a OR',
    'AND',
    'service:',
    'a:[1 TO',
    'a:[x TO 2]',
    '"open',
    'a~2',
    'a^2',
    '/re/',
    '()',
    'a:b:c d:',
    '-',
    '('.repeat(400)
  ]
  for (const query of bad)
    assert.throws(
      () => parseSearch(query),
      (error: unknown) => error instanceof ApiError && error.status === 400,
      query
    )
})

test('both parsers accept a text or refuse it with their own 400, whatever the text', () => {
  const pieces = fc
    .array(
      fc.constantFrom(
        'avg:',
        'a.b',
        '{',
        '*',
        '}',
        ' by ',
        '(',
        ')',
        ',',
        '.as_count()',
        '.rollup(',
        'sum',
        '60',
        '+',
        '/',
        'env:prod',
        '!',
        ' AND ',
        ' OR ',
        'NOT ',
        '-',
        '"',
        '@x.y:',
        '>=',
        '[1 TO 2]',
        'word',
        '\\',
        '~',
        '?',
        ':',
        'service:'
      ),
      { maxLength: 30 }
    )
    .map(parts => parts.join(''))
  for (const parse of [parseMetricQuery, parseSearch]) {
    fc.assert(
      fc.property(fc.oneof(pieces, fc.string({ unit: 'binary' })), text => {
        try {
          parse(text)
        } catch (error) {
          assert.ok(error instanceof ApiError && error.status === 400, String(error))
        }
      }),
      { numRuns: 3000 }
    )
  }
})

test('search input that is out of range is a 400', async context => {
  const simulator = await startSimulator(context)
  const ask = (body: unknown) =>
    call(accountOf(simulator), 'POST', '/api/v2/logs/events/search', body).then(a => a.status)
  for (const body of [
    { page: { limit: 0 } },
    { page: { limit: 1001 } },
    { sort: 'name' },
    { filter: { from: '-24h' } },
    { filter: { from: 'yesterday' } },
    { filter: { from: 'now', to: 'now-1h' } },
    { filter: { query: 7 } },
    []
  ])
    assert.equal(await ask(body), 400, JSON.stringify(body))
  for (const body of [
    {},
    { filter: { from: 'now-15m', to: 'now' } },
    { filter: { from: String(T0), to: NOW } },
    { filter: { from: '2025-03-11T03:40:00+01:00' } }
  ])
    assert.equal(await ask(body), 200, JSON.stringify(body))
  assert.equal(
    (await call<Page<LogItem>>(accountOf(simulator), 'POST', '/api/v2/logs/events/search', {})).body
      .data.length,
    10
  )
})

test('a pattern with many wildcards costs no more than its length, and matches as written', () => {
  for (const [pattern, text, wanted] of [
    ['', '', true],
    ['*', '', true],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a*c', 'abd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*b*b*', 'abcb', true],
    ['a.c', 'abc', false],
    ['**a', 'bba', true]
  ] as const)
    assert.equal(matchesGlob(pattern, text), wanted, `${pattern} in ${text}`)
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b') }), fc.nat(6), (text, at) => {
      assert.equal(matchesGlob(`${text.slice(0, at)}*${text.slice(at)}`, text), true)
      assert.equal(matchesGlob(`${text}?`, text), false)
    })
  )
  const started = threadMs()
  for (const key of ['', 'service:', '@http.url:'])
    matches(parseSearch(`${key}${'*a'.repeat(2_000)}*b`), {
      words: () => wordsOf('a'.repeat(5_000)),
      values: () => ['a'.repeat(5_000)],
      attribute: () => ({ value: 'a'.repeat(5_000) })
    })
  assert.ok(threadMs() - started < 5_000)
})
