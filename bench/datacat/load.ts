import { median, whole } from '../figures.ts'
import { runHelper } from '../process/own-process.ts'
import { connectionOf } from '../process/product.ts'
import { processorMs } from '../process/tree.ts'
import type { LoadResult } from '../ingest/post-load.ts'
import type { BatchLoadInput } from './batch-load.ts'
import type { RequestLoadInput, RequestLoadResult } from './request-load.ts'
import type { RowInsertInput } from './row-inserts.ts'
import type { Datacat } from './server.ts'

/** Processor time in µs for one, of the process that answers and of PostgreSQL. */
export type Costed<T extends LoadResult = LoadResult> = T & {
  readonly nodeCost: number
  readonly postgresCost: number
}

export const loadBatches = (input: BatchLoadInput): Promise<LoadResult> =>
  runHelper<LoadResult>('bench/datacat/batch-load.ts', input)
export const loadRequests = (input: RequestLoadInput): Promise<RequestLoadResult> =>
  runHelper<RequestLoadResult>('bench/datacat/request-load.ts', input)
export const insertRows = (
  server: Datacat,
  input: Omit<RowInsertInput, 'connection'>
): Promise<LoadResult> =>
  runHelper<LoadResult>('bench/datacat/row-inserts.ts', {
    ...input,
    connection: connectionOf(server.home)
  } satisfies RowInsertInput)

/**
 * Runs a load and says what one of what it sent has cost; `pid` is another process that answers
 * instead of the server.
 */
export async function costed<T extends LoadResult>(
  server: Datacat,
  work: () => Promise<T>,
  pid?: number
): Promise<Costed<T>> {
  const used = (): { node: number; postgres: number } => ({
    ...server.product.processor(),
    ...(pid === undefined ? {} : { node: processorMs([pid]) })
  })
  const before = used()
  const result = await work()
  const after = used()
  return {
    ...result,
    nodeCost: (1000 * (after.node - before.node)) / result.sent,
    postgresCost: (1000 * (after.postgres - before.postgres)) / result.sent
  }
}

/** What went wrong in a load, or an empty text. */
export const problemsOf = ({ statuses, lost }: LoadResult): string =>
  [
    ...Object.entries(statuses)
      .filter(([status]) => !['200', '202', 'inserted', 'accepted'].includes(status))
      .map(([status, count]) => `${count} × ${status}`),
    ...(lost > 0 ? [`${lost} lost`] : [])
  ].join(', ')

export const costOf = (
  results: readonly Costed[],
  part: 'nodeCost' | 'postgresCost',
  times = 1
): string => `${whole(times * median(results.map(result => result[part])))} µs`
