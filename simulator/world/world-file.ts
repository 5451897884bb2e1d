import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { DatadogSnapshot, SnapshotCall } from '../../plugins/rca/service/snapshot.ts'
import { ApiError, refuse } from '../routes/api-error.ts'
import { ok, type Call, type Reply } from '../routes/route.ts'
import type { ScenarioFile } from '../scenarios/load-scenario.ts'
import { matches, readPath, tagValues, type Searchable } from '../search/match.ts'
import { parseSearch, wordsOf } from '../search/query.ts'
import { isAfter, rawFromBody, readSearch, writeCursor } from '../search/request.ts'

/** A recorded world as the simulator serves it. */
export interface RecordedWorld {
  /** The account and nothing else: everything it is asked about comes from the file. */
  readonly scenario: ScenarioFile
  /** When the recorded alert happened, epoch ms. */
  readonly t0: number
  /** The body of the recorded webhook. */
  readonly webhook: string
  /** The recorded answer to an operation, or undefined when the file has none for it. */
  answer(op: string, call: Call): Reply | undefined
}

type Of<K extends SnapshotCall['call']> = Extract<SnapshotCall, { call: K }>
type Rows<K extends SnapshotCall['call']> = Of<K>['rows'][number]
let validate: ValidateFunction | undefined

/** Loads a file of `rayne record`, or what was in it; a bad field is named in the error. */
export function loadWorld(source: string | DatadogSnapshot): RecordedWorld {
  const snapshot =
    typeof source === 'string'
      ? checked(JSON.parse(readFileSync(source, 'utf8')), source)
      : checked(source, 'the recorded world')
  const at = Number(snapshot.alert['date'])
  const { name, site } = snapshot.account
  const known = name.replace(/[^\w-]+/g, '-')
  return {
    scenario: {
      id: 'recorded',
      title: `Recorded ${snapshot.recorded_at}`,
      accounts: [
        {
          name: known,
          site: site === 'simulated' ? 'datadoghq.com' : site,
          orgId: 1,
          orgName: name,
          incident: true
        }
      ]
    },
    t0: Number.isFinite(at) && at > 0 ? at : Date.parse(snapshot.window.to),
    webhook: JSON.stringify(snapshot.alert),
    answer: createAnswers(snapshot.calls)
  }
}

function checked(value: unknown, name: string): DatadogSnapshot {
  validate ??= new Ajv2020({
    strict: true,
    strictRequired: false,
    strictTypes: false,
    allowUnionTypes: true
  }).compile(
    JSON.parse(readFileSync(new URL('world-file.schema.json', import.meta.url), 'utf8')) as object
  )
  if (validate(value)) return value as unknown as DatadogSnapshot
  const [first] = validate.errors ?? []
  throw new Error(
    `'${name}' is no recorded world: ${first?.instancePath ?? ''} ${first?.message ?? 'is not valid'}`
  )
}

function createAnswers(calls: readonly SnapshotCall[]): RecordedWorld['answer'] {
  const of = <K extends SnapshotCall['call']>(kind: K): Of<K>[] =>
    calls.filter((one): one is Of<K> => one.call === kind)
  const known: Readonly<Record<string, (call: Call) => Reply>> = {
    'v1.MonitorsApi.getMonitor': call =>
      ok(
        monitorJson(
          monitorIn(
            chosen<Rows<'monitor'>, Of<'monitor'>>(
              of('monitor'),
              one => one.input.id === call.params['id']
            )
          )
        )
      ),
    'v1.MonitorsApi.listMonitors': () =>
      ok(of('monitor').flatMap(one => one.rows.map(monitorJson))),
    'v1.MetricsApi.queryMetrics': call => metrics(call, of('metric')),
    'v1.HostsApi.listHosts': call => hosts(call, of('hosts')),
    'v2.EventsApi.searchEvents': call => search(call, of('events'), eventItem, eventJson),
    'v2.LogsApi.listLogs': call => search(call, of('logs'), logItem, logJson)
  }
  return (op, call) => known[op]?.(call)
}

