import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRouter } from '../routes/route.ts'
import { routes } from '../routes/all-routes.ts'
import { NOW } from './client.ts'

/** One recorded request of the Datadog API and its answer; times in epoch ms. */
export interface Recorded {
  readonly file: string
  readonly recordedAt: number
  readonly op: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query?: Readonly<Record<string, string>>
    readonly body?: unknown
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: unknown
  }
}

/** The recordings of a folder, of operations that the simulator serves. */
export function recordingsIn(folder: string): Recorded[] {
  const find = createRouter(routes)
  return readdirSync(folder)
    .filter(file => file.endsWith('.json') && file !== 'index.json')
    .flatMap(file => {
      const { interactions, recorded_at } = JSON.parse(
        readFileSync(join(folder, file), 'utf8')
      ) as { interactions: Recorded[]; recorded_at: string }
      return interactions
        .map(one => ({ ...one, file, recordedAt: Date.parse(recorded_at) }))
        .filter(one => find(one.request.method, one.request.path)?.route.op === one.op)
    })
}

export type Ids = Map<string, string>
/** Remembers which id of ours stands for a recorded one, wherever both answers have an id. */
export function learn(recorded: unknown, ours: unknown, ids: Ids): void {
  if (
    typeof recorded !== 'object' ||
    typeof ours !== 'object' ||
    recorded === null ||
    ours === null
  )
    return
  for (const [key, value] of Object.entries(recorded)) {
    const own = (ours as Record<string, unknown>)[key]
    if (
      /^(?:id|uuid|deleted_monitor_id)$/.test(key) &&
      ['string', 'number'].includes(typeof value) &&
      own !== undefined &&
      own !== null
    )
      ids.set(String(value), String(own))
    learn(value, own, ids)
  }
}

/** Recorded times near the recording become times near now; ids become ours. */
function translated(text: string, one: Recorded, ids: Ids): string {
  const shift = NOW - one.recordedAt
  const moved = text.replace(/(?<![\w-])1\d{9}(\d{3})?(?!\w)/g, digits => {
    const at = digits.length === 13 ? Number(digits) : Number(digits) * 1000
    return Math.abs(at - one.recordedAt) < 40 * 86_400_000
      ? String(digits.length === 13 ? at + shift : Math.floor((at + shift) / 1000))
      : digits
  })
  // A short id is also a part of longer numbers and words.
  return moved.replace(/(?<![\w%-])[\w-]+/g, word => ids.get(word) ?? word)
}

/** Things of the simulator that stand for what was there before a recording began. */
export interface Existing {
  readonly location: string
  readonly monitor: number
  readonly notebook: number
  readonly event: string
}
/** What was there before the recording began, as something that is there here. */
const standIns = (ids: Existing): readonly (readonly [RegExp, string])[] => [
  [/^(\/api\/v[12]\/monitor\/)\d+/, `$1${ids.monitor}`],
  [/^(\/api\/v1\/notebooks\/)\d+$/, `$1${ids.notebook}`],
  [/^(\/api\/v1\/events\/)\d+$/, `$1${ids.event}`],
  [/^(\/api\/v1\/tags\/hosts\/).*/, '$1app-01'],
  [/^(\/api\/v1\/synthetics\/private-locations\/).*/, `$1${encodeURIComponent(ids.location)}`],
  [/^(\/api\/v2\/services\/definitions\/)service-definition-test$/, '$1checkout-api']
]

/** The recorded request with names and times that exist here. */
export function adapted(
  one: Recorded,
  ids: Ids,
  existing: Existing
): { path: string; body: unknown } {
  const query = new URLSearchParams(
    translated(new URLSearchParams(Object.entries(one.request.query ?? {})).toString(), one, ids)
  )
  const body = JSON.parse(
    translated(JSON.stringify(one.request.body ?? null), one, ids)
  ) as SearchBody | null
  const found = one.response.status < 300
  let path = translated(one.request.path, one, ids)
  if (found && path === one.request.path)
    for (const [pattern, stand] of standIns(existing)) path = path.replace(pattern, stand)
  if (one.op === 'v1.MetricsApi.queryMetrics') {
    query.set('from', String(NOW / 1000 - 86_400))
    query.set('to', String(NOW / 1000))
  }
  if (found) adaptSearch(one, query, body)
  return { path: `${path}${query.size ? `?${query}` : ''}`, body: body ?? undefined }
}

/** The parts of a recorded body that name what only the recorded organisation has. */
interface SearchBody {
  filter?: Record<string, unknown>
  page?: { cursor?: unknown }
  queries?: { data_source?: unknown; query?: unknown }[]
  data?: { attributes?: SearchBody }
}

/** Cursors are not portable, and queries name what only the recorded organisation has. */
function adaptSearch(one: Recorded, query: URLSearchParams, body: SearchBody | null): void {
  const { data } = (one.response.body ?? {}) as { data?: unknown }
  const isEmpty = Array.isArray(data) && data.length === 0
  query.delete('page[cursor]')
  for (const [op, name, value] of queriesOf(isEmpty))
    if (op === one.op) {
      if (value === null) query.delete(name)
      else query.set(name, value)
    }
  const search = body?.data?.attributes ?? body
  if (!search) return
  delete search.page?.cursor
  if (one.op === 'v2.EventsApi.searchEvents') search.filter = { ...search.filter, from: 'now-2h' }
  if (one.op === 'v2.SpansApi.listSpans')
    search.filter = { ...search.filter, query: isEmpty ? 'service:none' : '' }
  if (one.op.startsWith('v2.MetricsApi.query'))
    for (const asked of search.queries ?? [])
      if (asked.data_source === 'metrics') asked.query = 'avg:system.cpu.user{*}'
}

/** Parameters of the query that are set, or with null left out, by operation. */
const queriesOf = (isEmpty: boolean): readonly (readonly [string, string, string | null])[] => [
  ['v2.SpansApi.listSpansGet', 'filter[query]', isEmpty ? 'service:none' : '@http.status_code:200'],
  ['v1.ServiceLevelObjectivesApi.searchSLO', 'query', 'checkout'],
  ['v2.UsersApi.listUsers', 'filter', null],
  ['v1.EventsApi.listEvents', 'priority', null],
  ['v1.EventsApi.listEvents', 'sources', null],
  ['v1.EventsApi.listEvents', 'start', String(NOW / 1000 - 86_400)]
]
