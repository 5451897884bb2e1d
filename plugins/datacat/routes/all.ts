import type { AddRoute } from './add-route.ts'
import { catalogueRoutes } from './catalogue.ts'
import { compatRoutes } from './compat.ts'
import { grafanaRoutes } from './grafana.ts'
import { seriesRoute } from './series.ts'
import { sessionRoutes } from './sessions.ts'
import { exportRoute, liveRoute } from './stream.ts'
import { writeRoutes } from './write.ts'

/** Every route, in the order they are looked at: the last one answers whatever the others leave. */
export const routes: readonly AddRoute[] = [
  ...writeRoutes,
  ...sessionRoutes,
  ...catalogueRoutes,
  seriesRoute,
  exportRoute,
  liveRoute,
  ...grafanaRoutes,
  ...compatRoutes
]
