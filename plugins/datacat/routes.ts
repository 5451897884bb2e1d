import type { PluginApp } from '../../core/index.ts'
import { compatRoutes } from './routes/compat.ts'
import { readRoutes } from './routes/read.ts'
import { writeRoutes } from './routes/write.ts'
import type { Datacats } from './service.ts'

export function routes(app: PluginApp<unknown>, datacat: Datacats): void {
  writeRoutes(app, datacat)
  readRoutes(app, app.db)
  compatRoutes(app, datacat, app.log)
}
