import { Type, type Static } from '../../../core/index.ts'
import type { Chart, ChartQuery } from '../service/chart/chart.ts'
import { readAggregation } from '../wire/aggregation.ts'
import { readFilter } from '../wire/filter.ts'
import { readGroupBy } from '../wire/group-by.ts'
import { closed, filterFields, name, nullable } from '../wire/schemas.ts'
import { iso, readTime } from '../wire/time.ts'
import type { AddRoute } from './add-route.ts'

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
        description:
          'a path into the current state, keys joined by dots; tag:KEY for what is behind KEY: in ' +
          'the tags of the metric, tag:* for whole sets of tags'
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
    unit: Type.Optional(
      Type.String({
        maxLength: 256,
        description: 'only points in this unit; empty for those without one'
      })
    ),
    session: Type.Optional(Type.String({ format: 'uuid' })),
    ...which
  },
  closed
)
type Query = Static<typeof Query>
const Point = Type.Object({
  timestamp: Type.String(),
  value: Type.Number(),
  session_id: Type.Optional(Type.String()),
  min: Type.Optional(Type.Number()),
  max: Type.Optional(Type.Number()),
  count: Type.Optional(Type.Number())
})
const figure = nullable(Type.Number())
const Answer = Type.Object({
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
  count: Type.Number(),
  series: Type.Array(
    Type.Object({
      group: nullable(Type.String()),
      unit: nullable(Type.String()),
      sessions: Type.Integer(),
      points: Type.Array(Point)
    })
  )
})

/** One metric over time or over sessions. */
export const seriesRoute: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/series',
    auth: 'user',
    summary: 'One metric over time or over sessions, within a budget of points',
    query: Query,
    response: Answer,
    description:
      'More points than the budget become buckets of equal width (with their smallest and ' +
      'largest value and count) between the first, last, smallest and largest point as they are. ' +
      'A point of a histogram or a timer counts as often as it says; points of different units ' +
      'are different series, and then the figures of the whole are null.',
    async handle({ query, principal }) {
      const chart = await datacat.chart(chartQuery(query), principal)
      return { metric: query.metric, aggregation: query.aggregation, ...answerOf(query, chart) }
    }
  })

const perOf = ({ aggregation, per }: Query): 'session' | 'time' =>
  aggregation === 'all' || per === 'time' ? 'time' : 'session'

function chartQuery(query: Query): ChartQuery {
  const {
    metric,
    group_by,
    points,
    session,
    from,
    to,
    aggregation,
    per: _,
    unit,
    ...fields
  } = query
  const filter = readFilter(fields)
  return {
    metric,
    aggregation: readAggregation(aggregation, '/query/aggregation'),
    per: perOf(query),
    maxPoints: points,
    groupBy: readGroupBy(group_by),
    unit: unit === '' ? null : unit,
    filter: session === undefined ? filter : { ...filter, ids: [session.toLowerCase()] },
    from: from === undefined ? null : readTime(from, '/query/from'),
    to: to === undefined ? null : readTime(to, '/query/to')
  }
}

const answerOf = (query: Query, chart: Chart) => ({
  per: perOf(query),
  sessions_matched: chart.sessionsMatched,
  exact: chart.exact,
  sampled_every: chart.sampledEvery,
  peak: chart.peak,
  average: chart.average,
  min: chart.min,
  max: chart.peak,
  count: chart.count,
  series: chart.groups.map(({ group, unit, sessions, points }) => ({
    group,
    unit,
    sessions,
    points: points.map(({ at, session, ...rest }) => ({
      timestamp: iso(at),
      ...rest,
      ...(session === undefined ? {} : { session_id: session })
    }))
  }))
})
