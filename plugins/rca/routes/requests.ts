import { reply, Type, type PluginApp, type Principal } from '../../../core/index.ts'
import { AnalysisStatus } from '../contract.ts'
import type { Rca } from './rca.ts'
import { AnalysisId, noAnalysis } from './wire.ts'

const Name = Type.Optional(Type.String({ minLength: 1, maxLength: 255 }))
const Settings = {
  model: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'another model than the usual one' })
  ),
  instructions: Type.Optional(
    Type.String({ minLength: 1, maxLength: 2_000, description: 'words for the model' })
  ),
  notebook: Type.Optional(Type.Boolean({ description: 'whether Datadog gets a notebook of it' }))
}
const Asked = Type.Object(
  {
    monitor_id: Type.String({ pattern: '^[0-9]{1,19}$' }),
    account: Name,
    at: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'when it alerted; the last alert of the monitor when left out'
      })
    ),
    service: Name,
    env: Name,
    host: Name,
    ...Settings
  },
  { additionalProperties: false }
)
const Opened = Type.Object({ id: Type.String(), url: Type.String(), status: AnalysisStatus })
const opened = (id: string) => ({ id, url: `/v1/rca/${id}`, status: 'pending' as const })
const by = ({ name }: Principal): string => name

/** What people want of analyses: one now, or one again. */
export function requestRoutes(app: PluginApp<unknown>, { requests }: Rca): void {
  app.route({
    method: 'POST',
    path: '',
    auth: 'user',
    summary: 'Analyse a monitor now, without a webhook',
    body: Asked,
    response: Opened,
    status: 202,
    async handle({ body, principal, signal }) {
      return reply(202, opened(await requests.ask(body, by(principal), signal)))
    }
  })
  app.route({
    method: 'POST',
    path: '/{id}/rerun',
    auth: 'user',
    summary: 'Analyse the same alert again, with another model or other words for it',
    description: 'A new analysis that names the old one; it makes no notebook unless asked to.',
    params: AnalysisId,
    body: Type.Object(Settings, { additionalProperties: false }),
    response: Opened,
    status: 202,
    also: noAnalysis,
    async handle({ params: { id }, body, principal }) {
      return reply(202, opened(await requests.rerun(id, body, by(principal))))
    }
  })
}
