import { createBatch, firstSecond, type BatchOptions } from './batch.ts'
import { createConnection } from './connection.ts'

/**
 * One connection that sends one template of a batch; `number` is the second its points fall into,
 * counted from the first.
 */
export function batchSender(options: BatchOptions): {
  send(key: string, number: number): Promise<number>
  close(): void
} {
  const batch = createBatch(options)
  const connection = createConnection(options.url)
  return {
    /** Milliseconds to the answer; throws unless every point was accepted. */
    async send(key, number) {
      const asked = performance.now()
      const { status, text } = await connection.ask(batch.next(key, firstSecond + number))
      const took = performance.now() - asked
      if (status !== 200 || !text.includes(`"accepted":${options.points}`))
        throw new Error(
          `batch ${key} of session ${options.session} was answered with ${status}: ${text.slice(0, 300)}`
        )
      return took
    },
    close: connection.close
  }
}
