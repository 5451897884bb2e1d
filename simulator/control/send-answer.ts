import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Answer, FaultThen } from './fault.ts'

/** Sends an answer the way the fault wants it: late, in drips, cut off by a closed socket, or never. */
export async function sendAnswer(
  res: ServerResponse,
  answer: Answer,
  fault: FaultThen | undefined
): Promise<void> {
  if (fault?.type === 'timeout') return
  if (fault?.type === 'slow' && fault.ms) await wait(fault.ms, undefined, { ref: false })
  if (res.destroyed) return
  const noBody = answer.status === 204
  res.writeHead(answer.status, {
    ...answer.headers,
    ...(noBody ? {} : { 'content-length': Buffer.byteLength(answer.body) })
  })
  if (fault?.type === 'reset') {
    res.write(answer.body.slice(0, Math.floor(answer.body.length / 2)), () =>
      res.socket?.resetAndDestroy()
    )
    return
  }
  if (fault?.type === 'slow' && fault.drip) {
    const bytes = Buffer.from(answer.body)
    for (let at = 0; at < bytes.length && !res.destroyed; at += fault.drip.bytes) {
      res.write(bytes.subarray(at, at + fault.drip.bytes))
      await wait(fault.drip.every_ms)
    }
    res.end()
    return
  }
  res.end(noBody ? undefined : answer.body)
}
