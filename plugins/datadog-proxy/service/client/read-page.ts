import { isoTime } from '../../../../core/index.ts'
import { DatadogError, type Asked } from '../../contract.ts'
import type { DatadogPage, PageRequest } from './account.ts'
import type { Page } from './collect-pages.ts'
import { readMonitors } from './find-monitors.ts'
import { readMonitor } from './get-monitor.ts'
import { readDowntimes } from './list-downtimes.ts'
import { readHosts } from './list-hosts.ts'
import type { Sdk } from './load-sdk.ts'
import type { LogTiers } from './log-tiers.ts'
import { defined, isObject } from './read-json.ts'
import { readEvents } from './search-events.ts'
import { readLogs } from './search-logs.ts'
import { askedOf } from './search-stream.ts'
import type { Call } from './send-request.ts'
import { readServices } from './service-catalog.ts'

const mostRows = 1000

/** One page of Datadog's own objects, after the same checks as the typed calls: what is no list is `garbage`. */
export async function readPage(
  call: Call,
  sdk: Sdk,
  tiers: LogTiers,
  request: PageRequest
): Promise<DatadogPage> {
  if (request.of === 'monitor')
    return answered(
      { items: [await readMonitor(call, sdk, request.id)], next: undefined, total: 1 },
      { query: `monitor ${request.id}`, limit: 1 }
    )
  const { limit } = request
  if (!Number.isInteger(limit) || limit < 1 || limit > mostRows)
    throw new DatadogError('invalid', `limit must be a whole number from 1 to ${mostRows}`)
  switch (request.of) {
    case 'downtimes':
      return answered(
        await readDowntimes(call, sdk, {
          currentOnly: request.currentOnly ?? false,
          offset: request.offset,
          limit
        }),
        { query: request.currentOnly ? 'downtimes that are active now' : 'all downtimes', limit }
      )
    case 'hosts':
      return answered(await readHosts(call, sdk, { ...request, filter: request.filter ?? '' }), {
        query: request.filter ?? '',
        limit,
        ...(request.from === undefined ? {} : { from: isoTime(request.from) })
      })
    case 'monitors':
      return answered(await readMonitors(call, sdk, { ...request, query: request.query ?? '' }), {
        query: request.query ?? '',
        limit
      })
    case 'services':
      return answered(await readServices(call, sdk, request), {
        query: 'all service definitions',
        limit
      })
    case 'events':
      return answered(await readEvents(call, sdk, request, request.cursor), askedOf(request))
    case 'logs': {
      const { tier, ...page } = await readLogs(call, sdk, tiers, request, request.cursor)
      return answered(page, { ...askedOf(request), tier })
    }
  }
}

function answered({ items, next, total, warnings = [] }: Page, asked: Asked): DatadogPage {
  const objects = items.filter(isObject)
  if (items.length > 0 && objects.length === 0)
    throw new DatadogError('garbage', `Datadog answered ${items.length} rows and none is an object`)
  const lost =
    objects.length < items.length
      ? [`${items.length - objects.length} rows that are no objects were left out`]
      : []
  return { items: objects, warnings: [...warnings, ...lost], asked, ...defined({ next, total }) }
}
