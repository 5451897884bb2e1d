import { toSeconds } from '../../../../core/index.ts'
import {
  DatadogError,
  type DatadogRows,
  type DatadogSlo,
  type SloHistory,
  type TimeWindow
} from '../../contract.ts'
import { collectPages, offsetPage, type Page } from './collect-pages.ts'
import type { Sdk } from './load-sdk.ts'
import {
  defined,
  idOf,
  isObject,
  listOf,
  numberOf,
  objectOf,
  textOf,
  textsOf
} from './read-json.ts'
import { pathPart } from './path-part.ts'
import { needs, type Call } from './send-request.ts'

const largestPage = 1000

/** Objectives whose name or tags have the words. */
export async function listSlos(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { query, limit }: { query: string; limit: number }
): Promise<DatadogRows<DatadogSlo>> {
  const readPage = async (cursor: string | undefined, size: number): Promise<Page> => {
    const offset = Number(cursor ?? 0)
    const answer = await call.read(needs('slos_read'), () =>
      sdk.get('/api/v1/slo', {
        ...(query === '' ? {} : { query }),
        limit: String(size),
        offset: String(offset)
      })
    )
    const { data, metadata } = objectOf(answer)
    const page = objectOf(objectOf(metadata)['page'])
    const total = numberOf(page['total_filtered_count']) ?? numberOf(page['total_count'])
    return offsetPage(data, 'the objectives', { offset, size, total })
  }
  const collected = await collectPages({
    limit,
    pageSize: Math.min(pageSize, largestPage),
    readPage,
    toRow: toSlo,
    key: slo => slo.id
  })
  return { ...collected, asked: { query, limit } }
}

/** How an objective did over a window; Datadog says why when it cannot tell. */
export async function sloHistory(
  call: Call,
  sdk: Sdk,
  { id, window }: { id: string; window: TimeWindow }
): Promise<SloHistory> {
  const name = encodeURIComponent(pathPart(id, 'the id of an objective'))
  const answer = await call.read(needs('slos_read'), () =>
    sdk.get(`/api/v1/slo/${name}/history`, {
      from_ts: String(toSeconds(window.from)),
      to_ts: String(toSeconds(window.to))
    })
  )
  const overall = objectOf(objectOf(answer)['data'])['overall']
  if (!isObject(overall))
    throw new DatadogError('garbage', 'Datadog answered the history of an objective without it', {
      datadogStatus: 200
    })
  return {
    value: numberOf(overall['sli_value']) ?? null,
    state: textOf(overall['state']) ?? 'unknown',
    errors: listOf(overall['errors']).map(
      error => textOf(objectOf(error)['error_message']) ?? 'an error without words'
    )
  }
}

function toSlo(item: unknown): DatadogSlo | undefined {
  const raw = objectOf(item)
  const id = idOf(raw['id'])
  if (id === undefined) return undefined
  const { numerator, denominator } = objectOf(raw['query'])
  const targets = listOf(raw['thresholds'])
    .map(objectOf)
    .flatMap(({ timeframe, target }) =>
      typeof timeframe === 'string' && typeof target === 'number' ? [{ timeframe, target }] : []
    )
  return {
    id,
    targets,
    name: textOf(raw['name']) ?? '',
    type: textOf(raw['type']) ?? 'unknown',
    tags: textsOf(raw['tags']),
    monitorIds: listOf(raw['monitor_ids']).flatMap(each => idOf(each) ?? []),
    ...defined({
      query:
        typeof numerator === 'string' && typeof denominator === 'string'
          ? `${numerator} / ${denominator}`
          : undefined
    })
  }
}
