import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createRouter } from '../routes/route.ts'
import { routes } from '../routes/all-routes.ts'
import type { SimAccount } from '../simulator.ts'
import { accountOf, call, NOW, startSimulator } from './client.ts'

const folder = new URL('../../../shared/data/datadog-cassettes/', import.meta.url)
interface Recorded {
  readonly file: string
  readonly recordedAt: number
  readonly op: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query: Record<string, string>
    readonly body: unknown
  }
  readonly response: {
    readonly status: number
    readonly headers: Record<string, string>
    readonly body: unknown
  }
}

/** Key paths below which a recording shows what belongs to its organisation and not to the API. */
const allowed: readonly (readonly [RegExp, string])[] = [
  [/^\$\.tags\.[^.[]/, 'tags/hosts: the keys are the tags themselves'],
  [
    /\.schema\.(dd-team|repos|docs)\b/,
    'service definitions: fields of schema v2, the simulator has v2.1'
  ],
  [/\.schema\.(integrations|extensions)\./, 'service definitions: free content'],
  [/\.meta\.warnings\[\]/, 'service definitions: warnings of one broken definition'],
  [
    /^\$\[\]\.options\.(?!thresholds$|silenced$|notify_audit$|include_tags$|locked$|new_host_delay$|notify_no_data$|require_full_window$)/,
    'monitors: options that the creator of a monitor chose'
  ],
  [
    /^\$\.options\.(?!thresholds$|silenced$|notify_audit$|include_tags$|locked$|new_host_delay$|notify_no_data$|require_full_window$)/,
    'monitors: the same for one monitor'
  ],
  [/matching_downtimes\[\]/, 'monitors: the recorded monitor was muted; downtimes come later'],
  [/\.(creator|author)\.(name|title)$/, 'people: optional, null here'],
  [/\.definition\./, 'notebooks: widgets of recorded notebooks'],
  [/\.(template_variables\[\]|template_variables)/, 'notebooks: variables of recorded notebooks'],
  [/\.agent_checks\[\]\[\]\[\]$/, "hosts: rows of the agent's own, some with a list inside"],
  [
    /^\$\.monitors\[\]\.creator\.id\./,
    'monitor search: a few recorded creators have an object where all others have a number'
  ],
  [/^\$\.event\.(handle|host)$/, 'events: of the person and the host that the recorded event had'],
  [/^\$\.errors\.\d+/, 'can_delete: the keys are ids'],
  [
    /^\$\[\]\.(parent_id|child_id|updater_id|recurrence\..+)$/,
    'old downtimes: recurring ones and their children'
  ],
  [/^\$(\[\])?\.overall_state_modified$/, 'monitors: null until the first change'],
  [
    /\.(overall_status\[\]\.error|status\.calculation_error)$/,
    'objectives: the recorded ones had no data'
  ],
  [
    /\.(field_analytics(\..*)?|customer_impact_scope)$/,
    'incidents: how long each state lasted, and texts that are empty here'
  ],
  [/\.assets\[\]\.options\./, 'monitor assets: free content'],
  [
    /\.(product_analytics|rum)_(dis|en)abled(_at)?$/,
    'RUM: fields that newer recordings no longer have'
  ],
  [
    /\.attributes\.custom\.(?!duration$|env$|version$|span\b|http\.status_code$|http\.method$)/,
    'spans: what the recorded libraries added'
  ],
  [/\.muted_until_ts$/, 'monitor search: set on muted monitors only']
]

/** Key path → JSON types, arrays by the union of their items. */
function shape(
  value: unknown,
  path = '$',
  found = new Map<string, Set<string>>()
): Map<string, Set<string>> {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  found.set(path, (found.get(path) ?? new Set<string>()).add(type))
  if (Array.isArray(value)) for (const item of value) shape(item, `${path}[]`, found)
  else if (type === 'object')
    for (const [key, item] of Object.entries(value as object)) shape(item, `${path}.${key}`, found)
  return found
}

/** What a recording shows and the simulator does not; null stands for "may be absent". */
function missing(recording: unknown, simulated: unknown): string[] {
  const have = shape(simulated)
  return [...shape(recording)].flatMap(([path, types]) => {
    const wanted = [...types].filter(type => type !== 'null')
    if (wanted.length === 0 || allowed.some(([pattern]) => pattern.test(path))) return []
    const got = have.get(path)
    return got === undefined
      ? [`${path} (${wanted.join('|')}) is missing`]
      : wanted.some(type => got.has(type))
        ? []
        : [`${path} is ${[...got].join('|')}, recorded ${wanted.join('|')}`]
  })
}

function recordings(): Recorded[] {
  const find = createRouter(routes)
  return readdirSync(folder)
    .filter(file => file.endsWith('.json') && file !== 'index.json')
    .flatMap(file => {
      const { interactions, recorded_at } = JSON.parse(
        readFileSync(new URL(file, folder), 'utf8')
      ) as { interactions: Recorded[]; recorded_at: string }
      return interactions
        .map(one => ({ ...one, file, recordedAt: Date.parse(recorded_at) }))
        .filter(one => find(one.request.method, one.request.path)?.route.op === one.op)
    })
}

/** Recordings that cannot be compared, and why. */
const skipped: readonly (readonly [(one: Recorded) => boolean, string])[] = [
  [
    one =>
      one.op.startsWith('v2.MetricsApi.query') &&
      !/"data_source":"(metrics|logs|events|spans|rum)"/.test(JSON.stringify(one.request.body)),
    'queries of sources that have no data here are answered empty'
  ],
  [
    one =>
      one.request.method === 'DELETE' &&
      one.response.status === 404 &&
      one.file.includes('using-schema-v2-2'),
    'a definition that was not found right after it was written: the catalogue was behind'
  ]
]

type Ids = Map<string, string>
/** Remembers which id of ours stands for a recorded one, wherever both answers have an id. */
function learn(recorded: unknown, ours: unknown, ids: Ids): void {
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
      ids.set(String(value as string), String(own as string))
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
  return [...ids].reduce((line, [theirs, own]) => line.replaceAll(theirs, own), moved)
}

interface Existing {
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
function adapted(one: Recorded, ids: Ids, existing: Existing): { path: string; body: unknown } {
  const query = new URLSearchParams(
    translated(new URLSearchParams(Object.entries(one.request.query ?? {})).toString(), one, ids)
  )
  const body = JSON.parse(translated(JSON.stringify(one.request.body ?? null), one, ids)) as Record<
    string,
    any
  > | null
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

/** Cursors are not portable, and queries name what only the recorded organisation has. */
function adaptSearch(
  one: Recorded,
  query: URLSearchParams,
  body: Record<string, any> | null
): void {
  const empty =
    Array.isArray((one.response.body as { data?: unknown[] } | null)?.data) &&
    (one.response.body as { data: unknown[] }).data.length === 0
  const search = body?.['data']?.attributes ?? body
  if (search?.page?.cursor) delete search.page.cursor
  if (query.get('page[cursor]')) query.delete('page[cursor]')
  if (one.op === 'v2.EventsApi.searchEvents')
    search['filter'] = { ...search['filter'], from: 'now-2h' }
  if (one.op.startsWith('v2.SpansApi.listSpans') && body)
    search.filter.query = empty ? 'service:none' : ''
  if (one.op === 'v2.SpansApi.listSpansGet')
    query.set('filter[query]', empty ? 'service:none' : '@http.status_code:200')
  if (one.op === 'v1.ServiceLevelObjectivesApi.searchSLO') query.set('query', 'checkout')
  if (one.op === 'v2.UsersApi.listUsers') query.delete('filter')
  if (one.op === 'v1.EventsApi.listEvents')
    for (const name of ['priority', 'sources']) query.delete(name)
  if (one.op === 'v1.EventsApi.listEvents') query.set('start', String(NOW / 1000 - 86_400))
  if (one.op.startsWith('v2.MetricsApi.query'))
    for (const asked of search.queries)
      if (asked.data_source === 'metrics') asked.query = 'avg:system.cpu.user{*}'
}

/** The recorded organisation had notebooks; so that the list is not empty, one like them. */
const example = {
  data: {
    type: 'notebooks',
    attributes: {
      name: 'Example',
      time: { live_span: '1h' },
      metadata: { type: 'investigation' },
      cells: [
        {
          type: 'notebook_cells',
          attributes: {
            definition: { type: 'timeseries', requests: [{ q: 'avg:system.load.1{*}' }] }
          }
        }
      ]
    }
  }
}

/** Things the recorded organisation had before: so that lists are not empty, one of each. */
async function furnish(account: SimAccount): Promise<Existing> {
  const [{ id: monitor }] = (await call(account, 'GET', '/api/v1/monitor')).body
  await call(account, 'POST', '/api/v1/notebooks', example)
  const notebook = (await call(account, 'POST', '/api/v1/notebooks', example)).body.data.id
  const downtime = (scope: string, identifier: object) =>
    call(account, 'POST', '/api/v2/downtime', {
      data: {
        type: 'downtime',
        attributes: { scope, monitor_identifier: identifier, schedule: { start: null } }
      }
    })
  await downtime('*', { monitor_id: monitor })
  await downtime('host:"app-01"', { monitor_tags: ['*'] })
  const events = (
    await call(account, 'GET', `/api/v1/events?start=${NOW / 1000 - 86_400}&end=${NOW / 1000}`)
  ).text
  for (let i = 0; i < 3; i++)
    await call(account, 'POST', '/api/v2/incidents', {
      data: {
        type: 'incidents',
        attributes: { title: `Example ${i}`, customer_impacted: false },
        relationships: { commander_user: { data: { id: 'x', type: 'users' } } }
      }
    })
  const location = (
    await call(account, 'POST', '/api/v1/synthetics/private-locations', {
      name: 'example',
      description: '',
      tags: []
    })
  ).body.private_location.id
  await downtime('env:prod', { monitor_tags: ['*'] })
  await downtime('env:staging', { monitor_tags: ['*'] })
  return { location, monitor, notebook, event: /"id":(\d+)/.exec(events)?.[1] ?? '' }
}

test('answers have at least the shape of every recording the simulator serves', async context => {
  const all = recordings()
  assert.ok(
    all.length >= 180,
    `only ${all.length} recorded interactions were found in ${folder.pathname}`
  )
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const problems: string[] = []
  const existing = await furnish(account)
  let ids: Ids = new Map()
  let checked = 0
  for (const [index, one] of all.entries()) {
    if (one.file !== all[index - 1]?.file) ids = new Map()
    if (skipped.some(([matches]) => matches(one))) continue
    const { path, body } = adapted(one, ids, existing)
    const answer = await call(account, one.request.method, path, body)
    if (one.response.status < 300) learn(one.response.body, answer.body, ids)
    const where = `${one.file}: ${one.request.method} ${path}`
    // Some JSON of 2020 says its charset; a body that is not there needs no type.
    const media = (type: string | null | undefined): string | null =>
      type?.replace(/^application\/json;.*/, 'application/json') ?? null
    const type = one.response.status === 204 ? null : media(one.response.headers['content-type'])
    if (answer.status !== one.response.status)
      problems.push(
        `${where}: status ${answer.status}, recorded ${one.response.status} ${answer.text.slice(0, 200)}`
      )
    else if (type !== null && media(answer.headers.get('content-type')) !== type)
      problems.push(
        `${where}: content type ${answer.headers.get('content-type')}, recorded ${type}`
      )
    else if (one.response.status !== 204)
      problems.push(
        ...missing(one.response.body, answer.body).map(problem => `${where}: ${problem}`)
      )
    checked++
  }
  assert.deepEqual(problems, [])
  assert.equal(
    checked,
    all.length - all.filter(one => skipped.some(([matches]) => matches(one))).length
  )
  for (const [matches, why] of skipped)
    assert.ok(
      all.some(one => matches(one)),
      `nothing is skipped because ${why}`
    )
  assert.ok(simulator.journal().every(entry => entry.unknown_route === undefined))
})

/** Operations that are served although nobody recorded them, and what they are built from. */
const unrecorded: Readonly<Record<string, string>> = {
  'v1.MetricsApi.listActiveMetrics': 'API description',
  'v2.APMApi.getServiceList': 'API description',
  'v2.KeyManagementApi.validateAPIKey': 'API description',
  'v2.KeyManagementApi.validateKeys': 'API description',
  'v1.SyntheticsApi.createPrivateLocation': 'datadog-api.md 2.1',
  'v1.SyntheticsApi.getPrivateLocation': 'datadog-api.md 2.1',
  'v1.SyntheticsApi.updatePrivateLocation': 'datadog-api.md 2.1'
}

test('every operation the simulator serves has a recording, or a reason', () => {
  const recorded = new Set(recordings().map(one => one.op))
  assert.deepEqual(
    routes
      .filter(route => !route.page)
      .map(route => route.op)
      .filter(op => !recorded.has(op) && !Object.hasOwn(unrecorded, op)),
    []
  )
  assert.deepEqual(
    Object.keys(unrecorded).filter(op => recorded.has(op)),
    []
  )
})
