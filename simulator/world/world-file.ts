import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { ApiError, refuse } from '../routes/api-error.ts'
import { ok, type Call, type Reply } from '../routes/route.ts'
import { attributesOf } from '../routes/spans.ts'
import type { ScenarioFile } from '../scenarios/load-scenario.ts'
import { matches, type Searchable } from '../search/match.ts'
import { parseSearch } from '../search/query.ts'
import { isAfter, rawFromBody, readSearch, writeCursor } from '../search/request.ts'
import type {
  EventsCall,
  HostsCall,
  LogsCall,
  MetricCall,
  MonitorCall,
  RecordedCall,
  RecordedCalls,
  SpansCall
} from './recorded-calls.ts'
import {
  eventItem,
  eventJson,
  hostJson,
  logItem,
  logJson,
  monitorJson,
  seriesJson,
  spanItem,
  spanJson
} from './recorded-rows.ts'

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

let validate: ValidateFunction<RecordedCalls> | undefined

/** Loads a file of `rayne record`, or what was in it; a bad field is named in the error. */
export function loadWorld(source: string | RecordedCalls): RecordedWorld {
  const recorded =
    typeof source === 'string'
      ? checkedWorld(JSON.parse(readFileSync(source, 'utf8')), source)
      : checkedWorld(source, 'the recorded world')
  const at = Number(recorded.alert['date'])
  const { name, site } = recorded.account
  const known = name.replace(/[^\w-]+/g, '-')
  return {
    scenario: {
      id: 'recorded',
      title: `Recorded ${recorded.recorded_at}`,
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
    t0: Number.isFinite(at) && at > 0 ? at : Date.parse(recorded.window.to),
    webhook: JSON.stringify(recorded.alert),
    answer: createAnswers(recorded.calls)
  }
}

/** What was recorded, checked against the schema; throws a sentence that names what is wrong. */
export function checkedWorld(value: unknown, name: string): RecordedCalls {
  validate ??= new Ajv2020({
    strict: true,
    strictRequired: false,
    strictTypes: false,
    allowUnionTypes: true
  }).compile<RecordedCalls>(
    JSON.parse(readFileSync(new URL('world-file.schema.json', import.meta.url), 'utf8')) as object
  )
  if (validate(value)) return value
  const [first] = validate.errors ?? []
  throw new Error(
    `'${name}' is no recorded world: ${first?.instancePath ?? ''} ${first?.message ?? 'is not valid'}`
  )
}

function createAnswers(calls: readonly RecordedCall[]): RecordedWorld['answer'] {
  const monitors = calls.filter((one): one is MonitorCall => one.call === 'monitor')
  const metrics = calls.filter((one): one is MetricCall => one.call === 'metric')
  const hosts = calls.filter((one): one is HostsCall => one.call === 'hosts')
  const events = calls.filter((one): one is EventsCall => one.call === 'events')
  const logs = calls.filter((one): one is LogsCall => one.call === 'logs')
  const spans = calls.filter((one): one is SpansCall => one.call === 'spans')
  const known: Readonly<Record<string, (call: Call) => Reply>> = {
    'v1.MonitorsApi.getMonitor': call => monitorAnswer(call, monitors),
    'v1.MonitorsApi.listMonitors': () => ok(monitors.flatMap(one => one.rows.map(monitorJson))),
    'v1.MetricsApi.queryMetrics': call => metricsAnswer(call, metrics),
    'v1.HostsApi.listHosts': call => hostsAnswer(call, hosts),
    'v2.EventsApi.searchEvents': call =>
      searchAnswer(call, call.body, events, eventItem, eventJson),
    'v2.LogsApi.listLogs': call => searchAnswer(call, call.body, logs, logItem, logJson),
    'v2.SpansApi.listSpans': call =>
      searchAnswer(call, attributesOf(call.body, 'search_request'), spans, spanItem, spanJson)
  }
  return (op, call) => known[op]?.(call)
}

const plain = (text: unknown): string =>
  (typeof text === 'string' ? text : '').replace(/\s+/g, ' ').trim()

interface Asked<R> extends Pick<RecordedCall, 'failure' | 'truncated'> {
  readonly rows: readonly R[]
}
interface Chosen<R> {
  readonly exact: boolean
  readonly truncated: boolean
  readonly rows: readonly R[]
}

/**
 * The calls that were asked the same, in whatever windows, their failure thrown as Datadog's; otherwise the rows of
 * all, to search in.
 */
function chosen<R, T extends Asked<R>>(
  calls: readonly (T & Asked<R>)[],
  isSame: (call: T) => boolean
): Chosen<R> {
  const same = calls.filter(isSame)
  const failure = same.find(call => call.failure)?.failure
  if (failure) throw new ApiError(failure.status, { errors: [failure.message] })
  if (same.length > 0)
    return {
      exact: true,
      truncated: same.some(call => call.truncated),
      rows: same.flatMap(call => call.rows)
    }
  return { exact: false, truncated: false, rows: calls.flatMap(call => call.rows) }
}

function monitorAnswer(call: Call, calls: readonly MonitorCall[]): Reply {
  const { exact, rows } = chosen(calls, one => one.input.id === call.params['id'])
  const [row] = exact ? rows : []
  if (row === undefined) throw refuse(404, 'Monitor not found')
  return ok(monitorJson(row))
}

interface Timed {
  readonly id: string
  readonly at: number
}

function searchAnswer<T extends Timed>(
  call: Call,
  body: unknown,
  calls: readonly (Asked<T> & { readonly input: { readonly query: string } })[],
  item: (row: T) => Searchable,
  json: (row: T) => object
): Reply {
  const raw = rawFromBody(body)
  const { exact, truncated, rows } = chosen(
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
  const last = page.length === request.limit ? page.at(-1) : undefined
  return ok({
    data: page.map(json),
    meta: {
      elapsed: 1,
      request_id: 'recorded',
      status: 'done',
      ...(last ? { page: { after: writeCursor(last, request.cursorKey) } } : {}),
      ...(truncated && found.length <= request.limit ? { warnings: [endOfRecording] } : {})
    }
  })
}

const endOfRecording = {
  code: 'recorded',
  title: 'The recording ends here',
  detail: 'Datadog had more rows than were recorded'
}

function metricsAnswer(call: Call, calls: readonly MetricCall[]): Reply {
  const query = call.query.get('query')
  const [from, to] = [Number(call.query.get('from')) * 1000, Number(call.query.get('to')) * 1000]
  const { exact, rows } = chosen(calls, one => plain(one.input.query) === plain(query))
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

function hostsAnswer(call: Call, calls: readonly HostsCall[]): Reply {
  const filter = call.query.get('filter') ?? ''
  const { exact, rows } = chosen(calls, one => one.input.filter === filter)
  const found = [...new Map(rows.map(row => [row.name, row])).values()].filter(
    row => exact || row.name.includes(filter) || row.tags?.some(tag => tag.includes(filter))
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
