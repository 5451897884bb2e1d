import {
  DatadogError,
  type DatadogRows,
  type LogAggregation,
  type LogBucket
} from '../../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { isObject, listOf, numberOf, objectOf, textOf, timeOf } from './read-json.ts'
import { askedOf, warningsOf } from './search-stream.ts'
import { needs, type Call } from './send-request.ts'

const mostBuckets = 1000

/** Counts (or another measure of) log lines by facet; attributes need their `@`, reserved words and tags have none. */
export async function aggregateLogs(
  call: Call,
  sdk: Sdk,
  input: LogAggregation
): Promise<DatadogRows<LogBucket>> {
  const { groupBy = [], limit, compute = { aggregation: 'count' } } = input
  if (!Number.isInteger(limit) || limit < 1 || limit > mostBuckets)
    throw new DatadogError('invalid', `limit must be a whole number from 1 to ${mostBuckets}`)
  const asked = askedOf(input)
  const body = {
    compute: [
      {
        ...compute,
        type: compute.interval === undefined ? ('total' as const) : ('timeseries' as const)
      }
    ],
    filter: { query: asked.query, from: asked.from, to: asked.to },
    ...(groupBy.length === 0
      ? {}
      : { groupBy: groupBy.map(facet => ({ facet, limit: Math.min(limit + 1, mostBuckets) })) })
  }
  const answer = await call.read(needs('logs_read_data'), async () =>
    (await sdk.v2()).logs.aggregateLogs(body)
  )
  const buckets = isObject(answer) ? objectOf(answer['data'])['buckets'] : undefined
  if (!Array.isArray(buckets))
    throw new DatadogError('garbage', 'Datadog answered an aggregation of logs without buckets', {
      datadogStatus: 200
    })
  const rows = buckets.map(toBucket)
  const more = textOf(objectOf(objectOf(objectOf(answer)['meta'])['page'])['after']) !== undefined
  return {
    rows: rows.slice(0, limit),
    truncated: more || rows.length > limit,
    warnings: warningsOf(answer),
    asked
  }
}

function toBucket(item: unknown): LogBucket {
  const raw = objectOf(item)
  const by = Object.fromEntries(
    Object.entries(objectOf(raw['by'])).map(([facet, value]) => [facet, String(value)])
  )
  const [computed] = Object.values(objectOf(raw['computes']))
  if (!Array.isArray(computed)) return { by, value: numberOf(computed) ?? null }
  const points = listOf(computed)
    .map(objectOf)
    .flatMap(point => {
      const at = timeOf(point['time'])
      return at === undefined ? [] : [{ at, value: numberOf(point['value']) ?? null }]
    })
  return { by, value: null, points: points.toSorted((a, b) => a.at - b.at) }
}
