import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'
import type { ProblemAnswer, SessionAnswer } from './answers.ts'

const shared = suiteApp({ plugins: [datacat] })
const api = '/v1/datacat'
const base = Date.UTC(2026, 0, 1)

interface Chart {
  readonly exact: boolean
  readonly peak: number | null
  readonly average: number | null
  readonly min: number | null
  readonly count: number
  readonly sessions_matched: number
  readonly series: readonly {
    readonly group: string | null
    readonly unit: string | null
    readonly sessions: number
    readonly points: readonly {
      readonly value: number
      readonly min?: number
      readonly max?: number
      readonly count?: number
    }[]
  }[]
}
const open = async (body: object = {}): Promise<string> =>
  (await shared.call('POST', `${api}/sessions`, body)).body['session_id'] as string
async function write(id: string, metrics: readonly object[]): Promise<void> {
  for (let from = 0; from < metrics.length; from += 1_000) {
    const { status, body } = await shared.call('POST', `${api}/sessions/${id}/batch`, {
      metrics: metrics.slice(from, from + 1_000)
    })
    assert.equal(status, 200, JSON.stringify(body))
  }
}
async function chartOf(query: Record<string, string | number>): Promise<Chart> {
  const asked = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])
  )
  const answer: { status: number; body: unknown } = await shared.call(
    'GET',
    `${api}/series?${asked}`
  )
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body as Chart
}
/** The values of every line, by its group and unit. */
const linesOf = ({ series }: Chart): Record<string, number[]> =>
  Object.fromEntries(
    series.map(one => [`${one.group} ${one.unit}`, one.points.map(point => point.value)])
  )
const detail = async (id: string): Promise<SessionAnswer> => {
  const { body }: { body: unknown } = await shared.call('GET', `${api}/sessions/${id}`)
  return body as SessionAnswer
}
const close = (actual: number | null | undefined, expected: number, what: string): void =>
  assert.ok(
    typeof actual === 'number' &&
      Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
    `${what}: ${actual} is not ${expected}`
  )

