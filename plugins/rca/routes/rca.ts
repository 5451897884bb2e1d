import type { JobHandle, Knex, Toolbox } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import type { OneAnalysis } from '../service/after-alert.ts'
import type { ApprovalDesk } from '../service/approvals.ts'
import type { IncidentVectors } from '../service/vectors/incident-vectors.ts'
import type { Requests } from '../service/request-analysis.ts'
import type { Lifecycle } from '../written/lifecycle.ts'

/** What the routes of this plugin work with. */
export interface Rca {
  readonly db: Knex
  readonly datadog: DatadogService
  readonly requests: Requests
  readonly resolve: JobHandle<OneAnalysis>
  readonly hasModel: boolean
  readonly approvals: ApprovalDesk
  readonly vectors: IncidentVectors | undefined
  readonly toolbox: Toolbox
  /** Tools written at run time. */
  readonly lifecycle: Lifecycle
}
