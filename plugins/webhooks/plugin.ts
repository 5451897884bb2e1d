import { definePlugin } from '../../core/index.ts'
import { DatadogToken } from '../datadog-proxy/contract.ts'
import { commands } from './commands/receive.ts'
import { config } from './config.ts'
import {
  AlertReceived,
  EventLinksToken,
  IncidentsToken,
  WebhooksToken,
  webhooksErrors
} from './contract.ts'
import { alertJobs, retentionJobs } from './jobs.ts'
import { events } from './migrations/0001_events.ts'
import { narrowRows } from './migrations/0002_narrow_rows.ts'
import { oneCall } from './migrations/0003_one_call.ts'
import { incidents as incidentTables } from './migrations/0004_incidents.ts'
import { configs as configTables } from './migrations/0005_configs.ts'
import { configRoutes } from './routes/configs.ts'
import { countRoutes } from './routes/counts.ts'
import { eventRoutes } from './routes/events.ts'
import { figureRoutes } from './routes/figures.ts'
import { incidentActions } from './routes/incident-actions.ts'
import { incidentRoutes } from './routes/incidents.ts'
import { rawBodyRoute } from './routes/raw-body.ts'
import { receiveRoutes } from './routes/receive.ts'
import { createEventReader } from './service/read-events.ts'
import { createWebhooks } from './service/receive.ts'
import { storeStatement } from './store/append.ts'

export default definePlugin({
  id: 'webhooks',
  version: '1.0.0',
  errors: webhooksErrors,
  config,
  prefix: '/v1',
  migrations: [events, narrowRows, oneCall, incidentTables, configTables],
  wants: { datadog: DatadogToken, links: EventLinksToken },
  provides: [WebhooksToken, IncidentsToken],
  register(app, { datadog, links }) {
    const reader = createEventReader(app.db, links)
    const received = app.keep(AlertReceived, ids => reader.received(ids))
    const webhooks = createWebhooks({
      db: app.db,
      store: app.statement(storeStatement.name, storeStatement.text),
      received,
      datadog,
      log: app.log
    })
    app.provide(WebhooksToken, webhooks)
    const { incidents, acting } = alertJobs(app, reader, datadog)
    app.provide(IncidentsToken, incidents.service)
    retentionJobs(app, received, links)
    for (const route of [
      ...receiveRoutes(webhooks),
      ...eventRoutes(reader, links !== undefined),
      ...countRoutes({ db: app.db, events: reader, links }),
      ...configRoutes({ db: app.db, events: reader, acting }),
      ...figureRoutes({ db: app.db, received, links }),
      ...incidentRoutes({ db: app.db, links }),
      ...incidentActions({ db: app.db, links }, incidents.handling)
    ])
      app.route(route)
    rawBodyRoute(app, '/v1/webhooks', reader)
    commands(app)
  }
})
