import { Type, type PluginApp } from '../../../core/index.ts'
import { outcomeStore } from '../store/outcomes.ts'
import type { Rca } from './rca.ts'

const Account = Type.Object(
  { account: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) },
  { additionalProperties: false }
)

/** How analyses ended, what they cost, and how right they were. */
export function statsRoutes(app: PluginApp<unknown>, { db }: Rca): void {
  app.route({
    method: 'GET',
    path: '/stats',
    auth: 'user',
    summary: 'How many analyses there are, what they cost, and how often people called them right',
    query: Account,
    response: Type.Object({
      by_status: Type.Record(Type.String(), Type.Integer()),
      cost_usd: Type.Number(),
      judged: Type.Integer(),
      /** Right of judged, 0 to 1; null when nobody has judged one. */
      precision: Type.Union([Type.Number(), Type.Null()]),
      by_verdict: Type.Record(
        Type.String(),
        Type.Object({ right: Type.Integer(), wrong: Type.Integer() })
      )
    }),
    async handle({ query: { account } }) {
      const [counts, judged] = await Promise.all([
        outcomeStore.counts(db, account),
        outcomeStore.precision(db, account)
      ])
      const right = judged.reduce((sum, one) => sum + one.right, 0)
      const all = judged.reduce((sum, one) => sum + one.right + one.wrong, 0)
      return {
        by_status: Object.fromEntries(counts.map(({ status, count }) => [status, count])),
        cost_usd: counts.reduce((sum, { usd }) => sum + usd, 0),
        judged: all,
        precision: all === 0 ? null : right / all,
        by_verdict: Object.fromEntries(judged.map(({ verdict, ...figures }) => [verdict, figures]))
      }
    }
  })
}
