import { nowMs } from '../../../../core/index.ts'
import { DatadogError, type DatadogDowntime, type DowntimeDraft } from '../../contract.ts'
import { listDowntimes, toDowntime } from './list-downtimes.ts'
import type { Sdk } from './load-sdk.ts'
import { isObject } from './read-json.ts'
import { needs, type Call } from './send-request.ts'

const mostDowntimes = 1000

/** Mutes, sent once. With a key it looks for a live downtime that carries the key first, so it may be repeated. */
export async function createDowntime(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  draft: DowntimeDraft
): Promise<DatadogDowntime> {
  const attributes = attributesOf(draft)
  const existing =
    draft.key === undefined ? undefined : await findByKey(call, sdk, pageSize, draft.key)
  if (existing) return existing
  const answer = await call.write(needs('monitors_downtime'), async () =>
    (await sdk.v2()).downtimes.createDowntime({ data: { type: 'downtime', attributes } })
  )
  const created = isObject(answer) ? toDowntime(answer['data']) : undefined
  if (!created)
    throw new DatadogError(
      'garbage',
      'Datadog answered the new downtime without its id, so it may exist',
      { datadogStatus: 200 }
    )
  return created
}

/** Ends a downtime; one that Datadog does not know (any more) is ended already. */
export async function cancelDowntime(call: Call, sdk: Sdk, id: string): Promise<void> {
  if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id))
    throw new DatadogError(
      'invalid',
      `a downtime id is a UUID, not ${JSON.stringify(id.slice(0, 40))}`
    )
  try {
    await call.write(needs('monitors_downtime'), async () =>
      (await sdk.v2()).downtimes.cancelDowntime(id)
    )
  } catch (error) {
    if (!(error instanceof DatadogError && error.failure === 'not_found')) throw error
  }
}

const marker = (key: string): string => `[rayne:${key}]`

async function findByKey(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  key: string
): Promise<DatadogDowntime | undefined> {
  const { rows, truncated } = await listDowntimes(call, sdk, pageSize, { limit: mostDowntimes })
  const found = rows.find(
    row => row.message.includes(marker(key)) && ['active', 'scheduled'].includes(row.status)
  )
  if (!found && truncated)
    throw new DatadogError(
      'invalid',
      `there are more than ${mostDowntimes} downtimes, so it is unknown whether ${marker(key)} exists`
    )
  return found
}

function attributesOf(draft: DowntimeDraft) {
  const { monitor, from, to, message = '', key } = draft
  if (to !== null && to <= (from ?? nowMs()))
    throw new DatadogError('invalid', 'a downtime must end after it begins')
  if ('tags' in monitor && monitor.tags.length === 0)
    throw new DatadogError(
      'invalid',
      'name the monitor of a downtime by its id, or by one tag or more'
    )
  if ('id' in monitor && !/^\d{1,15}$/.test(monitor.id))
    throw new DatadogError(
      'invalid',
      `a monitor id is digits, not ${JSON.stringify(monitor.id.slice(0, 40))}`
    )
  const said = [message, key === undefined ? '' : marker(key)].filter(Boolean).join(' ')
  const schedule = {
    ...(from === undefined ? {} : { start: new Date(from) }),
    ...(to === null ? {} : { end: new Date(to) })
  }
  return {
    scope: readScope(draft),
    monitorIdentifier:
      'id' in monitor ? { monitorId: Number(monitor.id) } : { monitorTags: [...monitor.tags] },
    ...(said === '' ? {} : { message: said }),
    ...(from === undefined && to === null ? {} : { schedule })
  }
}

/** A scope as the v2 API reads it: v1 joined terms with commas, v2 refuses that. */
export function readScope({
  scope,
  everything
}: Pick<DowntimeDraft, 'scope' | 'everything'>): string {
  const text = scope.trim()
  if (text === '' || text === '*') {
    if (everything) return '*'
    throw new DatadogError(
      'invalid',
      'this scope mutes everything the monitor watches: name key:value terms, or confirm with everything: true'
    )
  }
  const terms = splitOutside(text)
  const wrong = terms.find(
    term => !/[^\s:]:\S|\sIN\s*\(/i.test(term) || /^[-!]?\*(?::\*)?$/.test(term)
  )
  if (wrong !== undefined)
    throw new DatadogError(
      'invalid',
      `each term of a scope is key:value, ${JSON.stringify(wrong.slice(0, 60))} is not`
    )
  return terms.join(' AND ')
}

/** Splits at commas, not at those in quotes or brackets. */
function splitOutside(text: string): string[] {
  const terms: string[] = ['']
  let quoted = false
  let depth = 0
  for (const character of text) {
    if (character === '"') quoted = !quoted
    if (!quoted) depth += character === '(' ? 1 : character === ')' ? -1 : 0
    if (character === ',' && !quoted && depth <= 0) terms.push('')
    else terms[terms.length - 1] += character
  }
  return terms.map(term => term.trim())
}
