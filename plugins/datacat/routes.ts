import type { PluginApp } from '../../core/index.ts'
import { compatRoutes } from './routes/compat.ts'
import { grafanaRoutes } from './routes/grafana.ts'
import { readRoutes } from './routes/read.ts'
import { seriesRoutes } from './routes/series.ts'
import { streamRoutes } from './routes/stream.ts'
import { writeRoutes } from './routes/write.ts'
import type { Datacats } from './service.ts'

export function routes(app: PluginApp<unknown>, datacat: Datacats): void {
  writeRoutes(app, datacat)
  readRoutes(app, app.db)
  seriesRoutes(app, app.db)
  streamRoutes(app, datacat)
  grafanaRoutes(app, app.db)
  // Last: it answers whatever the others leave.
  compatRoutes(app, datacat, app.log)
}
