import { RayneError, type Knex } from '../../../../core/index.ts'
import { datacatErrors } from '../../contract.ts'

const patienceMs = 20_000

/** Rows of one query of a chart; one that takes over 20 s is cancelled: 422 `chart-too-large`. */
export async function ask<T>(db: Knex, sql: string, bindings: Knex.ValueDict): Promise<T[]> {
  const asked = db.raw<{ rows: T[] }>(sql, bindings).timeout(patienceMs, { cancel: true })
  return asked.then(
    result => result.rows,
    (error: unknown) => {
      throw isLate(error) ? tooLarge(error) : error
    }
  )
}

const isLate = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === 'KnexTimeoutError' &&
  error.message.startsWith('Defined query timeout')

const tooLarge = (cause: unknown): RayneError =>
  new RayneError({
    code: datacatErrors['chart-too-large'],
    message:
      `the chart took longer than ${patienceMs / 1000} s: ` +
      'ask for a shorter time, fewer sessions, or no percentile',
    cause
  })
