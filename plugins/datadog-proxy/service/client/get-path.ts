import { DatadogError } from '../../contract.ts'
import type { Sdk } from './load-sdk.ts'
import type { Call } from './send-request.ts'

/** One part of a path that stands for an id or a name. */
const part = '[\\w.:%@-]{1,200}'
/**
 * What may be read without a call of its own: nothing that holds keys, people, or the addresses and headers of
 * webhooks. `*` is one part.
 */
const readable: readonly string[] = [
  '/api/v1/dashboard',
  '/api/v1/dashboard/*',
  '/api/v1/downtime',
  '/api/v1/events',
  '/api/v1/events/*',
  '/api/v1/hosts',
  '/api/v1/hosts/totals',
  '/api/v1/metrics',
  '/api/v1/metrics/*',
  '/api/v1/monitor',
  '/api/v1/monitor/*',
  '/api/v1/monitor/groups/search',
  '/api/v1/notebooks',
  '/api/v1/notebooks/*',
  '/api/v1/query',
  '/api/v1/search',
  '/api/v1/slo',
  '/api/v1/slo/*',
  '/api/v1/slo/*/history',
  '/api/v1/tags/hosts',
  '/api/v1/tags/hosts/*',
  '/api/v2/apm/services',
  '/api/v2/catalog/entity',
  '/api/v2/downtime',
  '/api/v2/downtime/*',
  '/api/v2/events',
  '/api/v2/incidents',
  '/api/v2/incidents/*',
  '/api/v2/logs/events',
  '/api/v2/metrics',
  '/api/v2/monitor/*/downtime_matches',
  '/api/v2/rum/events',
  '/api/v2/services/definitions',
  '/api/v2/services/definitions/*',
  '/api/v2/spans/events'
]
const patterns = readable.map(path => new RegExp(`^${path.replaceAll('*', part)}$`))

/** What Datadog answers to a GET of one of `readable`; `invalid` names them when the path is another. */
export async function getPath(
  call: Call,
  sdk: Sdk,
  { path, query }: { path: string; query: Readonly<Record<string, string>> }
): Promise<unknown> {
  const climbs = path.split('/').some(each => /^(?:\.|%2e){1,2}$/i.test(each))
  if (climbs || /%(?:2f|5c|00)/i.test(path) || !patterns.some(pattern => pattern.test(path)))
    throw new DatadogError(
      'invalid',
      `${JSON.stringify(path.slice(0, 80))} is not among what may be read: ${readable.join(', ')}`
    )
  return call.read('The application key needs the permission to read this', () =>
    sdk.get(path, query)
  )
}
