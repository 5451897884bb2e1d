import { Type } from '../core/index.ts'
import { defineReader } from './kit/reader.ts'

const mostChars = 200_000

export default defineReader({
  name: 'datadog_get',
  title: 'Read the Datadog API',
  description: [
    'One GET of the Datadog API, for what no other tool reads: dashboards, notebooks, metric names, tags. Use it last.',
    'It cannot read keys, people or webhooks; a path it does not know is answered with those it does.'
  ],
  input: {
    path: Type.String({
      pattern: '^/api/v[12]/[\\w.:%@/-]{1,300}$',
      description: 'without query, e.g. /api/v1/search'
    }),
    query: Type.Record(
      Type.String({ pattern: '^[\\w.\\[\\]-]{1,100}$' }),
      Type.String({ maxLength: 2_000 }),
      {
        default: {},
        description:
          'e.g. {"q": "metrics:trace.http"}; v1 times are seconds, v2 milliseconds or ISO'
      }
    )
  },
  row: Type.Object({ value: Type.Unknown({ description: 'as Datadog answered' }) }),
  example: { path: '/api/v1/search', query: { q: 'metrics:trace.http' } },
  async ask({ path, query }, { account, signal }) {
    const value = await account.get({ path, query }, { signal })
    const items = listIn(value)
    const kept = items && countWithin(items, mostChars)
    const words = new URLSearchParams(query).toString()
    return {
      rows: items === undefined ? [{ value }] : items.slice(0, kept).map(each => ({ value: each })),
      ...(items === undefined ? {} : { total: items.length }),
      truncated: items !== undefined && kept !== undefined && kept < items.length,
      warnings: [],
      asked: { query: words === '' ? path : `${path}?${words}` },
      whenEmpty: 'Datadog answered an empty list'
    }
  }
})

/** The list an answer is, or holds as its only list. */
function listIn(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return undefined
  const { data } = value as { data?: unknown }
  return Array.isArray(data) ? data : undefined
}

function countWithin(items: readonly unknown[], room: number): number {
  let left = room
  const over = items.findIndex(item => {
    left -= JSON.stringify(item)?.length ?? 0
    return left < 0
  })
  return over < 0 ? items.length : Math.max(1, over)
}
