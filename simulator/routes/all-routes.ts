import type { Route } from './route.ts'
import { aggregateRoutes } from './aggregates.ts'
import { appPages } from './app-pages.ts'
import { oldDowntimeRoutes } from './downtimes-v1.ts'
import { downtimeRoutes } from './downtimes-v2.ts'
import { eventIntakeRoutes } from './event-intake.ts'
import { eventRoutes } from './events-v1.ts'
import { hostWriteRoutes } from './host-writes.ts'
import { hostRoutes } from './hosts.ts'
import { incidentRoutes } from './incidents.ts'
import { metricListRoutes } from './metric-lists.ts'
import { metricRoutes } from './metrics.ts'
import { monitorWriteRoutes } from './monitor-writes.ts'
import { monitorRoutes } from './monitors.ts'
import { notebookRoutes } from './notebooks.ts'
import { organisationRoutes } from './organisation.ts'
import { query2Routes } from './query-v2.ts'
import { rumRoutes } from './rum.ts'
import { searchRoutes } from './searches.ts'
import { serviceRoutes } from './services.ts'
import { sloRoutes } from './slos.ts'
import { spanRoutes } from './spans.ts'
import { validateRoutes } from './validate.ts'
import { webhookRoutes } from './webhooks.ts'

/** Every operation the simulator serves. */
export const routes: readonly Route[] = [
  ...validateRoutes,
  ...monitorRoutes,
  ...monitorWriteRoutes,
  ...hostRoutes,
  ...hostWriteRoutes,
  ...metricRoutes,
  ...metricListRoutes,
  ...query2Routes,
  ...searchRoutes,
  ...aggregateRoutes,
  ...spanRoutes,
  ...eventRoutes,
  ...eventIntakeRoutes,
  ...downtimeRoutes,
  ...oldDowntimeRoutes,
  ...notebookRoutes,
  ...webhookRoutes,
  ...serviceRoutes,
  ...sloRoutes,
  ...incidentRoutes,
  ...rumRoutes,
  ...organisationRoutes,
  ...appPages
]
