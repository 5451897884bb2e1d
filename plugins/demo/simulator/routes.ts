import type { Route } from './route.ts'
import { aggregateRoutes } from './routes/aggregates.ts'
import { appPages } from './routes/app-pages.ts'
import { oldDowntimeRoutes } from './routes/downtimes-v1.ts'
import { downtimeRoutes } from './routes/downtimes-v2.ts'
import { eventRoutes } from './routes/events-v1.ts'
import { hostWriteRoutes } from './routes/host-writes.ts'
import { hostRoutes } from './routes/hosts.ts'
import { incidentRoutes } from './routes/incidents.ts'
import { metricListRoutes } from './routes/metric-lists.ts'
import { metricRoutes } from './routes/metrics.ts'
import { monitorWriteRoutes } from './routes/monitor-writes.ts'
import { monitorRoutes } from './routes/monitors.ts'
import { notebookRoutes } from './routes/notebooks.ts'
import { organisationRoutes } from './routes/organisation.ts'
import { query2Routes } from './routes/query-v2.ts'
import { rumRoutes } from './routes/rum.ts'
import { searchRoutes } from './routes/searches.ts'
import { serviceRoutes } from './routes/services.ts'
import { sloRoutes } from './routes/slos.ts'
import { spanRoutes } from './routes/spans.ts'
import { validateRoutes } from './routes/validate.ts'
import { webhookRoutes } from './routes/webhooks.ts'

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
