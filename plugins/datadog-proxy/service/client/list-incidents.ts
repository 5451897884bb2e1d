import type { DatadogIncident, DatadogRows } from '../../contract.ts'
import { collectPages, offsetPage, type Page } from './collect-pages.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, idOf, numberOf, objectOf, textOf, textsOf, timeOf } from './read-json.ts'
import { needs, type Call } from './send-request.ts'

const largestPage = 100

/** Incidents of an incident search, newest first as Datadog sorts them. */
export async function listIncidents(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { query, limit }: { query: string; limit: number }
): Promise<DatadogRows<DatadogIncident>> {
  const readPage = async (cursor: string | undefined, size: number): Promise<Page> => {
    const offset = Number(cursor ?? 0)
    // The client has this operation switched off as unstable.
    const answer = await call.read(needs('incident_read'), () =>
      sdk.get('/api/v2/incidents/search', {
        query,
        sort: '-created',
        'page[size]': String(size),
        'page[offset]': String(offset)
      })
    )
    const found = objectOf(objectOf(objectOf(answer)['data'])['attributes'])
    const place = { offset, size, total: numberOf(found['total']) }
    return offsetPage(found['incidents'], 'an incident search', place)
  }
  const collected = await collectPages({
    limit,
    pageSize: Math.min(pageSize, largestPage),
    readPage,
    toRow: toIncident,
    key: incident => incident.id
  })
  return { ...collected, asked: { query, limit } }
}

function toIncident(item: unknown): DatadogIncident | undefined {
  const raw = objectOf(objectOf(item)['data'])
  const attributes = objectOf(raw['attributes'])
  const id = idOf(raw['id'])
  const createdAt = timeOf(attributes['created'])
  if (id === undefined || createdAt === undefined) return undefined
  const field = (name: string): unknown => objectOf(objectOf(attributes['fields'])[name])['value']
  return {
    id,
    createdAt,
    number: idOf(attributes['public_id']) ?? id,
    title: textOf(attributes['title']) ?? '',
    state: textOf(attributes['state']) ?? textOf(field('state')) ?? 'unknown',
    severity: textOf(attributes['severity']) ?? textOf(field('severity')) ?? 'unknown',
    services: textsOf(field('services')),
    ...defined({
      rootCause: textOf(field('root_cause')),
      resolvedAt: timeOf(attributes['resolved'])
    })
  }
}
