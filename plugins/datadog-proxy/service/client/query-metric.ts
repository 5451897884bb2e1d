import { epochMs, isoTime, toSeconds } from '../../../../core/index.ts'
import {
  DatadogError,
  type DatadogRows,
  type DatadogSeries,
  type TimeWindow
} from '../../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { isObject, listOf, numberOf, objectOf, textOf } from './read-json.ts'
import { readEnvelope } from './read-envelope.ts'
import { needs, type Call } from './send-request.ts'

const mostSeries = 1000

/** The series of a metric query, one per group; times are whole seconds on the wire. */
export async function queryMetric(
  call: Call,
  sdk: Sdk,
  { query, window }: { query: string; window: TimeWindow }
): Promise<DatadogRows<DatadogSeries>> {
  if (!(window.from < window.to))
    throw new DatadogError('invalid', 'the window must end after it begins')
  const answer = await call.read(needs('timeseries_query'), async () =>
    (await sdk.v1()).metrics.queryMetrics(toSeconds(window.from), toSeconds(window.to), query)
  )
  const series = seriesIn(answer)
  const rows = series.map(item => toSeries(item, window)).filter(row => row !== undefined)
  if (series.length > 0 && rows.length === 0)
    throw new DatadogError(
      'garbage',
      `Datadog answered ${series.length} series and none has the expected fields`,
      { datadogStatus: 200 }
    )
  const warnings =
    rows.length < series.length
      ? [`${series.length - rows.length} series without the expected fields were left out`]
      : []
  return {
    rows: rows.slice(0, mostSeries),
    truncated: rows.length > mostSeries,
    warnings,
    asked: { query, from: isoTime(window.from), to: isoTime(window.to), limit: mostSeries }
  }
}

function seriesIn(answer: unknown): readonly unknown[] {
  // A refused query may arrive as 200 with `status: "error"`.
  if (isObject(answer) && answer['status'] === 'error')
    throw new DatadogError(
      'invalid',
      `Datadog refused the query: ${readEnvelope(JSON.stringify(answer))}`,
      { datadogStatus: 200 }
    )
  if (!isObject(answer) || !Array.isArray(answer['series']))
    throw new DatadogError('garbage', 'Datadog answered a metric query without series', {
      datadogStatus: 200
    })
  return answer['series']
}

function toSeries(item: unknown, window: TimeWindow): DatadogSeries | undefined {
  const raw = objectOf(item)
  const metric = textOf(raw['metric']) ?? textOf(raw['expression']) ?? textOf(raw['display_name'])
  if (metric === undefined || !Array.isArray(raw['pointlist'])) return undefined
  const points = raw['pointlist']
    .map(pair => {
      const [at, value] = listOf(pair)
      return { at: numberOf(at) ?? NaN, value: numberOf(value) ?? null }
    })
    .filter(point => Number.isFinite(point.at))
    .sort((a, b) => a.at - b.at)
  const intervalSeconds = numberOf(raw['interval']) ?? spacing(points)
  return {
    metric,
    scope: textOf(raw['scope']) ?? '*',
    intervalSeconds,
    // Datadog's last bucket ends after `to`: it holds part of the data and reads like a drop.
    points: points
      .filter(point => point.at + intervalSeconds * 1000 <= window.to)
      .map(point => ({ at: epochMs(point.at), value: point.value }))
  }
}

function spacing(points: readonly { at: number }[]): number {
  const [first, second] = points
  return first && second ? (second.at - first.at) / 1000 : 0
}
