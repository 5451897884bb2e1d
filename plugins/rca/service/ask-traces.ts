import { epochMs, type EpochMs } from '../../../core/index.ts'
import type {
  CallOptions,
  DatadogAccount,
  DatadogSpan,
  TimeWindow
} from '../../datadog-proxy/contract.ts'
import { spanFacts } from './describe-rows.ts'
import { fromRows, nothing, type Question } from './question.ts'

const minute = 60_000
const maxTraces = 12
const maxServices = 5

/** Whose traces are asked for, and since when the service fares badly. */
export interface TracesInput {
  readonly account: DatadogAccount
  readonly service: string
  readonly env: string | null
  readonly window: TimeWindow
  readonly onset: EpochMs
  readonly options: CallOptions
}

/** The part of a search that keeps to an environment; nothing where none is known. */
export const inEnv = (env: string | null): string => (env === null ? '' : ` env:${env}`)

/** The spans of whole traces through the service, from the time of the trouble, failed ones first. */
export const tracesQuestion = (subject: TracesInput, slot = 'traces'): Question => {
  const { account, service, window, onset, options } = subject
  const during = { from: epochMs(Math.max(window.from, onset - minute)), to: window.to }
  const query = `service:${service}${inEnv(subject.env)}`
  return {
    slot,
    title: `Traces through ${service}`,
    asked: query,
    async ask() {
      const search = { window: during, limit: 60, sort: 'newest' as const }
      const [failed, any] = await Promise.all([
        account.spans({ ...search, query: `${query} status:error` }, options),
        account.spans({ ...search, query }, options)
      ])
      const ids = [...new Set([...failed.rows, ...any.rows].map(span => span.traceId))]
      if (ids.length === 0) return nothing('no span of this service')
      const chosen = ids.slice(0, maxTraces)
      const whole = await account.spans(
        { ...search, query: `trace_id:(${chosen.join(' OR ')})`, limit: 200 },
        options
      )
      const calm = await calmSpans(subject, [...new Set(whole.rows.map(span => span.service))])
      const known = new Set(whole.rows.map(({ id }) => id))
      return fromRows(whole, rows =>
        [...rows, ...calm.filter(({ id }) => !known.has(id))].map(spanFacts)
      )
    }
  }
}

/** Spans from before the trouble, whole traces of them: what fails early no longer shows whom it used to call. */
async function calmSpans(
  subject: TracesInput,
  services: readonly string[]
): Promise<readonly DatadogSpan[]> {
  const { account, window, onset, options } = subject
  const before = { from: window.from, to: epochMs(Math.max(window.from + 1, onset - minute)) }
  const found = await Promise.all(
    services.slice(0, maxServices).map(name =>
      account.spans(
        {
          query: `service:${name}${inEnv(subject.env)}`,
          window: before,
          limit: 20,
          sort: 'newest'
        },
        options
      )
    )
  )
  const spans = found.flatMap(({ rows }) => rows)
  const own = spans.filter(span => span.service === subject.service).map(span => span.traceId)
  const ids = [...new Set(own)].slice(0, maxTraces)
  if (ids.length === 0) return spans
  const query = `trace_id:(${ids.join(' OR ')})`
  const whole = await account.spans({ query, window: before, limit: 100, sort: 'newest' }, options)
  return [...new Map([...spans, ...whole.rows].map(span => [span.id, span])).values()]
}
