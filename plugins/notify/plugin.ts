import { definePlugin, Type, type JobContext, type JobHandle, type Knex } from '../../core/index.ts'
import { AnalysisEnded } from '../rca/contract.ts'
import {
  ForwardDue,
  IncidentChanged,
  IncidentSettled,
  IncidentsToken,
  WebhooksToken
} from '../webhooks/contract.ts'
import { openChannel } from './channels/all.ts'
import { commands } from './commands.ts'
import { config, readChannels } from './config.ts'
import { notifyErrors } from './contract.ts'
import { messages } from './migrations/0001_messages.ts'
import { incidents as incidentThreads } from './migrations/0002_incidents.ts'
import { routes } from './routes.ts'
import { createEscalation, type Escalation } from './service/escalate.ts'
import { createForwarding } from './service/forward.ts'
import { createOutbox, type Send } from './service/outbox.ts'
import { createThreads } from './service/threads.ts'

export default definePlugin({
  id: 'notify',
  version: '1.0.0',
  errors: notifyErrors,
  config,
  migrations: [messages, incidentThreads],
  wants: { incidents: IncidentsToken, webhooks: WebhooksToken },
  register(app, { incidents, webhooks }) {
    commands(app)
    const { db } = app
    const { channels: settings, routes: routing } = readChannels(app.config)
    const channels = settings.map(openChannel)
    const outbox = createOutbox({ db, channels, routes: routing })
    const deliver: JobHandle<Send> = app.job('deliver', {
      payload: Type.Object({ deliveryId: Type.Integer() }),
      maxConcurrent: 8,
      maxRetries: 8,
      timeoutSeconds: 30,
      run: (sent, context) => outbox.run(sent, context, deliver)
    })
    routes(app, { db, channels, outbox, deliver })
    if (webhooks) app.on(ForwardDue, createForwarding(db, webhooks, app.config.forward_secret))
    // Nobody to tell, or nothing to tell of: an alert costs nothing here.
    if (channels.length === 0 || !incidents) return
    const escalation = createEscalation({ db, routes: routing, incidents, outbox, deliver })
    const escalate: JobHandle<Escalation> = app.job('escalate', {
      payload: Type.Object({
        threadId: Type.Integer(),
        incidentId: Type.Integer(),
        route: Type.String()
      }),
      run: escalation.run
    })
    const threads = createThreads({
      base: app.config.url,
      incidents,
      begun: (trx, ...thread) => escalation.begin(trx, escalate, ...thread),
      tell: (trx, ...told) => outbox.tell(trx, deliver, ...told)
    })
    const fenced = (job: JobContext, run: (trx: Knex.Transaction) => Promise<void>) =>
      db.transaction(async trx => {
        await job.fence(trx)
        await run(trx)
      })
    app.on(IncidentSettled, ({ incident_id: id }, job) =>
      fenced(job, trx => threads.incident(trx, id))
    )
    app.on(IncidentChanged, ({ incident_id: id }, job) =>
      fenced(job, trx => threads.incident(trx, id))
    )
    app.on(AnalysisEnded, (ended, job) => fenced(job, trx => threads.analysed(trx, ended)))
  }
})
