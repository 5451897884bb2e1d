import { invalid, Type } from '../core/index.ts'
import type { DatadogSpan } from '../plugins/datadog-proxy/contract.ts'
import { spannedPage } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

/** Traces looked into, and spans read of them. */
const mostTraces = 40
const mostSpans = 1_000
const name = /^[\w.:/@-]+$/

export default defineReader({
  name: 'service_dependencies',
  title: 'Who calls whom',
  description: [
    'Calls between services, read from traces that went through one service: caller, callee, errors, duration. Use it',
    'to follow a trouble downstream. It is a sample: it cannot show a rare call surely.'
  ],
  input: {
    service: Type.String({ minLength: 1, maxLength: 200, description: 'e.g. checkout-api' }),
    ...Window,
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    caller: Type.String(),
    callee: Type.String(),
    calls: Type.Integer({ description: 'in the sample' }),
    errors: Type.Integer(),
    median_ms: Type.Union([Type.Number(), Type.Null()]),
    slowest_ms: Type.Union([Type.Number(), Type.Null()])
  }),
  timeoutMs: 40_000,
  example: {
    service: 'checkout-api',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 50
  },
  async ask({ service, limit, ...input }, { account, signal }) {
    const window = readWindow(input)
    if (!name.test(service))
      throw invalid('/service', 'is the name of a service, e.g. checkout-api')
    const query = `service:${service}`
    const own = await account.spans({ query, window, limit: 500 }, { signal })
    const traces = [...new Set(own.rows.map(({ traceId }) => traceId))].slice(0, mostTraces)
    const found =
      traces.length === 0
        ? own
        : await account.spans(
            { query: `trace_id:(${traces.join(' OR ')})`, window, limit: mostSpans },
            { signal }
          )
    const calls = callsIn(found.rows)
    return {
      rows: calls.slice(0, limit),
      total: calls.length,
      truncated: calls.length > limit,
      warnings: [
        ...new Set([...own.warnings, ...found.warnings]),
        ...(traces.length === 0
          ? []
          : [`read from ${found.rows.length} spans of ${traces.length} traces of ${service}`]),
        ...(found.truncated ? [`only the newest ${mostSpans} spans of them were read`] : [])
      ],
      asked: { query, from: own.asked.from ?? '', to: own.asked.to ?? '' },
      link: spannedPage(account, `/apm/services/${service}/operations`, window),
      whenEmpty: `no span of ${service} has a parent or a child in another service`
    }
  }
})

/** Each pair of services of which one's span is a child of the other's, most calls first. */
function callsIn(spans: readonly DatadogSpan[]) {
  const parents = new Map(spans.map(span => [`${span.traceId} ${span.spanId}`, span.service]))
  const pairs = Map.groupBy(
    spans.flatMap(span => {
      const caller = parents.get(`${span.traceId} ${span.parentId ?? ''}`)
      return caller === undefined || caller === span.service ? [] : [{ caller, span }]
    }),
    ({ caller, span }) => `${caller}\n${span.service}`
  )
  return [...pairs.values()]
    .map(calls => {
      const times = calls
        .flatMap(({ span }) => span.durationNs ?? [])
        .toSorted((a, b) => a - b)
        .map(ns => Math.round(ns / 1e4) / 100)
      return {
        caller: calls[0]?.caller ?? '',
        callee: calls[0]?.span.service ?? '',
        calls: calls.length,
        errors: calls.filter(({ span }) => span.status === 'error').length,
        median_ms: times[Math.floor(times.length / 2)] ?? null,
        slowest_ms: times.at(-1) ?? null
      }
    })
    .toSorted((a, b) => b.calls - a.calls || (a.callee < b.callee ? -1 : 1))
}
