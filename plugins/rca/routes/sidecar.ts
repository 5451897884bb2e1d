import { reply, Type, type PluginApp, type Static } from '../../../core/index.ts'
import { AnalysisStatus } from '../contract.ts'
import { analyseAndWait, type OldRequest } from '../service/analyse-and-wait.ts'
import { alertOfPayload, type OldPayload } from '../service/alert-of-payload.ts'
import { generateNotebook } from '../service/generate-notebook.ts'
import { recoverNow } from '../service/recover-now.ts'
import { outcomeStore } from '../store/outcomes.ts'
import type { Rca } from './rca.ts'
import { nullableText } from './wire.ts'

const OldBody = Type.Object(
  {
    payload: Type.Optional(Type.Object({}, { additionalProperties: true })),
    template_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    instructions: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 }))
  },
  { additionalProperties: true, description: 'The payload under `payload`, or as the body itself' }
)
const Analysed = Type.Object({
  success: Type.Boolean(),
  status: AnalysisStatus,
  id: Type.String(),
  url: Type.String(),
  monitorId: nullableText,
  monitorName: nullableText,
  analysis: nullableText,
  similarRCAs: Type.Integer(),
  templateUsed: nullableText,
  payloadFields: Type.Integer(),
  notebook: Type.Union([Type.Object({ id: Type.String(), url: Type.String() }), Type.Null()]),
  error: Type.Optional(Type.String()),
  monitorType: Type.Optional(Type.String()),
  triggerTime: Type.Optional(Type.String()),
  timestamp: Type.String()
})
const Registry = Type.Object({
  count: Type.Integer(),
  notebooks: Type.Array(
    Type.Object({
      monitorId: nullableText,
      monitorName: nullableText,
      notebookId: Type.String(),
      notebookUrl: Type.String(),
      createdAt: Type.String(),
      status: Type.Union([Type.Literal('Active'), Type.Literal('Resolved')]),
      resolvedAt: nullableText
    })
  ),
  timestamp: Type.String()
})

function requestOf(body: Static<typeof OldBody>): OldRequest {
  const { payload, template_id: templateId, instructions, ...bare } = body
  return { payload: (payload ?? bare) as OldPayload, templateId, instructions }
}

/** What the first version's sidecar answered, for callers that know its words. */
export function sidecarRoutes(app: PluginApp<unknown>, rca: Rca): void {
  for (const type of ['analyze', 'watchdog'] as const)
    app.route({
      method: 'POST',
      path: `/${type}`,
      auth: 'user',
      summary: `Analyse the alert of a payload and wait for the report (first version: /${type})`,
      description: '202 when it takes longer than a request may: `url` has it when it is done.',
      body: OldBody,
      response: Analysed,
      also: { 202: 'it is still running' },
      async handle({ body, principal, signal }) {
        const request = requestOf(body)
        const answer = await analyseAndWait(rca, request, principal.name, signal)
        const { at } = alertOfPayload(request.payload)
        const triggerTime = new Date(at ?? Date.now()).toISOString()
        return reply(answer.status === 'pending' || answer.status === 'running' ? 202 : 200, {
          ...answer,
          ...(type === 'watchdog' ? { monitorType: type, triggerTime } : {})
        })
      }
    })
  app.route({
    method: 'POST',
    path: '/recover',
    auth: 'user',
    summary: 'A monitor has recovered (first version: /recover)',
    body: OldBody,
    response: Type.Object({
      success: Type.Boolean(),
      monitorId: Type.String(),
      monitorName: nullableText,
      alertStatus: nullableText,
      recoveryTimestamp: Type.String(),
      notebookUpdated: Type.Boolean(),
      notebookId: nullableText,
      notebookUrl: nullableText,
      registryStatus: Type.String(),
      timestamp: Type.String()
    }),
    handle: ({ body, signal }) => recoverNow(rca, requestOf(body).payload, signal)
  })
  notebookRoute(app, rca)
  app.route({
    method: 'GET',
    path: '/notebooks/registry',
    auth: 'user',
    summary: 'Notebooks and whether their alerts are over, newest first, at most 500',
    response: Registry,
    async handle() {
      const notebooks = await outcomeStore.notebooks(rca.db, 500)
      return { count: notebooks.length, notebooks, timestamp: new Date().toISOString() }
    }
  })
}

function notebookRoute(app: PluginApp<unknown>, rca: Rca): void {
  app.route({
    method: 'POST',
    path: '/generate-notebook',
    auth: 'user',
    summary: 'A text as the JSON of a notebook; makes none (first version: /generate-notebook)',
    body: Type.Object({
      title: Type.String({ minLength: 1, maxLength: 500 }),
      analysis: Type.String({ minLength: 1, maxLength: 200_000 }),
      monitorId: Type.Optional(
        Type.Union([Type.String({ pattern: '^[0-9]{1,19}$' }), Type.Integer({ minimum: 1 })])
      )
    }),
    response: Type.Object({
      success: Type.Boolean(),
      notebook: Type.String(),
      timestamp: Type.String()
    }),
    async handle({ body: { title, analysis, monitorId } }) {
      const monitor = monitorId === undefined ? {} : { monitorId: String(monitorId) }
      const notebook = await generateNotebook(rca.datadog, { title, analysis, ...monitor })
      return { success: true, notebook, timestamp: new Date().toISOString() }
    }
  })
}
