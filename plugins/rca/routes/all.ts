import type { PluginApp } from '../../../core/index.ts'
import { readRoutes } from './analyses.ts'
import { approvalRoutes } from './approvals.ts'
import { controlRoutes } from './control.ts'
import { compareRoutes } from './compare.ts'
import { evidenceRoutes } from './evidence.ts'
import { feedbackRoutes } from './feedback.ts'
import type { Rca } from './rca.ts'
import { reportRoutes } from './report.ts'
import { requestRoutes } from './requests.ts'
import { sidecarRoutes } from './sidecar.ts'
import { statsRoutes } from './stats.ts'
import { stepRoutes } from './steps.ts'
import { toolRoutes } from './tools.ts'
import { writtenToolRoutes } from './written-tools.ts'

/** Every route of this plugin. */
export function routes(app: PluginApp<unknown>, rca: Rca): void {
  for (const add of [
    readRoutes,
    evidenceRoutes,
    compareRoutes,
    reportRoutes,
    requestRoutes,
    controlRoutes,
    feedbackRoutes,
    statsRoutes,
    stepRoutes,
    sidecarRoutes,
    toolRoutes,
    approvalRoutes,
    writtenToolRoutes
  ])
    add(app, rca)
}
