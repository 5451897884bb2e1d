import type { PluginApp } from '../../core/index.ts'
import type { DatadogService } from './contract.ts'
import { downtimeRoutes } from './routes/downtimes.ts'
import { eventRoutes } from './routes/events.ts'
import { hostRoutes } from './routes/hosts.ts'
import { logRoutes } from './routes/logs.ts'
import { monitorRoutes } from './routes/monitors.ts'
import { privateLocationRoutes, type PrivateLocationSettings } from './routes/private-location.ts'
import { catalogRoutes } from './routes/services.ts'

/** Every proxy route: what the first version passed on from Datadog, with accounts, paging, time ranges and honest statuses. */
export function routes(
  app: PluginApp<unknown>,
  datadog: DatadogService,
  settings: PrivateLocationSettings
): void {
  downtimeRoutes(app, datadog)
  eventRoutes(app, datadog)
  hostRoutes(app, datadog)
  monitorRoutes(app, datadog)
  logRoutes(app, datadog)
  catalogRoutes(app, datadog)
  privateLocationRoutes(app, settings)
}
