import { DatadogError, type DatadogMonitor } from '../../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { decimalId } from './path-part.ts'
import {
  defined,
  idOf,
  isObject,
  numberOf,
  objectOf,
  textOf,
  textsOf,
  timeOf
} from './read-json.ts'
import { needs, type Call } from './send-request.ts'

/** One monitor by its decimal id; `invalid` for anything else, `not_found` when it was deleted. */
export async function getMonitor(call: Call, sdk: Sdk, id: string): Promise<DatadogMonitor> {
  const monitor = toMonitor(await readMonitor(call, sdk, id))
  if (!monitor) throw notMonitor(id)
  return monitor
}

/** One monitor as Datadog describes it. */
export async function readMonitor(
  call: Call,
  sdk: Sdk,
  id: string
): Promise<Readonly<Record<string, unknown>>> {
  const digits = decimalId(id, 'a monitor id')
  const answer = await call.read(needs('monitors_read'), async () =>
    (await sdk.v1()).monitors.getMonitor(digits)
  )
  if (!isObject(answer) || idOf(answer['id']) === undefined) throw notMonitor(id)
  return answer
}

const notMonitor = (id: string): DatadogError =>
  new DatadogError(
    'garbage',
    `Datadog answered monitor ${id} with something that is not a monitor`,
    { datadogStatus: 200 }
  )

/** The typed form of a monitor, undefined without an id and a query. */
export function toMonitor(raw: Readonly<Record<string, unknown>>): DatadogMonitor | undefined {
  const id = idOf(raw['id'])
  const query = raw['query']
  if (id === undefined || typeof query !== 'string') return undefined
  const thresholds = Object.entries(objectOf(objectOf(raw['options'])['thresholds'])).filter(
    (entry): entry is [string, number] => numberOf(entry[1]) !== undefined
  )
  return {
    id,
    query,
    name: textOf(raw['name']) ?? '',
    type: textOf(raw['type']) ?? 'unknown',
    message: textOf(raw['message']) ?? '',
    tags: textsOf(raw['tags']),
    state: textOf(raw['overall_state']) ?? 'unknown',
    thresholds: Object.fromEntries(thresholds),
    priority: numberOf(raw['priority']) ?? null,
    ...defined({ createdAt: timeOf(raw['created_at']) ?? timeOf(raw['created']) })
  }
}
