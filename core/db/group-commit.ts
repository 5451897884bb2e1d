import { RayneError } from '../errors.ts'
import { isDatabaseDown } from './database.ts'

/**
 * Lets requests that only append share one transaction: items are flushed on `setImmediate` and again when a flush
 * returns, two flushes in flight (or `parallel`: one makes them larger, and cheaper by the item), and each caller is
 * answered after the commit that holds its item. A refused flush is repeated item by item, so that one bad item fails
 * alone; a database that is away fails them all. Over `limit` waiting items, or `limitBytes` of what `size` says, it
 * answers 503; a flush takes at most `batch` items and an eighth of those bytes.
 */
export function createGroupCommit<T, R>(
  flush: (items: readonly T[]) => Promise<readonly R[]>,
  options: {
    limit?: number
    batch?: number
    parallel?: number
    limitBytes?: number
    size?: (item: T) => number
  } = {}
): { add(item: T): Promise<R> } {
  const {
    limit = 5_000,
    batch = 250,
    parallel = 2,
    limitBytes = 64_000_000,
    size = () => 0
  } = options
  const queue: { item: T; resolve: (result: R) => void; reject: (error: unknown) => void }[] = []
  let [inFlight, bytes, scheduled] = [0, 0, false]

  function schedule(): void {
    if (scheduled || inFlight >= parallel || queue.length === 0) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      void run()
      schedule()
    })
  }

  async function run(): Promise<void> {
    let [count, taken] = [0, 0]
    for (
      ;
      count < Math.min(batch, queue.length) && (count === 0 || taken < limitBytes / 8);
      count += 1
    )
      taken += size(queue[count]!.item)
    bytes -= taken
    const entries = queue.splice(0, count)
    if (entries.length === 0) return
    inFlight += 1
    try {
      const results = await flush(entries.map(entry => entry.item))
      entries.forEach((entry, index) => entry.resolve(results[index] as R))
    } catch (error) {
      if (entries.length === 1 || isDatabaseDown(error))
        entries.forEach(entry => entry.reject(error))
      else
        await Promise.all(
          entries.map(entry =>
            flush([entry.item]).then(results => entry.resolve(results[0] as R), entry.reject)
          )
        )
    } finally {
      inFlight -= 1
      schedule()
    }
  }

  return {
    add(item) {
      if (queue.length >= limit || bytes > limitBytes)
        return Promise.reject(
          new RayneError({
            code: 'overloaded',
            message: 'too many writes are waiting for the database; try again',
            details: { retryAfterSeconds: 1 }
          })
        )
      bytes += size(item)
      return new Promise<R>((resolve, reject) => {
        queue.push({ item, resolve, reject })
        schedule()
      })
    }
  }
}