describe('figures over several flushes', () => {
  test('of a histogram are those of its samples, or say that they are of means', async () => {
    const session = await open()
    await write(session, [{ name: 'lat', value: 1, type: 'histogram', count: 100 }])
    await write(session, [{ name: 'lat', value: 100, type: 'histogram', count: 1 }])
    for (const [aggregation, value, exact] of [
      ['average', 200 / 101, true],
      ['sum', 200, true],
      ['count', 101, true],
      ['p50', 1, false],
      ['p99.5', 100, false],
      ['peak', 100, false],
      ['min', 1, false]
    ] as const)
      for (const range of [{}, { from: 0, to: Date.now() + 60_000 }]) {
        const chart = await chartOf({ metric: 'lat', session, aggregation, ...range })
        close(chart.series[0]?.points[0]?.value, value, aggregation)
        assert.equal(chart.exact, exact, aggregation)
      }
    const over = await chartOf({ metric: 'lat', session, aggregation: 'average', per: 'time' })
    assert.deepEqual([over.count, over.exact], [101, true])
    close(over.average, 200 / 101, 'average of all')
    const all = await chartOf({ metric: 'lat', session })
    assert.deepEqual([linesOf(all), all.count, all.exact], [{ 'null null': [1, 100] }, 101, false])
    close((await detail(session)).metrics[0]?.mean, 200 / 101, 'mean')
  })

  test('of a timer are those of one round', async () => {
    const session = await open()
    await write(session, [
      { name: 'step', value: 2, type: 'timer', count: 4 },
      { name: 'step', value: 1, type: 'timer' },
      { name: 'idle', value: 0, type: 'histogram', count: 0 }
    ])
    for (const [aggregation, value] of [
      ['average', 0.6],
      ['sum', 3],
      ['count', 5],
      ['peak', 1],
      ['min', 0.5],
      ['p50', 0.5]
    ] as const) {
      const chart = await chartOf({ metric: 'step', session, aggregation })
      close(chart.series[0]?.points[0]?.value, value, aggregation)
    }
    const { body } = await shared.call('GET', `${api}/sessions/${session}/points?name=step`)
    assert.deepEqual(
      (body['points'] as { value: number; count?: number }[]).map(one => [one.value, one.count]),
      [
        [2, 4],
        [1, undefined]
      ],
      'a point is read as it was written'
    )
    const idle = await chartOf({ metric: 'idle', session, aggregation: 'count' })
    assert.deepEqual([linesOf(idle), idle.count], [{ 'null null': [0] }, 1])
    assert.equal((await detail(session)).metrics.find(one => one.name === 'idle')?.mean, 0)
  })

  test('are those of the samples whatever the flushes, the range and the budget (property)', async () => {
    let n = 0
    const flush = fc.record({
      value: fc.integer({ min: -50, max: 50 }),
      count: fc.constantFrom(1, 1, 2, 7, 100)
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(flush, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(10, 200),
        async (flushes, part, points) => {
          const [metric, session] = [`weighed${n++}`, await open()]
          await write(
            session,
            flushes.map(({ value, count }, k) => ({
              name: metric,
              value,
              type: 'histogram',
              count,
              timestamp: base + k * 1_000
            }))
          )
          const last = Math.floor(part * flushes.length)
          for (const [kept, range] of [
            [flushes, {}],
            [flushes.slice(0, last), { from: base, to: base + last * 1_000 }]
          ] as const) {
            if (kept.length === 0) continue
            const weight = kept.reduce((sum, one) => sum + one.count, 0)
            const total = kept.reduce((sum, one) => sum + one.count * one.value, 0)
            const asked = { metric, session, points, ...range }
            const perSession = async (aggregation: string): Promise<number | undefined> =>
              (await chartOf({ ...asked, aggregation })).series[0]?.points[0]?.value
            close(await perSession('average'), total / weight, 'average')
            close(await perSession('sum'), total, 'sum')
            close(await perSession('count'), weight, 'count')
            const ranked = kept.toSorted((a, b) => a.value - b.value)
            let reached = 0
            const median = ranked.find(one => (reached += one.count) >= weight / 2)
            if (kept.some(one => one.count > 1))
              assert.equal(await perSession('p50'), median?.value, 'median')
            const over = await chartOf({ ...asked, aggregation: 'sum', per: 'time' })
            const shown = over.series.flatMap(one => one.points.map(point => point.value))
            close(
              shown.reduce((sum, value) => sum + value, 0),
              total,
              'sum of sums'
            )
            assert.equal(over.count, weight)
            close(over.average, total / weight, 'average over time')
          }
        }
      ),
      { numRuns: 12 }
    )
  })
})

describe('points of different units', () => {
  test('are never mixed: each unit is a line, and has its figures when it is asked for', async () => {
    const session = await open()
    await write(session, [
      { name: 't', value: 1.5, type: 'timer', unit: 's' },
      { name: 't', value: 1_500, type: 'timer', unit: 'ms' },
      { name: 't', value: 7 },
      { name: 't', value: 2.5, type: 'timer', unit: 's', timestamp: Date.now() + 60_000 }
    ])
    assert.deepEqual(
      (await detail(session)).metrics.map(one => [one.unit, one.mean, one.points]),
      [
        ['s', 2, 2],
        ['ms', 1_500, 1],
        [null, 7, 1]
      ]
    )
    for (const per of ['session', 'time']) {
      const chart = await chartOf({ metric: 't', session, aggregation: 'average', per })
      assert.deepEqual(linesOf(chart), {
        'null null': [7],
        'null ms': [1_500],
        'null s': per === 'session' ? [2] : [1.5, 2.5]
      })
      assert.deepEqual([chart.peak, chart.average, chart.min], [null, null, null])
    }
    const all = await chartOf({ metric: 't', session })
    assert.deepEqual(linesOf(all), { 'null null': [7], 'null ms': [1_500], 'null s': [1.5, 2.5] })
    const seconds = await chartOf({ metric: 't', session, unit: 's' })
    assert.deepEqual(
      [linesOf(seconds), seconds.peak, seconds.average],
      [{ 'null s': [1.5, 2.5] }, 2.5, 2]
    )
    assert.deepEqual(linesOf(await chartOf({ metric: 't', session, unit: '' })), {
      'null null': [7]
    })
    const { body } = await shared.call('GET', `${api}/metrics`)
    assert.deepEqual(
      (body['metrics'] as { name: string; unit: string | null; points: number }[])
        .filter(one => one.name === 't')
        .map(one => [one.unit, one.points]),
      [
        [null, 1],
        ['ms', 1],
        ['s', 2]
      ]
    )
    const read = await shared.call('GET', `${api}/sessions/${session}/points?name=t&limit=3`)
    assert.deepEqual(
      (read.body['points'] as { value: number }[]).map(one => one.value),
      [1.5, 1_500, 7]
    )
    const rest = await shared.call(
      'GET',
      `${api}/sessions/${session}/points?name=t&limit=3&after=${String(read.body['next_after'])}`
    )
    assert.deepEqual(
      (rest.body['points'] as { value: number }[]).map(one => one.value),
      [2.5]
    )
  })
})

describe('tags', () => {
  test('narrow and group what a chart shows, also over many points', async () => {
    const [one, two] = [await open({ product: 'tagged' }), await open({ product: 'tagged' })]
    const metrics = Array.from({ length: 3_000 }, (_, n) => ({
      name: 'hits',
      value: n % 3,
      timestamp: base + n * 1_000,
      tags: [['env:prod', 'az:1'], ['az:2', 'env:prod', 'az:2'], ['beta']][n % 3]
    }))
    await write(one, metrics)
    await write(two, [{ name: 'hits', value: 9, timestamp: base, tags: ['env:test', 'az:1'] }])
    const asked = { metric: 'hits', aggregation: 'sum', per: 'session' }
    assert.deepEqual(linesOf(await chartOf({ ...asked, tag: 'env:prod' })), {
      'null null': [1_000]
    })
    const grouped = await chartOf({ ...asked, group_by: 'tag:env' })
    assert.deepEqual(
      [linesOf(grouped), grouped.exact],
      [{ 'prod null': [1_000], 'test null': [9], 'null null': [2_000] }, true]
    )
    assert.deepEqual(linesOf(await chartOf({ ...asked, group_by: 'tag:*' })), {
      'az:1, env:prod null': [0],
      'az:1, env:test null': [9],
      'az:2, env:prod null': [1_000],
      'beta null': [2_000]
    })
    const range = { from: base, to: base + 300_000 }
    const part = await chartOf({ ...asked, ...range, group_by: 'tag:az' })
    assert.deepEqual(linesOf(part), { '1 null': [0, 9], '2 null': [100], 'null null': [200] })
    const time = await chartOf({
      metric: 'hits',
      tag: 'az:2',
      aggregation: 'count',
      per: 'time',
      points: 10
    })
    assert.equal(time.count, 1_000)
    const both = new URLSearchParams([
      ['metric', 'hits'],
      ['aggregation', 'count'],
      ['per', 'time'],
      ['tag', 'env:prod'],
      ['tag', 'az:1']
    ])
    const { body } = await shared.call('GET', `${api}/series?${both}`)
    assert.equal(body['count'], 1_000)
    const ids = async (query: string): Promise<string[]> =>
      (
        (await shared.call('GET', `${api}/sessions?${query}`)).body['sessions'] as { id: string }[]
      ).map(session => session.id)
    assert.deepEqual(await ids('product=tagged&tag=env:prod'), [one])
    assert.deepEqual(await ids('product=tagged&tag=az:1'), [two, one])
    assert.deepEqual(await ids('product=tagged&tag=env:prod&tag=env:test'), [])
  })

  test('keep the order points came in, and the first version shows them as they were sent', async () => {
    const id = await open()
    const tags = (n: number): string[] => [['b', 'a', 'b'], ['a'], [], ['c', 'a']][n % 4] ?? []
    await write(
      id,
      Array.from({ length: 400 }, (_, n) => ({ name: n % 2 ? 'x' : 'y', value: n, tags: tags(n) }))
    )
    const old: unknown = (await shared.call('GET', `/api/sessions/${id}`)).body
    assert.deepEqual(
      (old as { metrics: { value: number; tags?: string[] }[] }).metrics.map(one => [
        one.value,
        one.tags ?? []
      ]),
      Array.from({ length: 400 }, (_, n) => [n, tags(n)])
    )
    let after = ''
    const values: number[] = []
    for (;;) {
      const { body } = await shared.call(
        'GET',
        `${api}/sessions/${id}/points?name=x&limit=37${after}`
      )
      values.push(...(body['points'] as { value: number }[]).map(one => one.value))
      if (body['next_after'] === null) break
      after = `&after=${String(body['next_after'])}`
    }
    assert.deepEqual(
      values,
      Array.from({ length: 200 }, (_, n) => 2 * n + 1)
    )
  })

  test('that are always others are stored, and what cannot be told apart is said', async () => {
    const id = await open()
    await write(
      id,
      Array.from({ length: 1_500 }, (_, n) => ({
        name: 'calls',
        value: 1,
        tags: [`request:${n}`, 'all']
      }))
    )
    const count = await chartOf({ metric: 'calls', session: id, aggregation: 'sum' })
    assert.deepEqual([linesOf(count), count.exact], [{ 'null null': [1_500] }, true])
    const some = await chartOf({ metric: 'calls', session: id, aggregation: 'sum', tag: 'all' })
    assert.deepEqual([linesOf(some), some.exact], [{ 'null null': [200] }, false])
    const old: unknown = (await shared.call('GET', `/api/sessions/${id}`)).body
    assert.deepEqual((old as { metrics: { tags: string[] }[] }).metrics.at(-1)?.tags, [
      'request:1499',
      'all'
    ])
    const series = await shared.app.db('datacat_series').where({ name: 'calls' }).count({ n: '*' })
    assert.equal(Number(series[0]?.['n']), 201)
  })
})

describe('series without end', () => {
  test('are refused with the limit, and the rest goes on', async () => {
    const id = await open()
    await shared.app.db.raw(
      `insert into datacat_series (session_key, name, received_at, labels)
      select key, 'many' || n, 0, gen_random_uuid()
      from datacat_sessions, generate_series(1, 9999) n
      where id = ?`,
      [id]
    )
    const post = (path: string, body: object) =>
      shared.call('POST', path, body, { accept: 'application/problem+json' })
    assert.equal(
      (await post(`/api/sessions/${id}/metrics`, { name: 'last', value: 1 })).status,
      200
    )
    for (const [path, body] of [
      [`/api/sessions/${id}/metrics`, { name: 'more', value: 1 }],
      [
        `${api}/sessions/${id}/batch`,
        {
          key: 'k',
          metrics: [
            { name: 'last', value: 2 },
            { name: 'more', value: 1 }
          ],
          states: [{ state: { a: 1 } }]
        }
      ]
    ] as const) {
      const answer = await post(path, body)
      assert.equal(answer.status, 400)
      const { errors } = answer.body as ProblemAnswer
      assert.match(errors?.[0]?.message ?? '', /a session has at most 10,000/)
    }
    const { metric_count, state } = await detail(id)
    assert.deepEqual([metric_count, state], [1, {}])
    const good = { key: 'k', metrics: [{ name: 'last', value: 2, tags: ['t'] }] }
    assert.deepEqual((await post(`${api}/sessions/${id}/batch`, good)).body, {
      status: 'ok',
      accepted: 1,
      duplicate: false
    })
  })

  test('by their units are refused too', async () => {
    const id = await open()
    const metrics = Array.from({ length: 201 }, (_, n) => ({ name: 'm', value: 1, unit: `u${n}` }))
    const answer = await shared.call('POST', `${api}/sessions/${id}/batch`, { metrics })
    assert.equal(answer.status, 400)
    assert.match(String(answer.body['detail']), /at most 200 units/)
    assert.equal((await detail(id)).metric_count, 0)
  })
})
