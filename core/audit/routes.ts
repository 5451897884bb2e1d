import { Type } from 'typebox'
import { defineRoute, type Route } from '../route.ts'
import type { Audit, AuditRow } from './store.ts'

const Entry = Type.Object({
  id: Type.String(),
  at: Type.String(),
  actor: Type.String(),
  action: Type.String(),
  outcome: Type.String(),
  address: Type.String(),
  hash: Type.String()
})

/** What may be asked of the log, by the route and by `rayne audit`. */
export const AuditQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
    before: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }))
  },
  { additionalProperties: false }
)

/** An entry on the wire. */
export const auditWire = ({ id, at, actor, action, outcome, address, hash }: AuditRow) => ({
  id: String(id),
  at: at.toISOString(),
  actor,
  action,
  outcome,
  address,
  hash
})

export const auditRoute = (audit: Audit): Route =>
  defineRoute({
    method: 'GET',
    path: '/v1/audit',
    auth: 'admin',
    summary: 'Who did what: logins, tokens, refusals, accounts and settings, newest first',
    description: 'Entries are only added; each hash covers the one before. `before` is an id.',
    query: AuditQuery,
    response: Type.Object({ entries: Type.Array(Entry) }),
    async handle({ query: { limit, before } }) {
      return { entries: (await audit.list(limit, before)).map(auditWire) }
    }
  })
