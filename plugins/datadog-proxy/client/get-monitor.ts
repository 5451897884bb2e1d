import { DatadogError, type DatadogMonitor } from '../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, idOf, isObject, numberOf, objectOf, textOf, textsOf, timeOf } from './read-json.ts'
import { needs, type Call } from './send-request.ts'

/** One monitor by its decimal id; `invalid` for anything else, `not_found` when it was deleted. */
export async function getMonitor(call: Call, sdk: Sdk, id: string): Promise<DatadogMonitor> {
  const digits = id.trim()
  if (!/^\d{1,19}$/.test(digits)) throw new DatadogError('invalid', `a monitor id is digits, not ${JSON.stringify(id.slice(0, 40))}`)
  // The factory only puts the id into the path; a number would round ids beyond 2^53.
  const answer = await call.read(needs('monitors_read'), async () => (await sdk.v1()).monitors.getMonitor(digits as unknown as number))
  const monitor = isObject(answer) ? toMonitor(answer) : undefined
  if (!monitor) throw new DatadogError('garbage', `Datadog answered monitor ${digits} with something that is not a monitor`, { datadogStatus: 200 })
  return monitor
}

function toMonitor(raw: Readonly<Record<string, unknown>>): DatadogMonitor | undefined {
  const id = idOf(raw['id'])
  const query = raw['query']
  if (id === undefined || typeof query !== 'string') return undefined
  const thresholds = Object.entries(objectOf(objectOf(raw['options'])['thresholds']))
    .filter((entry): entry is [string, number] => numberOf(entry[1]) !== undefined)
  return {
    id, query, name: textOf(raw['name']) ?? '', type: textOf(raw['type']) ?? 'unknown', message: textOf(raw['message']) ?? '',
    tags: textsOf(raw['tags']), state: textOf(raw['overall_state']) ?? 'unknown', thresholds: Object.fromEntries(thresholds),
    priority: numberOf(raw['priority']) ?? null,
    ...defined({ createdAt: timeOf(raw['created_at']) ?? timeOf(raw['created']) })
  }
}
