import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { threadMs } from '../../../core/test/thread-time.ts'
import { readMonitorQuery, seriesIn } from '../service/monitor-query.ts'

const metricIn = (text: string): string | undefined => {
  const watched = readMonitorQuery(text)
  return watched.of === 'metric' ? watched.query : undefined
}
const searchIn = (text: string): [string, string, readonly string[]] | undefined => {
  const watched = readMonitorQuery(text)
  return watched.of === 'metric' || watched.of === 'nothing'
    ? undefined
    : [watched.of, watched.query, watched.groups]
}

test('the drawable part of a monitor query is found, and what is no metric is left alone', () => {
  const rate = 'sum:trace.http.request.errors{service:a} / sum:trace.http.request.hits{service:a}'
  assert.equal(metricIn(`avg(last_5m):${rate} > 0.05`), rate)
  assert.equal(
    metricIn('avg(last_5m):avg:system.cpu.user{host:a} by {host} >= 9e1'),
    'avg:system.cpu.user{host:a} by {host}'
  )
  assert.equal(metricIn('logs("service:a").index("*").rollup("count").last("5m") > 10'), undefined)
  for (const text of [
    '',
    'x',
    '12345 && !67890',
    '> 5',
    'avg(last_5m):',
    '"http.can_connect".over("*").last(3)'
  ])
    assert.equal(readMonitorQuery(text).of, 'nothing', text)
})

test('every evaluation in front and every function that judges is taken off', () => {
  const load = 'avg:system.load.1{env:prod}'
  const byHost = 'avg:system.cpu.user{env:prod} by {host,device}'
  const cases: [string, string][] = [
    [`change(avg(last_5m),last_1h):${load} > 1`, load],
    [`pct_change(sum(last_15m),last_1d):${load} < -50.5`, load],
    [`change(min(last_5m),5m_ago):${byHost} >= 1e-3`, byHost],
    [`percentile(last_1h):${load} != 0`, load],
    [`sum(current_1d):${load} == 5`, load],
    [
      `  max( next_1w ) : forecast(${byHost}, 'linear', 1, interval='60m', history='1w') >= 90 `,
      byHost
    ],
    [
      [
        `avg(last_4h):anomalies(${byHost}, 'agile', 2, direction='both', alert_window='last_15m',`,
        ` interval=60, count_default_zero='true') >= 1`
      ].join(''),
      byHost
    ],
    [`avg(last_1h):outliers(${byHost}, 'DBSCAN', 3, 80) > 0`, byHost],
    [`avg(last_1h):anomalies(default_zero(${load}), 'basic', 3) >= 0.75`, `default_zero(${load})`],
    [`anomalies(${load}, 'robust', 3)`, load],
    [`avg(last_5m):(${load} - ${load}) / 2 > 5`, `(${load} - ${load}) / 2`],
    [`avg(last_5m):abs(${load}) - 1 > 5`, `abs(${load}) - 1`],
    [`sum(last_5m):sum:a.b{team:o'brien}.as_count() > 0`, `sum:a.b{team:o'brien}.as_count()`],
    [`min(last_10m):avg:a{x:1 AND (y:2 OR !z:3)} <= 4`, 'avg:a{x:1 AND (y:2 OR !z:3)}']
  ]
  for (const [text, inner] of cases) assert.equal(metricIn(text), inner, text)
  assert.deepEqual(readMonitorQuery(`avg(last_5m):${byHost} > 1`), {
    of: 'metric',
    query: byHost,
    groups: ['host', 'device']
  })
})

