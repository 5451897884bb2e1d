import assert from 'node:assert/strict'
import { epochMs } from '../../../../core/index.ts'
import { instantOf } from './instants.ts'
import { operation, type Operation } from './operation.ts'
import {
  at,
  garbageUnless,
  idAt,
  lastPart,
  listAt,
  numberAt,
  objectOf,
  textAt,
  textsAt,
  uniqueBy
} from './read-recorded.ts'

/** A monitor can be used when it has an id and a query. */
const isMonitor = (item: unknown): boolean =>
  idAt(item, 'id') !== undefined && typeof at(item, 'query') === 'string'

const thresholdsOf = (monitor: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(objectOf(at(monitor, 'options.thresholds'))).filter(
      ([, value]) => typeof value === 'number'
    )
  )

function createdOf(monitor: unknown): number | undefined {
  const created = Date.parse(textAt(monitor, 'created') ?? '')
  return numberAt(monitor, 'created_at') ?? (Number.isNaN(created) ? undefined : created)
}

const getMonitor = operation({
  drive: (account, { interaction }) => account.monitor(lastPart(interaction)),
  refuses: ({ interaction }) => garbageUnless(isMonitor(interaction.response.body)),
  verify(row, { interaction }) {
    const recorded = interaction.response.body
    assert.deepEqual(
      [row.id, row.name, row.type, row.query, row.message, row.state, row.priority],
      [
        idAt(recorded, 'id'),
        textAt(recorded, 'name') ?? '',
        textAt(recorded, 'type') ?? 'unknown',
        at(recorded, 'query'),
        textAt(recorded, 'message') ?? '',
        textAt(recorded, 'overall_state') ?? 'unknown',
        numberAt(recorded, 'priority') ?? null
      ]
    )
    assert.deepEqual(row.tags.toSorted(), textsAt(recorded, 'tags'))
    assert.deepEqual(row.thresholds, thresholdsOf(recorded))
    assert.equal(row.createdAt, createdOf(recorded))
  }
})

/** The usable rows of a list, each once. */
const monitorsIn = (list: readonly unknown[]): readonly unknown[] =>
  uniqueBy(list.filter(isMonitor), item => idAt(item, 'id'))

const listMonitors = operation({
  own: ['query.page', 'query.page_size'],
  drive(account, { interaction: { request, response } }) {
    const name = textAt(request.query, 'name')
    const tags = textAt(request.query, 'monitor_tags')?.split(',')
    return account.monitors({
      limit: Math.max(1, listAt(response.body, '').length),
      ...(name === undefined ? {} : { name }),
      ...(tags === undefined ? {} : { tags })
    })
  },
  refuses({ interaction: { response } }) {
    const list = listAt(response.body, '')
    return garbageUnless(
      Array.isArray(response.body) && (list.length === 0 || monitorsIn(list).length > 0)
    )
  },
  verify: ({ rows }, { interaction: { response } }) =>
    assert.deepEqual(
      rows.map(row => [row.id, row.name, row.state]),
      monitorsIn(listAt(response.body, '')).map(item => [
        idAt(item, 'id'),
        textAt(item, 'name') ?? '',
        textAt(item, 'overall_state') ?? 'unknown'
      ])
    )
})

const searchMonitors = operation({
  own: ['query.page', 'query.per_page'],
  drive: (account, { interaction: { request, response } }) =>
    account.searchMonitors({
      query: textAt(request.query, 'query') ?? '',
      limit: Math.max(1, listAt(response.body, 'monitors').length)
    }),
  refuses({ interaction: { response } }) {
    const list = at(response.body, 'monitors')
    if (!Array.isArray(list)) return 'garbage'
    return garbageUnless(list.length === 0 || list.some(item => idAt(item, 'id') !== undefined))
  },
  verify({ rows }, { interaction: { response } }) {
    const recorded = uniqueBy(listAt(response.body, 'monitors'), item => idAt(item, 'id'))
    assert.deepEqual(
      rows.map(row => [row.id, row.name, row.state, row.lastTriggered, row.priority]),
      recorded.map(item => [
        idAt(item, 'id'),
        textAt(item, 'name') ?? '',
        textAt(item, 'status') ?? textAt(item, 'overall_state') ?? 'unknown',
        numberAt(item, 'last_triggered_ts'),
        numberAt(item, 'priority') ?? null
      ])
    )
    for (const [n, row] of rows.entries())
      assert.deepEqual(row.tags.toSorted(), textsAt(recorded[n], 'tags'))
  }
})

/** Points of a series that are whole: the last bucket may reach beyond the window. */
function wholePoints(series: unknown, to: number): [unknown, unknown][] {
  const points = listAt(series, 'pointlist')
    .map((pair): [unknown, unknown] => [at(pair, '0'), numberAt(pair, '1') ?? null])
    .filter(([time]) => typeof time === 'number')
    .toSorted(([a], [b]) => Number(a) - Number(b))
  const intervalMs = intervalOf(series) * 1000
  return points.filter(([time]) => Number(time) + intervalMs <= to)
}

function intervalOf(series: unknown): number {
  const times = listAt(series, 'pointlist')
    .flatMap(pair => numberAt(pair, '0') ?? [])
    .toSorted((a, b) => a - b)
  const [first, second] = times
  const spacing = first === undefined || second === undefined ? 0 : (second - first) / 1000
  return numberAt(series, 'interval') ?? spacing
}

const nameOfSeries = (series: unknown): string | undefined =>
  textAt(series, 'metric') ?? textAt(series, 'expression') ?? textAt(series, 'display_name')
const usableSeries = (body: unknown): readonly unknown[] =>
  listAt(body, 'series').filter(
    one => nameOfSeries(one) !== undefined && Array.isArray(at(one, 'pointlist'))
  )

const queryMetrics = operation({
  drive(account, { interaction: { request }, recording }) {
    const time = (name: string) => epochMs(instantOf(request.query[name], recording.at) ?? NaN)
    return account.metric({
      query: textAt(request.query, 'query') ?? '',
      window: { from: time('from'), to: time('to') }
    })
  },
  refuses({ interaction: { response } }) {
    if (at(response.body, 'status') === 'error') return 'invalid'
    const series = at(response.body, 'series')
    if (!Array.isArray(series)) return 'garbage'
    return garbageUnless(series.length === 0 || usableSeries(response.body).length > 0)
  },
  verify({ rows }, { interaction: { request, response }, recording }) {
    const recorded = usableSeries(response.body)
    assert.deepEqual(
      rows.map(row => [row.metric, row.scope, row.intervalSeconds]),
      recorded.map(one => [nameOfSeries(one), textAt(one, 'scope') ?? '*', intervalOf(one)])
    )
    const to = instantOf(request.query['to'], recording.at) ?? NaN
    for (const [n, row] of rows.entries())
      assert.deepEqual(
        row.points.map(point => [point.at, point.value]),
        wholePoints(recorded[n], to)
      )
  }
})

/** Recorded monitors and metrics. */
export const monitorOperations: Readonly<Record<string, Operation>> = {
  'v1.MonitorsApi.getMonitor': getMonitor,
  'v1.MonitorsApi.listMonitors': listMonitors,
  'v1.MonitorsApi.searchMonitors': searchMonitors,
  'v1.MetricsApi.queryMetrics': queryMetrics
}
