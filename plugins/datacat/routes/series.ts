import { invalid, Type, type Knex, type PluginApp } from '../../../core/index.ts'
import { readChart, type Aggregation } from '../service/chart.ts'
import { readFilter } from '../wire/filter.ts'
import { iso, readTime } from '../wire/time.ts'
import { closed, filterFields, name, nullable } from '../wire/schemas.ts'

const { from: _from, to: _to, ...which } = filterFields
const Query = Type.Object(
  {
    metric: name,
    aggregation: Type.String({
      default: 'all',
      maxLength: 20,
      description: 'all, peak (or max), average, min, count, sum, or a percentile such as p95'
    }),
    per: Type.Enum(['session', 'time'], {
      default: 'session',
      description: 'one point a session, or one a bucket of time; `all` is over time'
    }),
    group_by: Type.Optional(
      Type.String({
        maxLength: 600,
        description: 'a path into the current state, keys joined by dots'
      })
    ),
    from: Type.Optional(Type.String({ maxLength: 40 })),
    to: Type.Optional(Type.String({ maxLength: 40 })),
    points: Type.Integer({
      minimum: 10,
      maximum: 20_000,
      default: 1_500,
      description: 'at most this many a group'
    }),
    session: Type.Optional(Type.String({ format: 'uuid' })),
    ...which
  },
  closed
)
const Point = Type.Object({
  timestamp: Type.String(),
  value: Type.Number(),
  session_id: Type.Optional(Type.String()),
  min: Type.Optional(Type.Number()),
  max: Type.Optional(Type.Number()),
  count: Type.Optional(Type.Integer())
})
const figure = nullable(Type.Number())
const Chart = Type.Object({
  metric: Type.String(),
  aggregation: Type.String(),
  per: Type.String(),
  sessions_matched: Type.Integer(),
  exact: Type.Boolean(),
  sampled_every: Type.Integer(),
  peak: figure,
  average: figure,
  min: figure,
  max: figure,
  count: Type.Integer(),
  series: Type.Array(
    Type.Object({
      group: nullable(Type.String()),
      sessions: Type.Integer(),
      points: Type.Array(Point)
    })
  )
})

const kinds = {
  all: 'all',
  peak: 'max',
  max: 'max',
  average: 'average',
  avg: 'average',
  mean: 'average',
  min: 'min',
  count: 'count',
  sum: 'sum'
} as const

/** A word of the wire as an aggregation; throws a 400 that lists the words. */
export function readAggregation(word: string, pointer: string): Aggregation {
  const share = /^p(\d{1,2}(?:\.\d{1,3})?|100)$/.exec(word)?.[1]
  if (share !== undefined) return { kind: 'percentile', p: Number(share) / 100 }
  if (Object.hasOwn(kinds, word)) return { kind: kinds[word as keyof typeof kinds] }
  throw invalid(
    pointer,
    `must be one of ${Object.keys(kinds).join(', ')} or a percentile such as p95`
  )
}

export function seriesRoutes(app: PluginApp<unknown>, db: Knex): void {
  app.route({
    method: 'GET',
    path: '/series',
    auth: 'user',
    summary: 'One metric over time or over sessions, within a budget of points',
    query: Query,
    response: Chart,
    description:
      'More points than the budget become buckets of equal width (with their smallest and largest value and count) between the first, last, smallest and largest point as they are.',
    async handle({
      query: {
        metric,
        aggregation,
        per,
        group_by: groupBy,
        points: budget,
        session,
        from,
        to,
        ...fields
      }
    }) {
      const filter = readFilter(fields)
      const chart = await readChart(db, {
        metric,
        aggregation: readAggregation(aggregation, '/query/aggregation'),
        per: aggregation === 'all' ? 'time' : (per as 'session' | 'time'),
        budget,
        groupBy: groupBy ?? null,
        filter: session === undefined ? filter : { ...filter, ids: [session.toLowerCase()] },
        from: from === undefined ? null : readTime(from, '/query/from'),
        to: to === undefined ? null : readTime(to, '/query/to')
      })
      return {
        metric,
        aggregation,
        per: aggregation === 'all' ? 'time' : per,
        sessions_matched: chart.sessionsMatched,
        exact: chart.exact,
        sampled_every: chart.sampledEvery,
        peak: chart.peak,
        average: chart.average,
        min: chart.min,
        max: chart.peak,
        count: chart.count,
        series: chart.groups.map(({ group, sessions, points }) => ({
          group,
          sessions,
          points: points.map(({ at, session: session_id, ...rest }) => ({
            timestamp: iso(at),
            ...rest,
            ...(session_id === undefined ? {} : { session_id })
          }))
        }))
      }
    }
  })
}
