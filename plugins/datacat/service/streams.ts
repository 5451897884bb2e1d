import { Readable } from 'node:stream'
import type { Caller, Logger } from '../../../core/index.ts'
import { callerOf, createSeats } from './shares.ts'

const [maxLive, maxExports] = [10, 10]
const checkMs = 5_000

/** An answer that lasts: what it needs of the response. */
interface Lasting {
  readonly res: { once(event: 'close', run: () => void): unknown }
}

/**
 * Opens answers that last, so many a caller; one whose token was revoked, or whose session ended,
 * is closed.
 */
export const createStreams = (log: Logger) => ({
  live: createOpen(maxLive, 'streams', log),
  export: createOpen(maxExports, 'exports', log)
})

function createOpen(maxEach: number, what: string, log: Logger) {
  const take = createSeats(maxEach, what)
  return (
    ctx: Lasting,
    { principal, mayStill }: Caller,
    parts: (gone: AbortSignal) => AsyncIterable<string>
  ): Readable => {
    const leave = take(callerOf(principal))
    const gone = new AbortController()
    const body = Readable.from(parts(gone.signal))
    let isAsking = false
    const timer = setInterval(() => {
      if (isAsking) return
      isAsking = true
      void mayStill()
        .then(may => {
          if (may) return
          log.info({ caller: principal.name }, `one of the ${what} was closed: access has ended`)
          // Half an export must not look like a whole one.
          body.destroy(new Error('access has ended'))
        })
        .finally(() => {
          isAsking = false
        })
    }, checkMs)
    ctx.res.once('close', () => {
      clearInterval(timer)
      gone.abort()
      leave()
    })
    return body
  }
}
