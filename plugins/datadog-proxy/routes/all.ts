import { accountRoutes } from './accounts.ts'
import type { AddRoute, Served } from './add-route.ts'
import { downtimeRoutes } from './downtimes.ts'
import { eventRoutes } from './events.ts'
import { hostRoutes } from './hosts.ts'
import { logRoutes } from './logs.ts'
import { monitorRoutes } from './monitors.ts'
import { privateLocationRoute } from './private-location.ts'
import { catalogRoutes } from './services.ts'

/** What the first version passed on from Datadog, with accounts, paging, time ranges and honest statuses. */
export const proxyRoutes: readonly AddRoute[] = [
  ...downtimeRoutes,
  ...eventRoutes,
  ...hostRoutes,
  ...monitorRoutes,
  ...logRoutes,
  ...catalogRoutes,
  privateLocationRoute
]

/** Every route of this plugin. */
export const routes: readonly AddRoute<Served>[] = [...accountRoutes, ...proxyRoutes]
