import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createRouter } from '../simulator/route.ts'
import { routes } from '../simulator/data-plane.ts'
import { accountOf, call, NOW, startSimulator } from './simulator.client.ts'

const folder = new URL('../../../../shared/data/datadog-cassettes/', import.meta.url)
interface Recorded { readonly file: string; readonly op: string; readonly request: { readonly method: string; readonly path: string; readonly query: Record<string, string>; readonly body: unknown }; readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: unknown } }

/** Key paths below which a recording shows what belongs to its organisation and not to the API. */
const allowed: readonly (readonly [RegExp, string])[] = [
  [/^\$\.tags\.[^.[]/, 'tags/hosts: the keys are the tags themselves'],
  [/\.schema\.(dd-team|repos|docs)\b/, 'service definitions: fields of schema v2, the simulator has v2.1'],
  [/\.schema\.(integrations|extensions)\./, 'service definitions: free content'],
  [/\.meta\.warnings\[\]/, 'service definitions: warnings of one broken definition'],
  [/^\$\[\]\.options\.(?!thresholds$|silenced$|notify_audit$|include_tags$|locked$|new_host_delay$|notify_no_data$|require_full_window$)/, 'monitors: options that the creator of a monitor chose'],
  [/^\$\.options\.(?!thresholds$|silenced$|notify_audit$|include_tags$|locked$|new_host_delay$|notify_no_data$|require_full_window$)/, 'monitors: the same for one monitor'],
  [/matching_downtimes\[\]/, 'monitors: the recorded monitor was muted; downtimes come later'],
  [/\.(creator|author)\.(name|title)$/, 'people: optional, null here'],
  [/\.definition\./, 'notebooks: widgets of recorded notebooks'],
  [/\.(template_variables\[\]|template_variables)/, 'notebooks: variables of recorded notebooks'],
  [/\.agent_checks\[\]\[\]\[\]$/, 'hosts: rows of the agent\'s own, some with a list inside'],
  [/^\$\.monitors\[\]\.creator\.id\./, 'monitor search: a few recorded creators have an object where all others have a number'],
  [/\.muted_until_ts$/, 'monitor search: set on muted monitors only']
]

/** Key path → JSON types, arrays by the union of their items. */
function shape(value: unknown, path = '$', found = new Map<string, Set<string>>()): Map<string, Set<string>> {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  found.set(path, (found.get(path) ?? new Set<string>()).add(type))
  if (Array.isArray(value)) for (const item of value) shape(item, `${path}[]`, found)
  else if (type === 'object') for (const [key, item] of Object.entries(value as object)) shape(item, `${path}.${key}`, found)
  return found
}

/** What a recording shows and the simulator does not; null stands for "may be absent". */
function missing(recording: unknown, simulated: unknown): string[] {
  const have = shape(simulated)
  return [...shape(recording)].flatMap(([path, types]) => {
    const wanted = [...types].filter(type => type !== 'null')
    if (wanted.length === 0 || allowed.some(([pattern]) => pattern.test(path))) return []
    const got = have.get(path)
    return got === undefined ? [`${path} (${wanted.join('|')}) is missing`] : wanted.some(type => got.has(type)) ? [] : [`${path} is ${[...got].join('|')}, recorded ${wanted.join('|')}`]
  })
}

function recordings(): Recorded[] {
  const find = createRouter(routes)
  return readdirSync(folder).filter(file => file.endsWith('.json') && file !== 'index.json').flatMap(file => {
    const { interactions } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { interactions: Recorded[] }
    return interactions.map(one => ({ ...one, file })).filter(one => find(one.request.method, one.request.path)?.route.op === one.op)
  })
}

/** The recorded request with names and times that exist here; undefined when the recording's own request works as it is. */
function adapted(one: Recorded, ids: { monitor: number; notebook: number }): { path: string; body: unknown } {
  const query = new URLSearchParams(Object.entries(one.request.query ?? {}))
  const body = structuredClone(one.request.body) as Record<string, any> | null
  let { path } = one.request
  const found = one.response.status < 300
  if (found) {
    path = path.replace(/^\/api\/v1\/monitor\/\d+$/, `/api/v1/monitor/${ids.monitor}`).replace(/^\/api\/v1\/notebooks\/\d+$/, `/api/v1/notebooks/${ids.notebook}`)
    if (path.startsWith('/api/v1/tags/hosts/')) path = '/api/v1/tags/hosts/app-01'
  }
  if (one.op === 'v1.MetricsApi.queryMetrics') { query.set('from', String(NOW / 1000 - 86_400)); query.set('to', String(NOW / 1000)) }
  const cursor = body?.['page']?.cursor
  if (found && cursor) delete body['page'].cursor
  if (found && one.op === 'v2.EventsApi.searchEvents') body!['filter'] = { ...body!['filter'], from: 'now-2h' }
  return { path: `${path}${query.size ? `?${query}` : ''}`, body: body ?? undefined }
}

/** The recorded organisation had notebooks; so that the list is not empty, one like them. */
const example = { data: { type: 'notebooks', attributes: { name: 'Example', time: { live_span: '1h' }, metadata: { type: 'investigation' }, cells: [{ type: 'notebook_cells', attributes: { definition: { type: 'timeseries', requests: [{ q: 'avg:system.load.1{*}' }] } } }] } } }

test('answers have at least the shape of every recording the simulator serves', async context => {
  const all = recordings()
  assert.ok(all.length >= 40, `only ${all.length} recorded interactions were found in ${folder.pathname}`)
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const problems: string[] = []
  const [{ id: monitor }] = (await call(account, 'GET', '/api/v1/monitor')).body
  await call(account, 'POST', '/api/v1/notebooks', example)
  let notebook = 0
  let checked = 0
  for (const one of all) {
    const { path, body } = adapted(one, { monitor, notebook })
    const answer = await call(account, one.request.method, path, body)
    if (one.op === 'v1.NotebooksApi.createNotebook') notebook = answer.body?.data?.id
    const where = `${one.file}: ${one.request.method} ${path}`
    const type = one.response.headers['content-type'] ?? null
    if (answer.status !== one.response.status) problems.push(`${where}: status ${answer.status}, recorded ${one.response.status} ${answer.text.slice(0, 200)}`)
    else if (answer.headers.get('content-type') !== type) problems.push(`${where}: content type ${answer.headers.get('content-type')}, recorded ${type}`)
    else if (one.response.status !== 204) problems.push(...missing(one.response.body, answer.body).map(problem => `${where}: ${problem}`))
    checked++
  }
  assert.deepEqual(problems, [])
  assert.equal(checked, all.length)
  assert.ok(simulator.journal().every(entry => entry.unknown_route === undefined))
})

test('every operation the simulator serves has a recording', () => {
  const recorded = new Set(recordings().map(one => one.op))
  assert.deepEqual(routes.filter(route => !route.page).map(route => route.op).filter(op => !recorded.has(op)), [])
})
