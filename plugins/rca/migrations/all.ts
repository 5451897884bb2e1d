import type { Migration } from '../../../core/index.ts'
import { analyses } from './0001_analyses.ts'
import { requests } from './0002_requests.ts'
import { shares } from './0003_shares.ts'
import { outcomes } from './0004_outcomes.ts'
import { vectors } from './0005_vectors.ts'
import { approvals } from './0006_approvals.ts'

/** Every step of this plugin's tables, in order. */
export const migrations: readonly Migration[] = [
  analyses,
  requests,
  shares,
  outcomes,
  vectors,
  approvals
]
