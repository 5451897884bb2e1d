import { definePlugin, Type } from '../../core/index.ts'
import { DatadogToken } from '../datadog-proxy/contract.ts'
import { AlertReceived, EventLinksToken } from '../webhooks/contract.ts'
import { commands } from './commands.ts'
import { config } from './config.ts'
import { rcaErrors } from './contract.ts'
import { analyses } from './migrations/0001_analyses.ts'
import { routes } from './routes.ts'
import { createAnalyser } from './service/analyse.ts'
import { createEventLinks } from './service/link-events.ts'
import { openInvestigator } from './service/investigate/open-investigator.ts'
import { openAnalysis } from './service/open-analysis.ts'

export default definePlugin({
  id: 'rca',
  version: '1.0.0',
  errors: rcaErrors,
  config,
  migrations: [analyses],
  needs: { datadog: DatadogToken },
  provides: [EventLinksToken],
  register(app, { datadog }) {
    const { concurrency, timeout_seconds: timeoutSeconds } = app.config
    const { config: settings, toolbox, db, log } = app
    const investigator = openInvestigator({ settings, toolbox, db, log })
    const analyse = app.job('analyse', {
      payload: Type.Object({ analysisId: Type.String() }),
      maxConcurrent: concurrency,
      timeoutSeconds,
      maxRetries: 4,
      run: createAnalyser({ db: app.db, datadog, investigator })
    })
    app.on(AlertReceived, (alert, job) =>
      app.db.transaction(trx => openAnalysis(trx, alert, job, analyse))
    )
    app.provide(EventLinksToken, createEventLinks(app.db))
    commands(app, datadog)
    routes(app, app.db)
  }
})
