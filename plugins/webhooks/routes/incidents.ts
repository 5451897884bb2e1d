import { defineRoute, notFound, Type, type Knex, type Route } from '../../../core/index.ts'
import type { EventLinks } from '../contract.ts'
import { incidentStore } from '../store/incidents.ts'
import { memberStore } from '../store/members.ts'
import { IncidentBody, incidentBody, logBody, memberBody, WholeIncident } from './wire-incident.ts'

/** What reading incidents needs. */
export interface IncidentReads {
  readonly db: Knex
  readonly links: EventLinks | undefined
}

const text = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 300, pattern: '^[^\\x00]*$', description }))
const maxId = Number.MAX_SAFE_INTEGER
/** An incident's number in a path. */
export const IncidentId = Type.Object({ id: Type.Integer({ minimum: 1, maximum: maxId }) })

/** Reading of incidents. */
export const incidentRoutes = (reads: IncidentReads): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/incidents',
    auth: 'user',
    summary: 'Incidents, newest first: the alerts of one problem are one',
    description: 'All conditions that are given hold for each; merged ones are left out otherwise.',
    query: Type.Object(
      {
        state: Type.Optional(Type.Enum(['open', 'closed', 'merged'])),
        account: text('name of the account'),
        service: text('of any member'),
        host: text('of any member'),
        monitor: text("any member's monitor, by id"),
        assigned_to: text('who is at it'),
        page: Type.Integer({ minimum: 1, maximum: 100_000, default: 1 }),
        per_page: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
        cursor: Type.Optional(
          Type.String({ pattern: '^[0-9]{1,15}$', description: '`next_cursor` of the page before' })
        )
      },
      { additionalProperties: false }
    ),
    response: Type.Object({
      incidents: Type.Array(IncidentBody),
      total_count: Type.Integer(),
      page: Type.Integer(),
      per_page: Type.Integer(),
      next_cursor: Type.Union([Type.String(), Type.Null()])
    }),
    async handle({ query: { page, per_page, cursor, ...filter } }) {
      const { incidents, total } = await incidentStore.list(reads.db, filter, {
        limit: per_page,
        offset: (page - 1) * per_page,
        ...(cursor === undefined ? {} : { before: Number(cursor) })
      })
      const linked = await reads.links?.of(incidents.map(({ eventId }) => eventId))
      return {
        incidents: incidents.map(each => incidentBody(each, linked?.get(each.eventId))),
        total_count: total,
        page,
        per_page,
        next_cursor: incidents.length === per_page ? String(incidents.at(-1)?.id) : null
      }
    }
  }),
  defineRoute({
    method: 'GET',
    path: '/incidents/{id}',
    auth: 'user',
    summary: 'One incident: its members and why each is one, and what became of it',
    params: IncidentId,
    query: Type.Object(
      {
        after_member: Type.Integer({ minimum: 0, maximum: maxId, default: 0 }),
        members: Type.Integer({ minimum: 1, maximum: 1_000, default: 200 })
      },
      { additionalProperties: false }
    ),
    response: WholeIncident,
    also: { 404: 'no incident has this id' },
    handle: ({ params: { id }, query }) =>
      wholeIncident(reads, id, { after: query.after_member, limit: query.members })
  })
]

/** One incident as a route answers it. */
export async function wholeIncident(
  { db, links }: IncidentReads,
  id: number,
  page: { readonly after: number; readonly limit: number } = { after: 0, limit: 200 }
) {
  const incident = await incidentStore.find(db, id)
  if (!incident) throw notFound('incident', String(id), 'GET /v1/incidents')
  const members = await memberStore.list(db, id, page)
  const linked = await links?.of([incident.eventId])
  return {
    ...incidentBody(incident, linked?.get(incident.eventId)),
    members: members.map(memberBody),
    next_member: members.length === page.limit ? (members.at(-1)?.id ?? null) : null,
    log: (await incidentStore.logOf(db, id)).map(logBody)
  }
}