test('a search belongs where its lines are, with the keys it alerts by', () => {
  assert.deepEqual(
    searchIn(
      'logs("service:a status:error @http.status:>499").index("*").rollup("count").by("host,@http.url").last("5m") > 10'
    ),
    ['logs', 'service:a status:error @http.status:>499', ['host', '@http.url']]
  )
  assert.deepEqual(
    searchIn(
      'logs("\\"connection (refused\\" -env:dev").rollup("cardinality", "@usr.id").last("1h") > 1'
    ),
    ['logs', '"connection (refused" -env:dev', []]
  )
  assert.deepEqual(
    searchIn(
      'trace-analytics("env:prod service:web @duration:>5s").rollup("count").by("resource_name").last("5m") > 100'
    ),
    ['spans', 'env:prod service:web @duration:>5s', ['resource_name']]
  )
  assert.deepEqual(
    searchIn(
      'events("source:kubernetes reason:OOMKilling").rollup("count").by("pod_name").last("5m") > 0'
    ),
    ['events', 'source:kubernetes reason:OOMKilling', ['pod_name']]
  )
  assert.deepEqual(
    searchIn(
      `events('sources:nagios,chef status:error priority:all tags:"env:prod,role:db"').rollup('count').last('1h') > 10`
    ),
    ['events', 'source:(nagios OR chef) status:error env:prod role:db', []]
  )
  assert.deepEqual(searchIn('error-tracking-logs("service:a").rollup("count").last("1h") > 1'), [
    'logs',
    'service:a',
    []
  ])
  assert.equal(searchIn('rum("@type:error").rollup("count").last("5m") > 10'), undefined)
})

test('any query comes out of any wrapping as it went in', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}(\.[a-z0-9_]{1,8}){0,3}$/)
  const filter = fc.constantFrom('*', 'env:prod', 'host:a,!role:b', 'a:b-* AND (c:d OR e:f)', '$x')
  const series = fc
    .tuple(
      fc.constantFrom('avg:', 'sum:', 'p95:', ''),
      name,
      filter,
      fc.constantFrom('', ' by {host}', ' by {host,pod_name}', '.as_count()')
    )
    .map(([by, metric, scope, tail]) => `${by}${metric}{${scope}}${tail}`)
  const query = fc.oneof(
    series,
    fc.tuple(series, fc.constantFrom(' + ', ' / ', '*'), series).map(parts => parts.join('')),
    series.map(one => `default_zero(${one})`)
  )
  const window = fc.constantFrom('last_5m', 'last_1h', 'current_1mo', 'next_1w', ' last_2d ')
  const evaluation = fc.oneof(
    fc
      .tuple(fc.constantFrom('avg', 'sum', 'percentile'), window)
      .map(([by, of]) => `${by}(${of}):`),
    fc
      .tuple(fc.constantFrom('change', 'pct_change'), fc.constantFrom('avg', 'min'), window)
      .map(([kind, by, of]) => `${kind}(${by}(${of}),${of}):`),
    fc.constant('')
  )
  const judge = fc.constantFrom(
    (inner: string) => inner,
    (inner: string) => `anomalies(${inner}, 'basic', 2)`,
    (inner: string) => `outliers(${inner}, 'MAD', 2.5, 80)`,
    (inner: string) => `forecast(${inner}, 'seasonal', 1, interval='60m')`
  )
  const condition = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('>', '>=', '<', '<=', '==', '!='),
        fc.oneof(fc.integer().map(String), fc.constantFrom('-0.5', '1e9', '2.5e-3')),
        fc.constantFrom('', ' ')
      )
      .map(([compare, value, blank]) => ` ${compare}${blank}${value}${blank}`),
    fc.constant('')
  )
  fc.assert(
    fc.property(evaluation, judge, query, condition, (front, wrap, inner, end) => {
      assert.equal(metricIn(`${front}${wrap(inner)}${end}`), inner)
      assert.ok(seriesIn(wrap(inner)).every(one => inner.includes(one)))
      assert.ok(seriesIn(inner).length > 0)
    }),
    { numRuns: 2_000 }
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), text => {
      readMonitorQuery(text)
    })
  )
})

test('a long text costs no more than its length', () => {
  for (const text of [
    'a.'.repeat(2_000),
    '('.repeat(3_999),
    'avg:a{'.repeat(600),
    'by '.repeat(1_300),
    ' '.repeat(3_999)
  ]) {
    const begun = threadMs()
    readMonitorQuery(text)
    seriesIn(text)
    assert.ok(threadMs() - begun < 200, text.slice(0, 10))
  }
  assert.match(JSON.stringify(readMonitorQuery('x'.repeat(1_000_000))), /more than 4000 characters/)
})
