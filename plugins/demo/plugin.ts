import { definePlugin, Type } from '../../core/index.ts'
import { DatadogToken, SimulatedAccountsToken } from '../datadog-proxy/contract.ts'
import { EventLinksToken, IncidentsToken, WebhooksToken } from '../webhooks/contract.ts'
import { commands } from './commands.ts'
import { config } from './config.ts'
import { demoErrors } from './contract.ts'
import { incidents as currentIncidents } from './migrations/0001_incidents.ts'
import { routes } from './routes.ts'
import { startDemo, type Demo } from './service/start-demo.ts'

export default definePlugin({
  id: 'demo',
  version: '1.0.0',
  errors: demoErrors,
  config,
  migrations: [currentIncidents],
  needs: { datadog: DatadogToken, accounts: SimulatedAccountsToken },
  wants: { webhooks: WebhooksToken, incidents: IncidentsToken, links: EventLinksToken },
  register(app, { datadog, accounts, webhooks, incidents, links }) {
    const production = process.env['NODE_ENV'] === 'production'
    if (app.config.routes === 'on' || (app.config.routes === 'auto' && !production))
      routes(app, webhooks, links)
    commands(app)
    let demo: Demo | undefined
    const fire = app.job('fire-alert', {
      payload: Type.Object({ incident: Type.String() }),
      // The job's key makes it once per incident, also over restarts and several processes.
      async run() {
        if (demo?.simulator && webhooks)
          await webhooks.receive({
            raw: Buffer.from(demo.simulator.renderWebhook()),
            headers: { 'content-type': 'application/json', 'user-agent': 'rayne-simulator' }
          })
      }
    })
    app.onReady(async () => {
      demo = await startDemo({ config: app.config, db: app.db, datadog, accounts, production })
      if (!demo) return
      // Whoever tries it out wants to see the report, and no storm is simulated.
      incidents?.gatherFor(0)
      const { where, incidentId } = demo
      if (incidentId && app.config.fire && webhooks)
        await fire.enqueue({ incident: incidentId }, { key: incidentId })
      const sent = incidentId ? ` Scenario ${app.config.scenario} sent its alert once.` : ''
      const detail = `Datadog is SIMULATED at ${where}: no key is set; everything else is real.${sent}`
      app.check('simulator', { required: false, run: async () => ({ ok: true, detail }) })
    })
    app.onClose(async () => demo?.close())
  }
})
