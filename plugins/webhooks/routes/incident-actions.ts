import { defineRoute, reply, Type, type Route } from '../../../core/index.ts'
import type { IncidentHandling } from '../service/incidents/handle-incident.ts'
import { IncidentId, wholeIncident, type IncidentReads } from './incidents.ts'
import { WholeIncident } from './wire-incident.ts'

const words = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\x00]*$' })
const closed = { additionalProperties: false }
const action = {
  method: 'POST',
  auth: 'user',
  params: IncidentId,
  response: WholeIncident,
  also: { 404: 'no incident has this id', 409: 'it is not open' }
} as const

/** What people do with an incident; each answers what it is like then. */
export const incidentActions = (reads: IncidentReads, handling: IncidentHandling): Route[] => [
  defineRoute({
    ...action,
    path: '/incidents/{id}/acknowledge',
    summary: 'Say that you are at it; who was first stays',
    async handle({ params: { id }, principal }) {
      await handling.acknowledge(id, principal.name)
      return wholeIncident(reads, id)
    }
  }),
  defineRoute({
    ...action,
    path: '/incidents/{id}/assign',
    summary: 'Give it to somebody, or to nobody',
    body: Type.Object({ to: Type.Union([words(255), Type.Null()]) }, closed),
    async handle({ params: { id }, body: { to }, principal }) {
      await handling.assign(id, to, principal.name)
      return wholeIncident(reads, id)
    }
  }),
  defineRoute({
    ...action,
    path: '/incidents/{id}/note',
    summary: 'Add a note to its log',
    body: Type.Object({ text: words(4_000) }, closed),
    status: 201,
    async handle({ params: { id }, body: { text }, principal }) {
      await handling.note(id, text, principal.name)
      return reply(201, await wholeIncident(reads, id))
    }
  }),
  defineRoute({
    ...action,
    path: '/incidents/{id}/close',
    summary: 'Say that it is over, though no recovery came',
    body: Type.Object({ text: Type.Optional(words(4_000)) }, closed),
    async handle({ params: { id }, body: { text }, principal }) {
      await handling.close(id, text, principal.name)
      return wholeIncident(reads, id)
    }
  }),
  defineRoute({
    ...action,
    path: '/incidents/{id}/split',
    summary: 'Make members an incident of their own, which is analysed; answers that one',
    body: Type.Object(
      {
        members: Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
          minItems: 1,
          maxItems: 1_000
        })
      },
      closed
    ),
    status: 201,
    async handle({ params: { id }, body: { members }, principal }) {
      const made = await handling.split(id, members, principal.name)
      return reply(201, await wholeIncident(reads, made))
    }
  })
]
