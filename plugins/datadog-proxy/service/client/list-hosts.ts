import { toSeconds, type EpochMs, type EpochSeconds } from '../../../../core/index.ts'
import type { DatadogHost, DatadogRows } from '../../contract.ts'
import { collectPages, offsetPage, type Page } from './collect-pages.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, numberOf, objectOf, textOf, textsOf } from './read-json.ts'
import { needs, type Call } from './send-request.ts'

interface HostsSlice {
  readonly filter: string
  readonly from?: EpochMs
  readonly offset: number
  readonly limit: number
}

/** Hosts seen in the last two hours (Datadog's default) whose name, alias or tag matches the filter; by name. */
export async function listHosts(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { filter, limit }: { filter: string; limit: number }
): Promise<DatadogRows<DatadogHost>> {
  const readPage = async (cursor: string | undefined, size: number): Promise<Page> =>
    readHosts(call, sdk, { filter, offset: Number(cursor ?? 0), limit: size })
  const collected = await collectPages({
    limit,
    pageSize,
    readPage,
    toRow: toHost,
    key: host => host.name
  })
  return { ...collected, asked: { query: filter, limit } }
}

/** A slice of the host list; times are whole seconds on the wire. */
export async function readHosts(
  call: Call,
  sdk: Sdk,
  { filter, from, offset, limit }: HostsSlice
): Promise<Page> {
  const since = from === undefined ? undefined : toSeconds(from)
  return toPage(
    offset,
    limit,
    await call.read(needs('hosts_read'), async () =>
      (await sdk.v1()).hosts.listHosts(
        filter || undefined,
        undefined,
        undefined,
        offset,
        limit,
        since,
        true,
        false
      )
    )
  )
}

// Hosts have no cursor: an offset that drifts while hosts come and go, hence the check by name.
function toPage(start: number, size: number, answer: unknown): Page {
  const { host_list: hosts, total_matching: total } = objectOf(answer)
  return offsetPage(hosts, 'a host list', { offset: start, size, total: numberOf(total) })
}

function toHost(item: unknown): DatadogHost | undefined {
  const raw = objectOf(item)
  const name = textOf(raw['name']) ?? textOf(raw['host_name'])
  if (name === undefined) return undefined
  const { cpu, load, iowait } = objectOf(raw['metrics'])
  const { up, is_muted: muted } = raw
  const aliases = textsOf(raw['aliases'])
  return {
    name,
    apps: textsOf(raw['apps']),
    sources: textsOf(raw['sources']),
    tags: textsOf(Object.values(objectOf(raw['tags_by_source'])).flat()),
    metrics: defined({ cpu: numberOf(cpu), load: numberOf(load), iowait: numberOf(iowait) }),
    ...defined({
      aliases: aliases.length === 0 ? undefined : aliases,
      up: typeof up === 'boolean' ? up : undefined,
      muted: typeof muted === 'boolean' ? muted : undefined,
      lastReported: numberOf(raw['last_reported_time']) as EpochSeconds | undefined
    })
  }
}
