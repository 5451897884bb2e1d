import { requestOf } from './connection.ts'

/** Where each request of a template writes its own idempotency key, 16 characters. */
const keyMark = '@@@@@@@@@@@@@@@@'
const secondMark = '##########'

export interface BatchOptions {
  readonly url: string
  readonly session: string
  readonly points: number
  readonly names: readonly string[]
}
/** `next` fills in the key and the second all of the points fall into; the bytes are used again by the call after. */
export interface Batch {
  next(key: string, second: number): Buffer
}

/** First second of the points every part writes; each batch is one second of them. */
export const firstSecond = 1_750_000_000

const placesOf = (bytes: Buffer, mark: string): number[] => {
  const found: number[] = []
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length))
    found.push(at)
  return found
}

/** A wave with noise, three decimals, the same for the same number. */
export const valueOf = (n: number): number =>
  Math.round((50 + 40 * Math.sin(n / 1_700) + ((n * 7_919) % 1_000) / 100) * 1_000) / 1_000

/** One batch of metric points, rendered once; building JSON for each request would measure the sender. */
export function createBatch({ url, session, points, names }: BatchOptions): Batch {
  const step = 1_000 / points
  const metrics = Array.from({ length: points }, (_, n) => {
    const ms = String(Math.floor(n * step)).padStart(3, '0')
    const name = JSON.stringify(names[n % names.length])
    return `{"name":${name},"value":${valueOf(n * 13)},"timestamp":${secondMark}${ms}}`
  })
  const bytes = requestOf(
    url,
    'POST',
    `/v1/datacat/sessions/${session}/batch`,
    `{"key":"${keyMark}","metrics":[${metrics.join(',')}]}`
  )
  const [keyAt = 0] = placesOf(bytes, keyMark)
  const seconds = placesOf(bytes, secondMark)
  const digits = Buffer.alloc(secondMark.length)
  return {
    next(key, second) {
      bytes.write(key.padEnd(keyMark.length, '-'), keyAt, keyMark.length, 'latin1')
      digits.write(String(second), 'latin1')
      for (const place of seconds) digits.copy(bytes, place)
      return bytes
    }
  }
}
