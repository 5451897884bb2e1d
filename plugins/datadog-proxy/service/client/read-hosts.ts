import { toSeconds, type EpochMs } from '../../../../core/index.ts'
import { DatadogError } from '../../contract.ts'
import type { Sdk } from './load-sdk.ts'
import { isObject, numberOf, textsOf } from './read-json.ts'
import { pathPart } from './path-part.ts'
import { needs, type Call } from './send-request.ts'

/** How many hosts are up and active, in the last two hours or since `from`. */
export async function hostTotals(
  call: Call,
  sdk: Sdk,
  { from }: { from?: EpochMs }
): Promise<{ up: number; active: number }> {
  const answer = await call.read(needs('hosts_read'), async () =>
    (await sdk.v1()).hosts.getHostTotals(from === undefined ? undefined : toSeconds(from))
  )
  const [up, active] = isObject(answer)
    ? [numberOf(answer['total_up']), numberOf(answer['total_active'])]
    : []
  if (up === undefined || active === undefined)
    throw new DatadogError('garbage', 'Datadog answered the host totals without numbers', {
      datadogStatus: 200
    })
  return { up, active }
}

/** The distinct tags of one host; a host Datadog does not know may have none or be `not_found`. */
export async function hostTags(call: Call, sdk: Sdk, host: string): Promise<readonly string[]> {
  const name = pathPart(host, 'the name of a host')
  const answer = await call.read(needs('hosts_read'), async () =>
    (await sdk.v1()).tags.getHostTags(name)
  )
  if (!isObject(answer) || !Array.isArray(answer['tags']))
    throw new DatadogError('garbage', 'Datadog answered the tags of a host without a list', {
      datadogStatus: 200
    })
  return textsOf(answer['tags'])
}

/** Tags by host, from Datadog's map of hosts by tag: one request instead of one a host. */
export async function allHostTags(
  call: Call,
  sdk: Sdk
): Promise<ReadonlyMap<string, readonly string[]>> {
  const answer = await call.read(needs('hosts_read'), async () =>
    (await sdk.v1()).tags.listHostTags()
  )
  if (!isObject(answer) || !isObject(answer['tags']))
    throw new DatadogError('garbage', 'Datadog answered the tags of all hosts without a map', {
      datadogStatus: 200
    })
  const byHost = new Map<string, string[]>()
  for (const [tag, hosts] of Object.entries(answer['tags'])) {
    for (const host of textsOf(hosts)) {
      const tags = byHost.get(host)
      if (tags) tags.push(tag)
      else byHost.set(host, [tag])
    }
  }
  return byHost
}
