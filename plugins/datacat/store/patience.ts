import { RayneError } from '../../../core/index.ts'
import { datacatErrors } from '../contract.ts'

const maxListMs = 10_000

/** A query that can be given a time. */
interface Timed<T> {
  timeout(ms: number, options: { readonly cancel: true }): PromiseLike<T>
}

/** A query that is cancelled when it takes longer; then it fails with what `late` makes of it. */
export async function within<T>(
  query: Timed<T>,
  timeoutMs: number,
  late: (cause: unknown) => RayneError
): Promise<T> {
  const asked = query.timeout(Math.max(1, timeoutMs), { cancel: true })
  return Promise.resolve(asked).catch((error: unknown) => {
    throw isLate(error) ? late(error) : error
  })
}

/** Such a query of a list: 422 `list-too-large` after 10 s. */
export const withinList = <T>(query: Timed<T>): Promise<T> => within(query, maxListMs, tooLarge)

const isLate = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === 'KnexTimeoutError' &&
  error.message.startsWith('Defined query timeout')

const tooLarge = (cause: unknown): RayneError =>
  new RayneError({
    code: datacatErrors['list-too-large'],
    message:
      `the list took longer than ${maxListMs / 1000} s: ` +
      'ask for a shorter time, one product, or fewer state filters',
    cause
  })