interface Asked<R> extends Pick<SnapshotCall, 'failure' | 'truncated'> {
  readonly rows: readonly R[]
}

const plain = (text: unknown): string =>
  String(text ?? '')
    .replace(/\s+/g, ' ')
    .trim()

/** The call that was asked the same, its failure thrown as Datadog's; otherwise the rows of all calls, for the caller to search in. */
function chosen<R, T extends Asked<R>>(
  calls: readonly T[],
  isSame: (call: T) => boolean
): { exact: boolean; truncated: boolean; rows: readonly R[] } {
  const same = calls.find(isSame)
  if (same?.failure) throw new ApiError(same.failure.status, { errors: [same.failure.message] })
  if (same) return { exact: true, truncated: same.truncated ?? false, rows: same.rows }
  return { exact: false, truncated: false, rows: calls.flatMap(call => call.rows) }
}

function monitorIn({
  exact,
  rows
}: {
  exact: boolean
  rows: readonly Rows<'monitor'>[]
}): Rows<'monitor'> {
  const [row] = exact ? rows : []
  if (row === undefined) throw refuse(404, 'Monitor not found')
  return row
}

interface Timed {
  readonly id: string
  readonly at: number
}

function search<T extends Timed>(
  call: Call,
  calls: readonly (Asked<T> & { readonly input: { readonly query: string } })[],
  item: (row: T) => Searchable,
  json: (row: T) => object
): Reply {
  const raw = rawFromBody(call.body)
  const { exact, truncated, rows } = chosen<T, (typeof calls)[number]>(
    calls,
    one => plain(one.input.query) === plain(raw.query)
  )
  // A question that was recorded is not parsed: the real grammar is larger than the simulator's.
  const request = readSearch(exact ? { ...raw, query: '*' } : raw, call.now, call.cursorKey)
  const node = exact ? parseSearch('*') : request.query
  const found = [...new Map(rows.map(row => [row.id, row])).values()]
    .filter(
      row =>
        row.at >= request.from &&
        row.at <= request.to &&
        isAfter(row, request.after, request.descending) &&
        matches(node, item(row)) === true
    )
    .toSorted((a, b) => (a.at - b.at || (a.id < b.id ? -1 : 1)) * (request.descending ? -1 : 1))
  const page = found.slice(0, request.limit)
  const last = page.at(-1)
  const isPartial = truncated && found.length <= request.limit
  const after =
    last && page.length === request.limit
      ? { page: { after: writeCursor(last, request.cursorKey) } }
      : {}
  return ok({
    data: page.map(json),
    meta: {
      elapsed: 1,
      request_id: 'recorded',
      status: 'done',
      ...after,
      ...(isPartial
        ? {
            warnings: [
              {
                code: 'recorded',
                title: 'The recording ends here',
                detail: 'Datadog had more rows than were recorded'
              }
            ]
          }
        : {})
    }
  })
}

function metrics(call: Call, calls: readonly Of<'metric'>[]): Reply {
  const query = call.query.get('query')
  const [from, to] = [Number(call.query.get('from')) * 1000, Number(call.query.get('to')) * 1000]
  const { exact, rows } = chosen<Rows<'metric'>, Of<'metric'>>(
    calls,
    one => plain(one.input.query) === plain(query)
  )
  return ok({
    status: 'ok',
    resp_version: 1,
    res_type: 'time_series',
    from_date: from,
    to_date: to,
    query,
    message: '',
    group_by: [],
    times: [],
    values: [],
    series: (exact ? rows : []).map((row, index) => seriesJson(row, index, from, to))
  })
}

