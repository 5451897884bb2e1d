import { Readable } from 'node:stream'
import { compile, Type, type PluginApp } from '../../../core/index.ts'
import { Step } from '../contract.ts'
import { foundAnalysis } from '../service/request-analysis.ts'
import { createStepStreams, hasEnded } from '../service/stream-steps.ts'
import { stepStore } from '../store/steps.ts'
import type { Rca } from './rca.ts'
import { AnalysisId, noAnalysis } from './wire.ts'

const number = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })
const pageSize = 200

/** What an analysis did and does, to read and to watch. */
export function stepRoutes(app: PluginApp<unknown>, { db }: Rca): void {
  app.route({
    method: 'GET',
    path: '/{id}/steps',
    auth: 'user',
    summary: `What an analysis did, oldest first, ${pageSize} at a time`,
    params: AnalysisId,
    query: Type.Object({ after: number }, { additionalProperties: false }),
    response: Type.Object({
      steps: Type.Array(Step),
      /** The number to ask after for what follows. */
      next_after: Type.Integer(),
      ended: Type.Boolean()
    }),
    also: noAnalysis,
    async handle({ params: { id }, query: { after } }) {
      // The status first: what was told before it changed is then seen for certain.
      const { status } = await foundAnalysis(db, id)
      const steps = await stepStore.after(db, id, after, pageSize)
      return { steps, next_after: steps.at(-1)?.number ?? after, ended: hasEnded(status) }
    }
  })
  const open = createStepStreams(db)
  const checkId = compile(AnalysisId)
  const checkNumber = compile(Type.Object({ after: number }), 'coerce')
  app.raw(
    'GET',
    '/v1/rca/{id}/steps/live',
    {
      summary:
        'What an analysis does, as server-sent events `step` and at last `end`; Last-Event-ID or ?after= replays',
      auth: 'user',
      about: { query: Type.Object({ after: Type.Optional(number) }) }
    },
    async (ctx, caller) => {
      const { id } = checkId({ id: (ctx['params'] as { id?: string }).id }, 'path')
      await foundAnalysis(db, id)
      const { after } = checkNumber(
        { after: ctx.get('last-event-id') || (ctx.query['after'] ?? 0) },
        'query'
      )
      const gone = new AbortController()
      ctx.res.once('close', () => gone.abort())
      const body = Readable.from(open(id, after, caller, gone.signal))
      ctx.status = 200
      ctx.set({
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache',
        'x-accel-buffering': 'no'
      })
      ctx.body = body
    }
  )
}
