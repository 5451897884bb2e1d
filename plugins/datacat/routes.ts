import type { PluginApp } from '../../core/index.ts'
import { compatRoutes } from './routes/compat.ts'
import type { Datacats } from './service.ts'

export function routes(app: PluginApp<unknown>, datacat: Datacats): void {
  compatRoutes(app, datacat, app.log)
}
