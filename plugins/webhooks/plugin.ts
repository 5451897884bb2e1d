import { definePlugin } from '../../core/index.ts'
import { DatadogToken } from '../datadog-proxy/contract.ts'
import { EventLinksToken, WebhooksToken, webhooksErrors } from './contract.ts'
import { events } from './migrations/0001_events.ts'
import { routes } from './routes.ts'
import { createWebhooks } from './service.ts'

export default definePlugin({
  id: 'webhooks',
  version: '1.0.0',
  errors: webhooksErrors,
  migrations: [events],
  wants: { datadog: DatadogToken, links: EventLinksToken },
  provides: [WebhooksToken],
  register(app, { datadog, links }) {
    const webhooks = createWebhooks({ db: app.db, emit: app.emit, datadog, log: app.log })
    app.provide(WebhooksToken, webhooks)
    routes(app, webhooks, links, app.db)
  }
})
