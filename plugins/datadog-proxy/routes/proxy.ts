import type { PluginApp } from '../../../core/index.ts'
import { downtimeRoutes } from './downtimes.ts'
import { eventRoutes } from './events.ts'
import { hostRoutes } from './hosts.ts'
import { logRoutes } from './logs.ts'
import { monitorRoutes } from './monitors.ts'
import { privateLocationRoutes, type PrivateLocationSettings } from './private-location.ts'
import { catalogRoutes } from './services.ts'
import type { Datadog } from '../service/datadog.ts'

/** Every proxy route: what the first version passed on from Datadog, with accounts, paging, time ranges and honest statuses. */
export function routes(
  app: PluginApp<unknown>,
  datadog: Datadog,
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
