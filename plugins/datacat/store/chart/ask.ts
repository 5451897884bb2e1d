import { RayneError, type Knex } from '../../../../core/index.ts'
import { datacatErrors } from '../../contract.ts'
import { within } from '../patience.ts'
import type { Selection } from './selection.ts'

/** What a chart may take in all. */
export const maxChartMs = 20_000

/** Rows of one query of a chart; one that is under way when the chart's time is up is cancelled: 422. */
export async function ask<T>(
  db: Knex,
  { untilMs }: Selection,
  sql: string,
  bindings: Knex.ValueDict
): Promise<T[]> {
  const asked = db.raw<{ rows: T[] }>(sql, bindings)
  return (await within(asked, untilMs - performance.now(), tooLarge)).rows
}

const tooLarge = (cause: unknown): RayneError =>
  new RayneError({
    code: datacatErrors['chart-too-large'],
    message:
      `the chart took longer than ${maxChartMs / 1000} s: ` +
      'ask for a shorter time, fewer sessions, or no percentile',
    cause
  })
