import { invalid, isoTime, Type } from '../core/index.ts'
import { timedPage } from './kit/links.ts'
import { defineReader, limitOf, searchText } from './kit/reader.ts'
import { summaryOf, Summary } from './kit/summary.ts'
import { readWindow, Window } from './kit/window.ts'

const facet = Type.String({ minLength: 1, maxLength: 200 })

export default defineReader({
  name: 'aggregate_logs',
  title: 'Count logs',
  description: [
    'Counts or measures of all log lines that match, by facet and over time: not a sample. Use it for how many,',
    'since when, and which service, host or version; search_logs shows the lines. It cannot join facets of events.'
  ],
  input: {
    query: searchText('e.g. status:error'),
    ...Window,
    group_by: Type.Array(facet, {
      maxItems: 3,
      default: [],
      description: 'service, host, status, version, or @attribute'
    }),
    aggregation: Type.Enum(
      ['count', 'cardinality', 'avg', 'sum', 'min', 'max', 'median', 'pc95', 'pc99'],
      { default: 'count' }
    ),
    measure: Type.Optional(
      Type.String({ maxLength: 200, description: 'the @attribute measured, unless counting' })
    ),
    interval: Type.Optional(
      Type.String({ pattern: '^[0-9]{1,4}[smhd]$', description: 'e.g. 5m: a value a bucket' })
    ),
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    by: Type.Record(Type.String(), Type.String()),
    value: Type.Union([Type.Number(), Type.Null()], { description: 'null with an interval' }),
    ...Summary,
    points: Type.String({ description: 'with an interval: time and value of each bucket' })
  }),
  example: {
    query: 'status:error',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    group_by: ['service'],
    aggregation: 'count',
    limit: 20
  },
  async ask(input, { account, signal }) {
    const { query, group_by: groupBy, aggregation, measure, interval, limit } = input
    const window = readWindow(input)
    if (aggregation !== 'count' && measure === undefined)
      throw invalid('/measure', `is needed for ${aggregation}: name an @attribute or a facet`)
    const compute = {
      aggregation,
      ...(measure === undefined ? {} : { metric: measure }),
      ...(interval === undefined ? {} : { interval })
    }
    const found = await account.aggregateLogs(
      { query, window, groupBy, limit, compute },
      { signal }
    )
    return {
      ...found,
      rows: found.rows.map(({ by, value, points = [] }) => ({
        by,
        value,
        ...summaryOf(points.map(point => point.value)),
        points: points.map(point => `${isoTime(point.at)} ${point.value ?? '-'}`).join(', ')
      })),
      link: timedPage(account, '/logs', window, { query, viz: 'timeseries' }),
      whenEmpty: 'no line matches, or none has the facet; attributes need @'
    }
  }
})
