import type { DatadogLog, DatadogRows } from '../../contract.ts'
import type { LogTier } from './account.ts'
import type { Page } from './collect-pages.ts'
import type { Sdk } from './load-sdk.ts'
import { beyondRetention, inTiers, type LogTiers } from './log-tiers.ts'
import { defined, idOf, objectOf, tagOf, textOf, textsOf, timeOf } from './read-json.ts'
import { readStream, searchStream, type SearchBody, type StreamSearch } from './search-stream.ts'
import { needs, type Call } from './send-request.ts'

interface LogSearch extends StreamSearch {
  readonly sort?: 'oldest' | 'newest'
  readonly indexes?: readonly string[]
  readonly tier?: LogTier
}

/** Log lines of a window, newest first unless asked otherwise; one page costs one of about 300 searches an hour. */
export async function searchLogs(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  tiers: LogTiers,
  search: LogSearch
): Promise<DatadogRows<DatadogLog>> {
  const read = (tier: LogTier): Promise<DatadogRows<DatadogLog>> =>
    searchStream(search, pageSize, sender(call, sdk, search, tier), toLog)
  const { found, tier, warnings } = await inTiers(
    tiers,
    search.tier ? [search.tier] : tiers.order(search.window),
    read,
    rows => rows.rows.length === 0
  )
  return {
    ...found,
    warnings: [...found.warnings, ...warnings, ...beyondRetention(search.window, tier)],
    asked: { ...found.asked, tier }
  }
}

/** One page of log lines; a page after the first stays in its tier. */
export async function readLogs(
  call: Call,
  sdk: Sdk,
  tiers: LogTiers,
  search: LogSearch,
  cursor: string | undefined
): Promise<Page & { tier: string }> {
  const order: readonly LogTier[] = search.tier
    ? [search.tier]
    : cursor === undefined
      ? tiers.order(search.window)
      : ['indexes']
  const { found, tier, warnings } = await inTiers(
    tiers,
    order,
    one => readStream(search, cursor, sender(call, sdk, search, one)),
    page => page.items.length === 0
  )
  return {
    ...found,
    tier,
    warnings: [...(found.warnings ?? []), ...warnings, ...beyondRetention(search.window, tier)]
  }
}

const sender =
  (call: Call, sdk: Sdk, { sort, indexes }: LogSearch, tier: LogTier) =>
  (body: SearchBody): Promise<unknown> => {
    const filter = {
      ...body.filter,
      ...(indexes === undefined ? {} : { indexes: [...indexes] }),
      ...(tier === 'indexes' ? {} : { storageTier: tier })
    }
    return call.read(needs('logs_read_data'), async () =>
      (await sdk.v2()).logs.listLogs({
        ...body,
        filter,
        sort: sort === 'oldest' ? 'timestamp' : '-timestamp'
      })
    )
  }

function toLog(item: unknown): DatadogLog | undefined {
  const raw = objectOf(item)
  const outer = objectOf(raw['attributes'])
  const attributes = objectOf(outer['attributes'])
  const id = idOf(raw['id'])
  const at = timeOf(outer['timestamp'])
  if (id === undefined || at === undefined) return undefined
  const tags = textsOf(outer['tags'])
  return {
    id,
    at,
    tags,
    attributes,
    status: textOf(outer['status']) ?? 'unknown',
    message: textOf(outer['message']) ?? '',
    // About a tenth of real lines lack the field although a tag or attribute names the service.
    ...defined({
      host: textOf(outer['host']) ?? tagOf(tags, 'host'),
      service: textOf(outer['service']) ?? textOf(attributes['service']) ?? tagOf(tags, 'service')
    })
  }
}
