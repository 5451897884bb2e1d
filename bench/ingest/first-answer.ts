import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'node:http'
import type { Product } from '../process/product.ts'

/** Posts one alert until it is accepted; answers the milliseconds since the server was started. */
export async function untilAccepted(
  product: Product,
  body: string,
  limitMs = 60_000
): Promise<number> {
  let gone = false
  void product.exited.then(() => {
    gone = true
  })
  for (;;) {
    const status = await postOnce(`${product.url}/v1/webhooks/receive`, body)
    const took = performance.now() - product.startedAt
    if (status === 202 || status === 200) return took
    if (gone) throw new Error(`the server (pid ${product.pid}) ended before it accepted an alert`)
    if (took > limitMs)
      throw new Error(
        `no alert was accepted within ${limitMs / 1000} s (last answer ${status ?? 'none'})`
      )
    await sleep(5)
  }
}

/** One post on a connection of its own: the status, or undefined when there is no answer. */
function postOnce(url: string, body: string): Promise<number | undefined> {
  return new Promise(resolve => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent: false,
        timeout: 5_000,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      },
      answer => {
        answer.resume().once('close', () => resolve(answer.statusCode))
      }
    )
    sent.once('timeout', () => sent.destroy())
    sent.once('error', () => resolve(undefined))
    sent.end(body)
  })
}
