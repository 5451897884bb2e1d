import { hash, hex } from '../world/random.ts'
import type { Call, Reply } from './route.ts'
import { writeCursor, type RawSearch, type SearchRequest } from '../search/request.ts'

/** `meta` of a v2 search or aggregation. */
export const requestMeta = (
  seed: number
): { elapsed: number; request_id: string; status: string } => ({
  elapsed: seed % 40,
  request_id: `pddv1Ch${hex(seed, 56)}`,
  status: 'done'
})

/** One page of a v2 search: rows as JSON text, cursor and link when the page is full. */
export function answer(
  call: Call,
  raw: RawSearch,
  request: SearchRequest,
  rows: readonly { at: number; id: string }[],
  data: readonly string[],
  withMeta: boolean
): Reply {
  const last = rows.length === request.limit ? rows.at(-1) : undefined
  const after = last && writeCursor({ at: last.at, id: last.id }, request.cursorKey)
  const meta = {
    ...requestMeta(hash(call.account.world.seed, request.from, request.to, JSON.stringify(raw))),
    ...(after === undefined ? {} : { page: { after } })
  }
  const rest = withMeta
    ? {
        meta,
        ...(after === undefined ? {} : { links: { next: nextLink(call, raw, request, after) } })
      }
    : {}
  const tail = JSON.stringify(rest).slice(1)
  return { status: 200, text: `{"data":[${data.join(',')}]${tail === '}' ? '' : ','}${tail}` }
}

function nextLink(call: Call, raw: RawSearch, request: SearchRequest, after: string): string {
  const given: readonly (readonly [string, unknown])[] = [
    ['filter[query]', raw.query],
    ['filter[from]', raw.from],
    ['filter[to]', raw.to],
    ['page[cursor]', after],
    ['page[limit]', request.limit],
    ['sort', raw.sort]
  ]
  const query = new URLSearchParams(
    given.flatMap(([key, value]): [string, string][] =>
      value === undefined ? [] : [[key, String(value as string)]]
    )
  )
  return `https://api.${call.account.spec.site}${call.url}?${query}`
}
