import { aggregate, readComputes, readGroups } from '../search/aggregate.ts'
import { ApiError, refuse } from './api-error.ts'
import { hash } from '../world/random.ts'
import type { Call, Reply, Route } from './route.ts'
import { rawFromBody, rawFromQuery, readSearch, type RawSearch } from '../search/request.ts'
import { customOf, fieldOf, searchSpans, spanJson } from '../search/span-search.ts'
import type { Span } from '../world/spans.ts'
import { readPath, tagValues } from '../search/match.ts'
import { answer, requestMeta } from './page.ts'
import { bucketId } from './aggregates.ts'

const vendor = 'application/vnd.api+json'
/** Searches and aggregations of spans. */
export const spanRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v2/spans/events/search',
    op: 'v2.SpansApi.listSpans',
    scope: 'apm_read',
    handle: call => search(call, rawFromBody(attributesOf(call.body, 'search_request')))
  },
  {
    method: 'GET',
    path: '/api/v2/spans/events',
    op: 'v2.SpansApi.listSpansGet',
    scope: 'apm_read',
    handle: call => search(call, rawFromQuery(call.query))
  },
  {
    method: 'POST',
    path: '/api/v2/spans/analytics/aggregate',
    op: 'v2.SpansApi.aggregateSpans',
    scope: 'apm_read',
    handle: analyse
  }
]

/** Spans wrap their search, unlike logs: `{data:{type,attributes}}`. */
export function attributesOf(body: unknown, type: string): Record<string, unknown> {
  const data = (body as { data?: { type?: unknown; attributes?: unknown } } | undefined)?.data
  if (data?.type !== type || typeof data.attributes !== 'object' || data.attributes === null)
    throw refuse(400, `Invalid request: 'data' must be of type '${type}' with attributes`)
  return data.attributes as Record<string, unknown>
}

function search(call: Call, raw: RawSearch): Reply {
  const request = inRange(call, raw)
  const rows = searchSpans(call.account.traces, request, call.now)
  // A GET without rows answers plain JSON.
  return {
    ...answer(call, raw, request, rows, rows.map(spanJson), rows.length > 0),
    type: rows.length > 0 || call.url.endsWith('search') ? vendor : 'application/json'
  }
}

/** A window that ends before it begins has an envelope and a status of its own here. */
function inRange(call: Call, raw: RawSearch) {
  try {
    return readSearch(raw, call.now, call.cursorKey)
  } catch (error) {
    if (error instanceof ApiError && error.message.includes('filter.from,to')) {
      throw new ApiError(
        422,
        {
          errors: [
            {
              title: 'Generic Error',
              detail:
                "invalid_argument(Field 'filter.from,to' is invalid: 'from' should be anterior to 'to')"
            }
          ]
        },
        vendor
      )
    }
    throw error
  }
}

const valueOf = (span: Span, facet: string): unknown =>
  facet.startsWith('@')
    ? readPath(customOf(span), facet.slice(1).split('.'))
    : (fieldOf(span, facet) ?? tagValues(span.tags, facet)[0])

function analyse(call: Call): Reply {
  const given = attributesOf(call.body, 'aggregate_request')
  const request = inRange(call, {
    ...rawFromBody(given),
    limit: undefined,
    cursor: undefined,
    sort: undefined
  })
  const rows = searchSpans(call.account.traces, { ...request, limit: Infinity }, call.now).map(
    span => ({ at: span.at, value: (facet: string) => valueOf(span, facet) })
  )
  const seed = hash(call.account.world.seed, JSON.stringify(given))
  const data = aggregate(rows, readComputes(given['compute']), readGroups(given['group_by'])).map(
    ({ by, computes }, i) => ({
      type: 'bucket',
      id: bucketId(seed + i),
      attributes: { compute: computes, by }
    })
  )
  return { status: 200, text: JSON.stringify({ data, meta: requestMeta(seed) }) }
}
