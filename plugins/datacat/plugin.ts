import { definePlugin } from '../../core/index.ts'
import { config } from './config.ts'
import { DatacatToken, datacatErrors, SessionsToken } from './contract.ts'
import { purgeJob, watchHeartbeats } from './jobs.ts'
import { sessions } from './migrations/0001_sessions.ts'
import { series } from './migrations/0002_series.ts'
import { append } from './migrations/0003_append.ts'
import { stateLog } from './migrations/0004_state_log.ts'
import { clocks } from './migrations/0005_clocks.ts'
import { figures } from './migrations/0006_figures.ts'
import { routes } from './routes/all.ts'
import { createDatacatService } from './service/datacat.ts'
import { createReader } from './service/read-in-process.ts'

export default definePlugin({
  id: 'datacat',
  version: '1.0.0',
  errors: datacatErrors,
  config,
  migrations: [sessions, series, append, stateLog, clocks, figures],
  provides: [DatacatToken, SessionsToken],
  register(app) {
    const datacat = createDatacatService({
      db: app.db,
      ingest: app.pool(8),
      readers: app.pool(6),
      emit: app.emit,
      log: app.log,
      purge: purgeJob(app),
      limits: {
        hungAfterSeconds: app.config.hung_after_seconds,
        crashedAfterSeconds: app.config.crashed_after_seconds
      }
    })
    app.provide(DatacatToken, datacat.inProcess)
    app.provide(SessionsToken, createReader(datacat.sessions))
    for (const add of routes) add(app, datacat)
    watchHeartbeats(app, datacat)
  }
})
