import { resourcesOf, type Account } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import { hash } from '../world/random.ts'
import { bucket } from '../control/rate-limits.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { bucketId } from './aggregates.ts'
import {
  incidentFacets,
  incidentResource,
  stateOf,
  type Fields,
  type Incident
} from './incident-json.ts'
import { author } from './people.ts'

const base = '/api/v2/incidents'
/** Incidents; the client calls all of these unstable, so their shapes may change. */
export const incidentRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: base,
    op: 'v2.IncidentsApi.createIncident',
    bucket: bucket('incidents_create', 400, 3600),
    scope: 'incident_write',
    handle: create
  },
  {
    method: 'GET',
    path: base,
    op: 'v2.IncidentsApi.listIncidents',
    bucket: bucket('incidents_list', 400, 60),
    scope: 'incident_read',
    handle: list
  },
  {
    method: 'GET',
    path: `${base}/search`,
    op: 'v2.IncidentsApi.searchIncidents',
    scope: 'incident_read',
    handle: search
  },
  {
    method: 'GET',
    path: `${base}/:id`,
    op: 'v2.IncidentsApi.getIncident',
    bucket: bucket('incidents_get', 100, 60),
    scope: 'incident_read',
    handle: call => ok({ data: incidentResource(find(call), false) })
  },
  {
    method: 'PATCH',
    path: `${base}/:id`,
    op: 'v2.IncidentsApi.updateIncident',
    bucket: bucket('incidents_update', 400, 60),
    scope: 'incident_write',
    handle: update
  },
  {
    method: 'DELETE',
    path: `${base}/:id`,
    op: 'v2.IncidentsApi.deleteIncident',
    bucket: bucket('incidents_delete', 400, 60),
    scope: 'incident_write',
    handle: call => {
      store(call.account).delete(find(call).id)
      return { status: 204, type: 'text/html; charset=utf-8' }
    }
  }
]

const store = (account: Account): Map<string, Incident> =>
  resourcesOf(account, 'incident') as unknown as Map<string, Incident>
function find({ account, params }: Call): Incident {
  const found = store(account).get(params['id'] ?? '')
  if (!found) throw refuse(404, `incident ${params['id']} not found`)
  return found
}

function attributesOf(body: unknown): Record<string, unknown> {
  const data = (body as { data?: { type?: unknown; attributes?: unknown } } | undefined)?.data
  if (data?.type !== 'incidents' || typeof data.attributes !== 'object' || data.attributes === null)
    throw refuse(400, "Invalid request: 'data' must be of type 'incidents' with attributes")
  return data.attributes as Record<string, unknown>
}

function create(call: Call): Reply {
  const given = attributesOf(call.body)
  if (typeof given['title'] !== 'string' || typeof given['customer_impacted'] !== 'boolean')
    throw refuse(400, 'title and customer_impacted are required')
  const n = ++call.account.writes
  const seed = hash(call.account.world.seed, 'incident', n)
  const publicId = 338_000 + n
  const commander = (
    call.body as { data: { relationships?: { commander_user?: { data?: unknown } } } }
  ).data.relationships?.commander_user?.data
  const incident: Incident = {
    id: bucketId(seed),
    publicId,
    title: given['title'],
    impacted: given['customer_impacted'],
    fields: { ...defaults(publicId), ...(given['fields'] as Fields | undefined) },
    created: call.now,
    modified: call.now,
    resolved: null,
    commander: commander !== undefined && commander !== null
  }
  store(call.account).set(incident.id, incident)
  return { status: 201, body: { data: incidentResource(incident, true) } }
}

const defaults = (publicId: number): Fields => ({
  teams: { type: 'autocomplete', value: null },
  severity: { type: 'dropdown', value: 'UNKNOWN' },
  state: { type: 'dropdown', value: 'active' },
  detection_method: { type: 'dropdown', value: 'unknown' },
  root_cause: { type: 'textbox', value: null },
  summary: { type: 'textbox', value: null },
  services: { type: 'autocomplete', value: null },
  slug: { type: 'textbox', value: `IR-${publicId}` }
})

function update(call: Call): Reply {
  const given = attributesOf(call.body)
  const incident = find(call)
  if (typeof given['title'] === 'string') incident.title = given['title']
  if (typeof given['customer_impacted'] === 'boolean')
    incident.impacted = given['customer_impacted']
  incident.fields = { ...incident.fields, ...(given['fields'] as Fields | undefined) }
  incident.modified = call.now
  incident.touched = true
  incident.resolved = stateOf(incident) === 'resolved' ? (incident.resolved ?? call.now) : null
  return ok({ data: incidentResource(incident, true) })
}

function list({ account, query }: Call): Reply {
  const size = Math.min(100, Math.max(1, Number(query.get('page[size]') ?? 10) || 10))
  const offset = Math.max(0, Number(query.get('page[offset]') ?? 0) || 0)
  const page = [...store(account).values()].slice(offset, offset + size)
  return ok({
    meta: { pagination: { size: page.length, next_offset: offset + page.length, offset } },
    data: page.map(incident => incidentResource(incident, false))
  })
}

/** `state:active`, `state:(active OR stable)`, `severity:SEV-1` and words of the title. */
function holds(query: string, incident: Incident): boolean {
  const asked = new Map(
    [...query.matchAll(/\b(\w+):(?:\(([^()]*)\)|(\S+))/g)].map(
      ([, key = '', group, value = '']) => [key, (group ?? value).split(/(?<!\s)\s+OR\s+/)]
    )
  )
  const words = query
    .replace(/\b\w+:(?:\([^()]*\)|\S+)/g, ' ')
    .split(/\s+/)
    .filter(word => word !== '' && word !== 'AND' && word !== '*')
  return (
    (asked.get('state')?.includes(stateOf(incident)) ?? true) &&
    (asked.get('severity')?.includes(String(incident.fields['severity']?.value)) ?? true) &&
    words.every(word => incident.title.toLowerCase().includes(word.toLowerCase()))
  )
}

function search({ account, query }: Call): Reply {
  const text = query.get('query')
  if (text === null) throw refuse(400, "missing required parameter 'query'")
  const all = [...store(account).values()].filter(incident => holds(text, incident))
  const size = Math.min(100, Math.max(1, Number(query.get('page[size]') ?? 10) || 10))
  const offset = Math.max(0, Number(query.get('page[offset]') ?? 0) || 0)
  const page = all.slice(offset, offset + size)
  const data = {
    type: 'incidents_search_results',
    attributes: {
      total: all.length,
      facets: incidentFacets(all),
      incidents: page.map(incident => ({ data: incidentResource(incident, true) }))
    }
  }
  const relationships = {
    incidents_relationship: { data: page.map(({ id }) => ({ type: 'incidents', id })) }
  }
  return ok({
    data: { ...data, relationships },
    included: [author, ...page.map(incident => incidentResource(incident, true))],
    meta: { pagination: { size, next_offset: offset + page.length, offset } }
  })
}
