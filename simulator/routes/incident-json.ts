import { hash } from '../world/random.ts'
import { bucketId } from './aggregates.ts'
import { author, responder } from './people.ts'

/** Fields of an incident by name. */
export type Fields = Record<string, { type: string; value: unknown }>
/** One incident as it is kept; times in epoch ms. */
export interface Incident extends Record<string, unknown> {
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

const iso = (at: number): string => new Date(at).toISOString().replace('Z', '000+00:00')
/** `active`, `stable`, `resolved`, … */
export const stateOf = (incident: Incident): string =>
  String(incident.fields['state']?.value ?? 'active')

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

/** An incident as the API shows it; `people` writes them out. */
export function incidentResource(incident: Incident, people: boolean): object {
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

/** Counts by facet, as a search adds them. */
export function incidentFacets(all: readonly Incident[]): object {
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
