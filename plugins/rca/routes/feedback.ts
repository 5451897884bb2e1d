import { invalid, reply, Type, type PluginApp } from '../../../core/index.ts'
import { Feedback, SimilarIncident } from '../contract.ts'
import { similarTo } from '../service/recall-incidents.ts'
import { foundAnalysis } from '../service/request-analysis.ts'
import { memoryStore } from '../store/memories.ts'
import { outcomeStore } from '../store/outcomes.ts'
import type { Rca } from './rca.ts'
import { AnalysisId, noAnalysis } from './wire.ts'

const Words = (maxLength: number, description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description }))
const Said = Type.Object(
  {
    judgement: Type.Optional(Type.Union([Type.Literal('right'), Type.Literal('wrong')])),
    cause: Words(2_000, 'what it really was'),
    component: Words(255, 'where it really was'),
    class: Words(100, 'which class of cause it really was'),
    note: Words(4_000, 'how it was resolved, or what else is to be known')
  },
  { additionalProperties: false }
)
/** What people say of analyses, and what that makes of them. */
export function feedbackRoutes(app: PluginApp<unknown>, { db, vectors }: Rca): void {
  app.route({
    method: 'POST',
    path: '/{id}/feedback',
    auth: 'user',
    summary: 'Say that a report was right or wrong, what it really was, or how it was resolved',
    description:
      'A confirmed cause is remembered for incidents of the same account that look alike.',
    params: AnalysisId,
    body: Said,
    response: Type.Object({ id: Type.String(), feedback: Type.Array(Feedback) }),
    status: 201,
    also: noAnalysis,
    async handle({ params: { id }, body, principal }) {
      if (Object.keys(body).length === 0)
        throw invalid('/body', 'takes judgement, cause, component, class or note')
      await foundAnalysis(db, id)
      const { judgement = null, cause = null, component = null, note = null } = body
      const said = { judgement, cause, component, class: body.class ?? null, note }
      await outcomeStore.say(db, id, { ...said, given_by: principal.name })
      return reply(201, { id, feedback: await outcomeStore.said(db, id) })
    }
  })
  app.route({
    method: 'GET',
    path: '/{id}/feedback',
    auth: 'user',
    summary: 'What was said of an analysis, oldest first',
    params: AnalysisId,
    response: Type.Object({ id: Type.String(), feedback: Type.Array(Feedback) }),
    also: noAnalysis,
    async handle({ params: { id } }) {
      await foundAnalysis(db, id)
      return { id, feedback: await outcomeStore.said(db, id) }
    }
  })
  app.route({
    method: 'GET',
    path: '/{id}/similar',
    auth: 'user',
    summary: 'Incidents of the same account that look like this one, as they are known today',
    params: AnalysisId,
    response: Type.Object({ id: Type.String(), similar: Type.Array(SimilarIncident) }),
    also: noAnalysis,
    async handle({ params: { id }, signal }) {
      const { account } = await foundAnalysis(db, id)
      const signs = await memoryStore.signsOf(db, id)
      if (signs === null) return { id, similar: [] }
      return { id, similar: await similarTo({ db, vectors, signal }, { id, account, signs }) }
    }
  })
}
