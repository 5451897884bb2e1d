import { definePlugin, Type } from '../../core/index.ts'
import { DatadogToken } from '../datadog-proxy/contract.ts'
import {
  AlertReceived,
  EventLinksToken,
  EventsDeleted,
  IncidentSettled
} from '../webhooks/contract.ts'
import { analyseCommand } from './commands/analyse.ts'
import { recordCommand } from './commands/record.ts'
import { config } from './config.ts'
import { AnalysisEnded, rcaErrors } from './contract.ts'
import { openVectors } from './jobs/vectors.ts'
import { serveMcp } from './mcp/serve-mcp.ts'
import { migrations } from './store/tables.ts'
import { routes } from './routes/all.ts'
import { createApprovals } from './service/approvals.ts'
import { createFollowUp, recover } from './service/after-alert.ts'
import { createAnalyser } from './service/analyse.ts'
import { openInvestigator } from './service/investigate/open-investigator.ts'
import { createEventLinks } from './service/link-events.ts'
import { openAnalysis, readShare } from './service/open-analysis.ts'
import { createRequests } from './service/request-analysis.ts'
import { createNotebookResolver } from './service/resolve-notebook.ts'
import { serveTools, toolTokens } from './service/serve-tools.ts'
import { tellEnded } from './service/tell-ended.ts'
import { openWrittenTools } from './written/open-written-tools.ts'

export default definePlugin({
  id: 'rca',
  version: '1.0.0',
  errors: rcaErrors,
  config,
  migrations,
  needs: { datadog: DatadogToken },
  provides: [EventLinksToken, ...toolTokens],
  register(app, { datadog }) {
    const { concurrency, timeout_seconds: timeoutSeconds } = app.config
    const share = readShare(app.config)
    const { config: settings, db, log } = app
    const { toolbox, lifecycle } = openWrittenTools(app, datadog)
    const investigator = openInvestigator({ settings, toolbox, db, log })
    const hasModel = investigator !== undefined
    const ended = tellEnded((trx, told) => app.emit(trx, AnalysisEnded, told))
    const { vectors, forget } = openVectors(app)
    const analyser = createAnalyser({ db, datadog, investigator, vectors, ended })
    const analyse = app.job('analyse', {
      payload: Type.Object({
        analysisId: Type.String(),
        unlessEnded: Type.Optional(Type.Boolean())
      }),
      maxConcurrent: concurrency,
      timeoutSeconds,
      maxRetries: 4,
      run: analyser
    })
    const resolve = app.job('resolve-notebook', {
      payload: Type.Object({ analysisId: Type.String() }),
      run: createNotebookResolver({ db, datadog })
    })
    app.on(IncidentSettled, (incident, job) =>
      db.transaction(trx => openAnalysis(trx, incident, job, analyse, share))
    )
    app.on(AlertReceived, alert => db.transaction(trx => recover(trx, alert, resolve)))
    app.on(AnalysisEnded, createFollowUp({ db, datadog, resolve }))
    app.on(EventsDeleted, async ({ event_ids: ids }, job) => {
      const deleted = await forget(ids)
      job.log.info({ analyses: deleted }, 'retention: analyses of deleted webhooks were deleted')
    })
    app.provide(EventLinksToken, createEventLinks(app.db, concurrency))
    const requests = createRequests({ db, datadog, analyse, hasModel })
    const approvals = createApprovals(db)
    serveTools(app, { requests, vectors, approvals })
    recordCommand(app, datadog)
    analyseCommand(app, { db, datadog, requests, analyser, timeoutSeconds, log })
    const parts = { db, datadog, requests, resolve, hasModel, vectors, approvals }
    routes(app, { ...parts, toolbox, lifecycle })
    serveMcp(app, datadog, toolbox)
  }
})
