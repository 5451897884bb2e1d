import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'

const shared = suiteApp({ plugins: [datacat] })
const api = '/v1/datacat'
interface Point {
  readonly at: number
  readonly value: number
}
interface ChartPoint {
  readonly timestamp: string
  readonly value: number
  readonly min?: number
  readonly max?: number
  readonly count?: number
  readonly session_id?: string
}
interface Chart {
  readonly sessions_matched: number
  readonly exact: boolean
  readonly peak: number | null
  readonly average: number | null
  readonly min: number | null
  readonly count: number
  readonly series: { group: string | null; sessions: number; points: ChartPoint[] }[]
}

async function openWith(
  points: readonly Point[],
  metric: string,
  body: object = {}
): Promise<string> {
  const id = (await shared.call('POST', `${api}/sessions`, body)).body['session_id'] as string
  for (let from = 0; from < points.length; from += 1_000) {
    const answer = await shared.call('POST', `${api}/sessions/${id}/batch`, {
      metrics: points
        .slice(from, from + 1_000)
        .map(({ at, value }) => ({ name: metric, value, timestamp: at }))
    })
    assert.equal(answer.status, 200)
  }
  return id
}
const chartOf = async (query: Record<string, string | number>): Promise<Chart> => {
  const { status, body } = await shared.call(
    'GET',
    `${api}/series?${new URLSearchParams(query as Record<string, string>)}`
  )
  assert.equal(status, 200, JSON.stringify(body))
  return body as unknown as Chart
}
const close = (a: number | null, b: number, what: string): void =>
  assert.ok(
    a !== null && Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)),
    `${what}: ${a} is not ${b}`
  )
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Holds for every chart: its figures are those of the points in the range, and nothing of them is left out. */
function checkChart(chart: Chart, points: readonly Point[], budget: number): void {
  assert.equal(chart.count, points.length)
  if (points.length === 0)
    return void assert.deepEqual(
      [chart.peak, chart.average, chart.min, chart.series.flatMap(one => one.points)],
      [null, null, null, []]
    )
  const values = points.map(point => point.value)
  assert.deepEqual([chart.peak, chart.min], [Math.max(...values), Math.min(...values)])
  close(chart.average, sum(values) / values.length, 'average')
  const shown = chart.series[0]!.points
  assert.ok(shown.length <= budget, `${shown.length} points for a budget of ${budget}`)
  assert.deepEqual(
    shown.map(point => Date.parse(point.timestamp)),
    shown.map(point => Date.parse(point.timestamp)).sort((a, b) => a - b)
  )
  const single = shown
    .filter(point => point.count === undefined)
    .map(point => ({ at: Date.parse(point.timestamp), value: point.value }))
  const has = (wanted: (point: Point) => boolean, what: string): void =>
    assert.ok(single.some(wanted), `the ${what} point is not shown`)
  const [first, last] = [
    Math.min(...points.map(point => point.at)),
    Math.max(...points.map(point => point.at))
  ]
  assert.deepEqual(
    [
      Date.parse(shown[0]!.timestamp),
      shown[0]!.count,
      Date.parse(shown.at(-1)!.timestamp),
      shown.at(-1)!.count
    ],
    [first, undefined, last, undefined]
  )
  has(point => point.value === Math.max(...values), 'largest')
  has(point => point.value === Math.min(...values), 'smallest')
  for (const one of single)
    assert.ok(
      points.some(point => point.at === one.at && point.value === one.value),
      'a point was invented'
    )
}

