import { definePlugin, Type, type JobHandle } from '../../core/index.ts'
import { AnalysisEnded } from '../rca/contract.ts'
import { AlertReceived } from '../webhooks/contract.ts'
import { openChannel } from './channels/all.ts'
import { commands } from './commands.ts'
import { config, readChannels } from './config.ts'
import { notifyErrors } from './contract.ts'
import { messages } from './migrations/0001_messages.ts'
import { routes } from './routes.ts'
import { createOutbox, type Send } from './service/outbox.ts'
import { createThreads } from './service/threads.ts'

export default definePlugin({
  id: 'notify',
  version: '1.0.0',
  errors: notifyErrors,
  config,
  migrations: [messages],
  register(app) {
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
    const threads = createThreads({
      base: app.config.url,
      tell: (trx, id, message, facts) => outbox.tell(trx, deliver, id, message, facts)
    })
    routes(app, { db, channels, outbox, deliver })
    // Nobody to tell: an alert costs nothing here.
    if (channels.length === 0) return
    app.on(AlertReceived, (received, job) =>
      db.transaction(async trx => {
        await job.fence(trx)
        await threads.alert(trx, received)
      })
    )
    app.on(AnalysisEnded, (ended, job) =>
      db.transaction(async trx => {
        await job.fence(trx)
        await threads.analysed(trx, ended)
      })
    )
  }
})
