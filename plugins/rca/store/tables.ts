import type { Migration } from '../../../core/index.ts'
import { analyses } from '../migrations/0001_analyses.ts'
import { requests } from '../migrations/0002_requests.ts'
import { shares } from '../migrations/0003_shares.ts'
import { outcomes } from '../migrations/0004_outcomes.ts'
import { vectors } from '../migrations/0005_vectors.ts'
import { approvals } from '../migrations/0006_approvals.ts'
import { writtenTools } from '../migrations/0007_written_tools.ts'

/** Every step of this plugin's tables, in order. */
export const migrations: readonly Migration[] = [
  analyses,
  requests,
  shares,
  outcomes,
  vectors,
  approvals,
  writtenTools
]