describe('one metric of one session', () => {
  test('any points, any range, any budget: figures are exact and the ends stay (property)', async () => {
    let n = 0
    const base = Date.UTC(2026, 0, 1)
    const points = fc
      .tuple(fc.constantFrom(1, 5, 63, 64, 65, 200, 1_500, 4_200), fc.integer(), fc.boolean())
      .map(([count, seed, inOrder]): Point[] => {
        let state = seed >>> 0
        const random = (): number => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
          return state / 2 ** 32
        }
        return Array.from({ length: count }, (_, index) => ({
          at: base + (inOrder ? index * 1_000 : Math.floor(random() * count * 1_000)),
          value: Math.round(random() * 2_000 - 1_000) / 8
        }))
      })
    await fc.assert(
      fc.asyncProperty(
        points,
        fc.double({ min: -0.2, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(10, 12, 60, 1_500),
        async (all, start, width, budget) => {
          const metric = `any${n++}`
          const session = await openWith(all, metric)
          checkChart(
            await chartOf({ metric, session, aggregation: 'all', points: budget }),
            all,
            budget
          )
          const [from, to] = [
            Math.round(base + start * all.length * 1_000),
            Math.round(base + (start + width) * all.length * 1_000) + 1
          ]
          const inRange = all.filter(point => point.at >= from && point.at < to)
          const range = { metric, session, from, to, points: budget }
          checkChart(await chartOf({ ...range, aggregation: 'all' }), inRange, budget)
          const perTime = await chartOf({ ...range, aggregation: 'sum', per: 'time' })
          close(
            sum(perTime.series.flatMap(one => one.points.map(point => point.value))),
            sum(inRange.map(point => point.value)),
            'sum of sums'
          )
          const perSession = await chartOf({ ...range, aggregation: 'peak' })
          assert.deepEqual(
            perSession.series.flatMap(one => one.points.map(point => point.value)),
            inRange.length === 0 ? [] : [Math.max(...inRange.map(point => point.value))]
          )
        }
      ),
      { numRuns: 12 }
    )
  })

  test('a long series uses rollups of rollups and stays exact', async () => {
    const base = Date.UTC(2026, 1, 1)
    const all = Array.from({ length: 9_001 }, (_, n): Point => ({
      at: base + n * 100,
      value: n === 5_000 ? -7_777 : n === 6_000 ? 9_999 : Math.sin(n / 50)
    }))
    const session = await openWith(all, 'long')
    const rows = await shared.app
      .db('datacat_rollups')
      .select('level')
      .count({ n: '*' })
      .groupBy('level')
      .orderBy('level')
    assert.ok(
      (rows as unknown as { level: number; n: string }[]).some(
        row => row.level === 2 && Number(row.n) >= 2
      ),
      'no rollup of level 2 was written'
    )
    checkChart(await chartOf({ metric: 'long', session, aggregation: 'all', points: 10 }), all, 10)
    checkChart(
      await chartOf({ metric: 'long', session, aggregation: 'all', points: 100 }),
      all,
      100
    )
    const [from, to] = [base + 100_050, base + 850_050]
    for (const points of [10, 100])
      checkChart(
        await chartOf({ metric: 'long', session, aggregation: 'all', points, from, to }),
        all.filter(point => point.at >= from && point.at < to),
        points
      )
    const stored = await shared.app
      .db('datacat_rollups as r')
      .join('datacat_series as s', 's.id', 'r.series_id')
      .where({ name: 'long' })
      .select('r.*')
    for (const row of stored) {
      const size = 64 ** row.level
      const block = all.slice(Number(row.block) * size, (Number(row.block) + 1) * size)
      const extreme = (value: number): number => block.find(point => point.value === value)!.at
      assert.deepEqual(
        [
          row.minimum,
          row.maximum,
          row.first,
          row.last,
          Number(row.from_at),
          Number(row.to_at),
          Number(row.min_at),
          Number(row.max_at)
        ],
        [
          Math.min(...block.map(p => p.value)),
          Math.max(...block.map(p => p.value)),
          block[0]!.value,
          block.at(-1)!.value,
          block[0]!.at,
          block.at(-1)!.at,
          extreme(row.minimum),
          extreme(row.maximum)
        ]
      )
      close(row.total, sum(block.map(point => point.value)), 'total of a rollup')
    }
  })

  test('percentiles over time and of the session, counts, and words nobody knows', async () => {
    const base = Date.UTC(2026, 2, 1)
    const session = await openWith(
      Array.from({ length: 1_000 }, (_, n) => ({ at: base + n, value: n })),
      'ranked'
    )
    const one = { metric: 'ranked', session }
    close(
      (await chartOf({ ...one, aggregation: 'p95' })).series[0]!.points[0]!.value,
      949.05,
      'p95'
    )
    close(
      (await chartOf({ ...one, aggregation: 'p50' })).series[0]!.points[0]!.value,
      499.5,
      'median'
    )
    const over = await chartOf({ ...one, aggregation: 'p50', per: 'time', points: 10 })
    assert.deepEqual(
      over.series[0]!.points.map(point => point.value),
      Array.from({ length: 10 }, (_, n) => n * 100 + 49.5)
    )
    assert.deepEqual(
      (
        await chartOf({ ...one, aggregation: 'count', per: 'time', points: 10 })
      ).series[0]!.points.map(point => point.value),
      Array.from({ length: 10 }, () => 100)
    )
    assert.equal(
      (await chartOf({ ...one, aggregation: 'count' })).series[0]!.points[0]!.value,
      1_000
    )
    for (const [query, pointer] of [
      ['aggregation=odd', '/query/aggregation'],
      ['aggregation=p101', '/query/aggregation'],
      ['points=1', '/query/points'],
      ['from=x', '/query/from'],
      ['current=nope', '/query/current'],
      ['what=1', '/query/what']
    ] as const) {
      const answer = await shared.call('GET', `${api}/series?metric=ranked&${query}`)
      assert.deepEqual(
        [answer.status, (answer.body['errors'] as { pointer: string }[])[0]?.pointer],
        [400, pointer]
      )
    }
    assert.equal((await shared.call('GET', `${api}/series`)).status, 400)
    const huge = await openWith(
      [Number.MAX_VALUE, Number.MAX_VALUE, 1].map((value, n) => ({ at: base + n, value })),
      'huge'
    )
    for (const aggregation of ['all', 'peak', 'average', 'sum', 'p50'])
      for (const per of ['time', 'session'])
        assert.equal(
          (await chartOf({ metric: 'huge', session: huge, aggregation, per, points: 10 })).peak !==
            null,
          true
        )
    assert.equal(
      (await chartOf({ metric: 'huge', session: huge, aggregation: 'peak' })).peak,
      Number.MAX_VALUE
    )
    assert.deepEqual((await chartOf({ metric: 'unheard', aggregation: 'peak' })).series, [])
  })
})

test('one point a session, by the filters of the list, and grouped by a state path', async () => {
  const base = Date.UTC(2026, 3, 1)
  const states = [
    { app: { channel: 'beta' }, window_state: { open: ['space probe', 'map'] } },
    { app: { channel: 'beta' }, window_state: { open: ['map'] } },
    { app: { channel: 'stable' }, window_state: { open: [] } },
    {}
  ]
  const ids: string[] = []
  for (const [n, state] of states.entries())
    ids.push(
      await openWith(
        [-1, -2, -3].map((value, k) => ({ at: base + k, value: value * (n + 1) })),
        'memory',
        { product: 'grouped', state, started_at: base + n * 1_000 }
      )
    )
  await openWith([{ at: base, value: 1 }], 'other', { product: 'grouped' })
  const all = await chartOf({ metric: 'memory', aggregation: 'peak', product: 'grouped' })
  // Negative figures are figures: the first version reported 0 and 100 here.
  assert.deepEqual(
    [all.sessions_matched, all.peak, all.min, all.average, all.count],
    [5, -1, -4, -2.5, 4]
  )
  assert.deepEqual(
    all.series[0]!.points,
    ids
      .map((session_id, n) => ({
        timestamp: new Date(base + n * 1_000).toISOString(),
        value: -(n + 1),
        min: -3 * (n + 1),
        max: -(n + 1),
        count: 3,
        session_id
      }))
      .map(({ min: _min, max: _max, count: _count, ...point }) => point)
  )
  const grouped = await chartOf({
    metric: 'memory',
    aggregation: 'average',
    product: 'grouped',
    group_by: 'app.channel'
  })
  assert.deepEqual(
    Object.fromEntries(
      grouped.series.map(one => [
        String(one.group),
        [one.sessions, one.points.map(point => point.value)]
      ])
    ),
    { beta: [2, [-2, -4]], stable: [1, [-6]], null: [1, [-8]] }
  )
  const probes = await chartOf({
    metric: 'memory',
    aggregation: 'peak',
    contains: 'window_state.open=space probe'
  })
  assert.deepEqual(
    [probes.sessions_matched, probes.series[0]!.points.map(point => point.session_id)],
    [1, [ids[0]]]
  )
  const thinned = await chartOf({
    metric: 'memory',
    aggregation: 'min',
    product: 'grouped',
    points: 10
  })
  assert.equal(thinned.series[0]!.points.length, 4)
})

test('over many sessions: a limit of groups, ends as they are, parts of the time', async () => {
  const base = Date.UTC(2026, 3, 1)
  const many = await Promise.all(
    Array.from({ length: 101 }, (_, n) =>
      openWith([{ at: base, value: n }], 'spread', { state: { n } })
    )
  )
  const refused = await shared.call('GET', `${api}/series?metric=spread&group_by=n`)
  assert.deepEqual(
    [refused.status, /101 values/.test(String(refused.body['error'])), many.length],
    [422, true, 101]
  )
  // Over many sessions the ends of the whole are points as they are, too.
  const spread = await chartOf({ metric: 'spread', aggregation: 'all', points: 20 })
  assert.deepEqual(
    [spread.count, spread.peak, spread.min, spread.series[0]!.points.length <= 20],
    [101, 100, 0, true]
  )
  const wide = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      openWith(
        Array.from({ length: 130 }, (__, k) => ({
          at: base + n * 50_000 + k * 1_000,
          value: (n * 130 + k) % 977
        })),
        'wide'
      )
    )
  )
  const points = wide.flatMap((_, n) =>
    Array.from({ length: 130 }, (__, k) => ({
      at: base + n * 50_000 + k * 1_000,
      value: (n * 130 + k) % 977
    }))
  )
  checkChart(await chartOf({ metric: 'wide', aggregation: 'all', points: 100 }), points, 100)
  const part = await chartOf({
    metric: 'wide',
    aggregation: 'all',
    points: 100,
    from: base + 60_500,
    to: base + 400_500
  })
  const inPart = points.filter(point => point.at >= base + 60_500 && point.at < base + 400_500)
  assert.deepEqual(
    [part.count, part.peak, part.min, part.series[0]!.points.length <= 100],
    [
      inPart.length,
      Math.max(...inPart.map(point => point.value)),
      Math.min(...inPart.map(point => point.value)),
      true
    ]
  )
  assert.deepEqual(
    (
      await chartOf({
        metric: 'wide',
        aggregation: 'all',
        points: 100,
        from: base - 10,
        to: base - 5
      })
    ).count,
    0
  )
})
