import { definePlugin } from '../../core/index.ts'
import { DatadogToken } from '../datadog-proxy/contract.ts'
import { commands } from './commands/receive.ts'
import { config } from './config.ts'
import {
  AlertReceived,
  EventLinksToken,
  EventsDeleted,
  WebhooksToken,
  webhooksErrors
} from './contract.ts'
import { events } from './migrations/0001_events.ts'
import { narrowRows } from './migrations/0002_narrow_rows.ts'
import { oneCall } from './migrations/0003_one_call.ts'
import { countRoutes } from './routes/counts.ts'
import { eventRoutes } from './routes/events.ts'
import { rawBodyRoute } from './routes/raw-body.ts'
import { receiveRoutes } from './routes/receive.ts'
import { createEventReader } from './service/read-events.ts'
import { createWebhooks } from './service/receive.ts'
import { deleteOldEvents, type Retention } from './service/retention.ts'
import { storeStatement } from './store/append.ts'
import { eventStore } from './store/events.ts'

export default definePlugin({
  id: 'webhooks',
  version: '1.0.0',
  errors: webhooksErrors,
  config,
  migrations: [events, narrowRows, oneCall],
  wants: { datadog: DatadogToken, links: EventLinksToken },
  provides: [WebhooksToken],
  register(app, { datadog, links }) {
    const reader = createEventReader(app.db, links)
    const received = app.keep(AlertReceived, reader.received)
    const webhooks = createWebhooks({
      db: app.db,
      store: app.statement(storeStatement.name, storeStatement.text),
      received,
      datadog,
      log: app.log
    })
    app.provide(WebhooksToken, webhooks)
    const retention: Retention = {
      db: app.db,
      received,
      links,
      deleted: (trx, ids) => app.emit(trx, EventsDeleted, { event_ids: [...ids] }),
      days: app.config.retention_days,
      quotaMb: app.config.quota_mb
    }
    app.schedule('retain', '37 3 * * *', async job => {
      await deleteOldEvents(retention, job)
    })
    app.schedule('forget-bytes', '*/5 * * * *', () => eventStore.forgetBytes(app.db))
    for (const route of [
      ...receiveRoutes(webhooks),
      ...eventRoutes(reader, links !== undefined),
      ...countRoutes({ db: app.db, events: reader, links })
    ])
      app.route(route)
    rawBodyRoute(app, '/v1/webhooks', reader)
    commands(app)
  }
})
