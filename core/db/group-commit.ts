import { RayneError } from '../errors.ts'

export interface GroupCommit<T, R> { add(item: T): Promise<R>; readonly waiting: number }

/**
 * Lets requests that only append share one transaction: items are flushed on `setImmediate` and again when a flush
 * returns, two flushes in flight, and each caller is answered after the commit that holds its item.
 * A failed flush is repeated item by item, so that one bad item fails alone. Over `limit` waiting items it answers 503.
 */
export function createGroupCommit<T, R>(flush: (items: readonly T[]) => Promise<readonly R[]>, options: { limit?: number; batch?: number } = {}): GroupCommit<T, R> {
  const { limit = 5_000, batch = 250 } = options
  const queue: { item: T; resolve: (result: R) => void; reject: (error: unknown) => void }[] = []
  let inFlight = 0
  let scheduled = false

  function schedule(): void {
    if (scheduled || inFlight >= 2 || queue.length === 0) return
    scheduled = true
    setImmediate(() => { scheduled = false; void run(); schedule() })
  }

  async function run(): Promise<void> {
    const entries = queue.splice(0, batch)
    if (entries.length === 0) return
    inFlight += 1
    try {
      const results = await flush(entries.map(entry => entry.item))
      entries.forEach((entry, index) => entry.resolve(results[index] as R))
    } catch (error) {
      if (entries.length === 1) entries[0]?.reject(error)
      else await Promise.all(entries.map(entry => flush([entry.item]).then(results => entry.resolve(results[0] as R), entry.reject)))
    } finally {
      inFlight -= 1
      schedule()
    }
  }

  return {
    get waiting() { return queue.length },
    add(item) {
      if (queue.length >= limit) return Promise.reject(new RayneError('overloaded', 503, `${limit} writes are waiting for the database; try again`, { retryAfter: 1 }))
      return new Promise<R>((resolve, reject) => { queue.push({ item, resolve, reject }); schedule() })
    }
  }
}
