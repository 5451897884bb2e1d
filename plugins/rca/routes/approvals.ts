import { Type, type PluginApp } from '../../../core/index.ts'
import type { ApprovalRow } from '../store/approvals.ts'
import type { Rca } from './rca.ts'
import { nullableText } from './wire.ts'

const Wish = Type.Object({
  id: Type.String(),
  tool: Type.String(),
  account: Type.String(),
  arguments: Type.Unknown(),
  says: Type.String(),
  asked_by: Type.String(),
  asked_at: Type.String(),
  expires_at: Type.String(),
  decision: nullableText,
  decided_by: nullableText,
  used_at: nullableText,
  outcome: nullableText
})
const wishOf = ({ id, tool, account, says, decision, outcome, ...row }: ApprovalRow) => ({
  id,
  tool,
  account,
  arguments: row.arguments,
  says,
  asked_by: row.asked_by,
  asked_at: row.asked_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  decision,
  decided_by: row.decided_by,
  used_at: row.used_at?.toISOString() ?? null,
  outcome
})

/** What tools want to change in Datadog, for a person to decide. */
export function approvalRoutes(app: PluginApp<unknown>, { approvals }: Rca): void {
  app.route({
    method: 'GET',
    path: '/approvals',
    auth: 'admin',
    summary: 'Changes that tools want to make or have made, newest first',
    query: Type.Object(
      { limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }) },
      { additionalProperties: false }
    ),
    response: Type.Object({ approvals: Type.Array(Wish) }),
    async handle({ query: { limit } }) {
      return { approvals: (await approvals.list(limit)).map(wishOf) }
    }
  })
  app.route({
    method: 'POST',
    path: '/approvals/{id}',
    auth: 'admin',
    summary: 'Approve or reject one change; the approval is shown this once',
    description:
      'Whoever asked calls the tool again with `dry_run: false` and the approval. It holds for 15 ' +
      'minutes, once, and for exactly the tool, the account and the input shown.',
    params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    body: Type.Object(
      { decision: Type.Enum(['approved', 'rejected']) },
      { additionalProperties: false }
    ),
    response: Type.Object({ approval: nullableText, wish: Wish }),
    also: { 404: 'nothing waits under this id', 409: 'it was decided already, or has run out' },
    async handle({ params: { id }, body: { decision }, principal }) {
      const { approval, row } = await approvals.decide(id, decision, principal.name)
      return { approval, wish: wishOf(row) }
    }
  })
}