function seriesJson(row: Rows<'metric'>, index: number, from: number, to: number): object {
  const points = row.points.filter(point => point.at >= from && point.at <= to)
  const step = row.intervalSeconds * 1000
  return {
    metric: row.metric,
    display_name: row.metric,
    expression: row.metric,
    scope: row.scope,
    tag_set: row.scope === '*' ? [] : row.scope.split(','),
    interval: row.intervalSeconds,
    length: points.length,
    query_index: index,
    aggr: null,
    attributes: {},
    unit: [null, null],
    start: points[0]?.at ?? from,
    end: (points.at(-1)?.at ?? from) + step - 1000,
    pointlist: points.map(point => [point.at, point.value])
  }
}

function hosts(call: Call, calls: readonly Of<'hosts'>[]): Reply {
  const filter = call.query.get('filter') ?? ''
  const { exact, rows } = chosen<Rows<'hosts'>, Of<'hosts'>>(
    calls,
    one => one.input.filter === filter
  )
  const found = [...new Map(rows.map(row => [row.name, row])).values()].filter(
    row => exact || row.name.includes(filter) || row.tags.some(tag => tag.includes(filter))
  )
  const start = Number(call.query.get('start') ?? 0)
  const page = found.slice(start, start + Number(call.query.get('count') ?? 100))
  return ok({
    total_matching: found.length,
    total_returned: page.length,
    exact_total_matching: true,
    host_list: page.map(hostJson)
  })
}

const hostJson = (row: Rows<'hosts'>): object => ({
  name: row.name,
  host_name: row.name,
  id: 1,
  aliases: [row.name],
  apps: row.apps ?? [],
  sources: row.sources ?? [],
  up: row.up ?? null,
  is_muted: row.muted ?? false,
  mute_timeout: null,
  last_reported_time: row.lastReported ?? null,
  tags_by_source: { Datadog: row.tags ?? [] },
  metrics: row.metrics ?? {}
})

const monitorJson = (row: Rows<'monitor'>): object => ({
  id: Number.isSafeInteger(Number(row.id)) ? Number(row.id) : row.id,
  org_id: 1,
  name: row.name,
  type: row.type,
  query: row.query,
  message: row.message ?? '',
  tags: row.tags,
  overall_state: row.state,
  overall_state_modified: null,
  priority: row.priority ?? null,
  multi: false,
  created_at: row.createdAt ?? 0,
  created: new Date(row.createdAt ?? 0).toISOString(),
  modified: new Date(row.createdAt ?? 0).toISOString(),
  deleted: null,
  restricted_roles: null,
  options: { thresholds: row.thresholds ?? {}, silenced: {}, notify_no_data: false }
})

const eventItem = (row: Rows<'events'>): Searchable => ({
  words: () => wordsOf(`${row.title} ${row.message}`),
  values: key => [
    ...[
      {
        title: row.title,
        message: row.message,
        source: row.source,
        service: row.service,
        host: row.host,
        status: row.status
      }[key] ?? []
    ].flat(),
    ...tagValues(row.tags, key)
  ],
  attribute: () => ({ value: undefined })
})
const eventJson = (row: Rows<'events'>): object => ({
  id: row.id,
  type: 'event',
  attributes: {
    timestamp: new Date(row.at).toISOString(),
    message: row.message,
    tags: row.tags,
    attributes: {
      title: row.title,
      timestamp: row.at,
      status: row.status,
      service: row.service ?? 'undefined',
      hostname: row.host,
      sourcetypename: row.source,
      evt: { id: row.id }
    }
  }
})

const logItem = (row: Rows<'logs'>): Searchable => ({
  words: () => wordsOf(row.message),
  values: key => [
    ...[{ status: row.status, host: row.host, service: row.service }[key] ?? []].flat(),
    ...tagValues(row.tags, key)
  ],
  attribute: path => ({ value: readPath(row.attributes, path) })
})
const logJson = (row: Rows<'logs'>): object => ({
  id: row.id,
  type: 'log',
  attributes: {
    timestamp: new Date(row.at).toISOString(),
    status: row.status,
    host: row.host,
    service: row.service,
    message: row.message,
    tags: row.tags,
    attributes: row.attributes ?? {}
  }
})
