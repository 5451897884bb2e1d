import { resourcesOf, type Account } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import { hash } from '../world/random.ts'
import { bucket } from '../control/rate-limits.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { bucketId } from './aggregates.ts'
import { author, responder } from './people.ts'

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
    handle: call => ok({ data: resource(find(call), false) })
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

type Fields = Record<string, { type: string; value: unknown }>
interface Incident extends Record<string, unknown> {
  readonly id: string
  readonly publicId: number
  title: string
  impacted: boolean
  fields: Fields
  readonly created: number
  modified: number
  resolved: number | null
  readonly commander: boolean
  touched?: boolean
}

const store = (account: Account): Map<string, Incident> =>
  resourcesOf(account, 'incident') as unknown as Map<string, Incident>
const iso = (at: number): string => new Date(at).toISOString().replace('Z', '000+00:00')
const stateOf = (incident: Incident): string => String(incident.fields['state']?.value ?? 'active')

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
  return { status: 201, body: { data: resource(incident, true) } }
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
  return ok({ data: resource(incident, true) })
}

/** Times and people; people are written out in answers to writes and searches, and are ids elsewhere. */
function attributes(incident: Incident, people: boolean): object {
  const { publicId, title, impacted, fields, created, modified, resolved, commander } = incident
  const shown = people
    ? {
        last_modified_by: responder,
        commander: commander ? responder : null,
        created_by: responder,
        declared_by: responder
      }
    : {}
  return {
    public_id: publicId,
    incident_type_uuid: '41d2e10b-4108-4736-92d7-791d00ea0702',
    title,
    resolved: resolved === null ? null : iso(resolved),
    customer_impact_scope: null,
    customer_impact_start: null,
    customer_impact_end: null,
    customer_impacted: impacted,
    notification_handles: null,
    ...shown,
    last_modified_by_uuid: author.id,
    created: iso(created),
    modified: iso(modified),
    detected: iso(created),
    created_by_uuid: author.id,
    creation_idempotency_key: null,
    customer_impact_duration: 0,
    time_to_detect: 0,
    time_to_repair: resolved === null ? 0 : Math.floor((resolved - created) / 1000),
    time_to_internal_response: 0,
    time_to_resolve: 0,
    archived: null,
    is_test: false,
    declared: iso(created),
    declared_by_uuid: author.id,
    fields,
    field_analytics: null,
    severity: String(fields['severity']?.value ?? 'UNKNOWN'),
    state: stateOf(incident),
    non_datadog_creator: null,
    visibility: 'organization',
    case_id: null
  }
}

function resource(incident: Incident, people: boolean): object {
  const person = { data: { type: 'users', id: author.id } }
  const own = Array.from({ length: 8 }, (_, i) => ({
    type: 'user_defined_field',
    id: bucketId(hash('field', i))
  }))
  return {
    type: 'incidents',
    id: incident.id,
    attributes: attributes(incident, people),
    relationships: {
      created_by_user: person,
      last_modified_by_user: person,
      commander_user: incident.commander ? person : { data: null },
      declared_by_user: person,
      user_defined_fields: { data: own },
      integrations: { data: [] },
      attachments: { data: [] },
      responders: {
        data:
          incident.commander || incident.touched
            ? [{ type: 'incident_responders', id: bucketId(hash(incident.id)) }]
            : []
      },
      impacts: { data: [] }
    }
  }
}

function list({ account, query }: Call): Reply {
  const size = Math.min(100, Math.max(1, Number(query.get('page[size]') ?? 10) || 10))
  const offset = Math.max(0, Number(query.get('page[offset]') ?? 0) || 0)
  const page = [...store(account).values()].slice(offset, offset + size)
  return ok({
    meta: { pagination: { size: page.length, next_offset: offset + page.length, offset } },
    data: page.map(incident => resource(incident, false))
  })
}

/** `state:active`, `state:(active OR stable)`, `severity:SEV-1` and words of the title. */
function holds(query: string, incident: Incident): boolean {
  const wanted = (key: string): string[] | undefined =>
    new RegExp(`\\b${key}:(?:\\(([^)]*)\\)|(\\S+))`)
      .exec(query)
      ?.slice(1)
      .find(Boolean)
      ?.split(/\s+OR\s+/)
  const words = query
    .replace(/\w+:(?:\([^)]*\)|\S+)/g, ' ')
    .split(/\s+/)
    .filter(word => word !== '' && word !== 'AND' && word !== '*')
  return (
    (wanted('state')?.includes(stateOf(incident)) ?? true) &&
    (wanted('severity')?.includes(String(incident.fields['severity']?.value)) ?? true) &&
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
      facets: facets(all),
      incidents: page.map(incident => ({ data: resource(incident, true) }))
    }
  }
  const relationships = {
    incidents_relationship: { data: page.map(({ id }) => ({ type: 'incidents', id })) }
  }
  return ok({
    data: { ...data, relationships },
    included: [author, ...page.map(incident => resource(incident, true))],
    meta: { pagination: { size, next_offset: offset + page.length, offset } }
  })
}

function facets(all: readonly Incident[]): object {
  const tally = (values: readonly string[]) =>
    [...Map.groupBy(values, v => v)].map(([name, found]) => ({ name, count: found.length }))
  const range = (name: string): object[] => [{ name, aggregates: { min: null, max: null } }]
  const person = [
    {
      name: 'SRE',
      count: all.length,
      handle: author.attributes.handle,
      uuid: author.id,
      email: author.attributes.email
    }
  ]
  return {
    severity: tally(all.map(one => String(one.fields['severity']?.value))),
    state: tally(all.map(stateOf)),
    visibility: [{ name: 'organization', count: all.length }],
    impact: [{ name: 'none', count: all.length }],
    postmortem: [{ name: 'No', count: all.length }],
    time_to_repair: range('time_to_repair'),
    time_to_detect: range('time_to_detect'),
    time_to_resolve: range('time_to_resolve'),
    is_test: [{ name: 0, count: all.length }],
    customer_impacted: [true, false].map(name => ({
      name,
      count: all.filter(one => one.impacted === name).length
    })),
    responder: person,
    created_by: person,
    declared_by: person,
    last_modified_by: person,
    commander: person,
    incident_type: [
      { name: 'Security Incident', count: 0, id: '227f4739-de77-47ac-ac1b-5b0fd5497b54' }
    ],
    fields: [
      {
        name: 'detection_method',
        facets: tally(all.map(one => String(one.fields['detection_method']?.value)))
      },
      { name: 'root_cause', facets: [] }
    ]
  }
}
