import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { errorCode, RayneError } from '../errors.ts'
import { secondMs } from '../time.ts'
import { noRoom, shareOf, type BodyShare } from './body-budget.ts'

const decoders: Record<string, (() => Transform) | undefined> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress
}
const maxPassedOverBytes = 16_777_216
const idleMs = 2 * secondMs

/** All bytes of a body as they come, at most `maxBytes`; throws 413, 400, or 503 when no share is left. */
export async function readRaw(
  request: IncomingMessage,
  maxBytes: number,
  share: BodyShare
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  const bytes = declared > maxBytes ? 'too-large' : await collect(request, maxBytes, share)
  if (typeof bytes !== 'string') return bytes
  throw refused(request, bytes)
}

/** All bytes of a body, at most `maxBytes` after decompression, for a handler that reads them itself. */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const share = shareOf(request.socket.remoteAddress ?? '')
  try {
    return await readDecoded(request, maxBytes, share)
  } finally {
    share.giveBack()
  }
}

/** All bytes of a body, at most `maxBytes` after decompression; throws 413, 415, 400 or 503. */
export async function readDecoded(
  request: IncomingMessage,
  maxBytes: number,
  share: BodyShare
): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase().trim()
  if (encoding === 'identity' || encoding === '') return readRaw(request, maxBytes, share)
  const decoder = decoders[encoding]
  if (!decoder)
    throw new RayneError({
      code: 'encoding-unsupported',
      message: `Content-Encoding '${encoding.slice(0, 40)}' is not supported; use gzip, deflate, br or identity`
    })
  const decoded = decoder()
  request.once('close', () => request.complete || decoded.destroy(incomplete()))
  try {
    const bytes = await collect(request.pipe(decoded), maxBytes, share)
    if (typeof bytes !== 'string') return bytes
    throw refused(request, bytes)
  } catch (error) {
    if (!/^Z_|^ERR_(BROTLI|_ERROR)/.test(errorCode(error) ?? '')) throw error
    void passOver(request)
    const message = `the body is not valid ${encoding}`
    throw new RayneError({ code: 'body-invalid', message, cause: error })
  } finally {
    request.unpipe(decoded)
    decoded.destroy()
  }
}

/** Why a body is not read to its end. */
type Refusal = 'too-large' | 'no-room'

/** The bytes of a stream, or why there are too many of them. */
function collect(stream: Readable, maxBytes: number, share: BodyShare): Promise<Buffer | Refusal> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer): void => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= maxBytes && share.take(chunk.length)) return
      stream.off('data', take)
      chunks.length = 0
      resolve(size > maxBytes ? 'too-large' : 'no-room')
    }
    stream.on('data', take)
    stream.once('end', () => {
      const [only, ...more] = chunks
      resolve(only && more.length === 0 ? only : Buffer.concat(chunks))
    })
    stream.once('error', error => reject(errorCode(error) === 'ECONNRESET' ? incomplete() : error))
    stream.once('close', () => stream.readableEnded || reject(incomplete()))
  })
}

const incomplete = (): RayneError =>
  new RayneError({ code: 'body-incomplete', message: 'the body ended before it was complete' })

function refused(request: IncomingMessage, why: Refusal): RayneError {
  void passOver(request)
  if (why === 'no-room') return noRoom()
  const message = 'the body is larger than this route accepts'
  return new RayneError({ code: 'body-too-large', message })
}

const passing = new WeakMap<IncomingMessage, Promise<void>>()

/**
 * Takes in what is still coming of a refused body and forgets it: a sender that is cut off while it sends does not see
 * its answer. Settles when all has come, nothing more comes, or it is too much; then the connection may end.
 */
export function passOver(request: IncomingMessage): Promise<void> {
  const known = passing.get(request)
  if (known) return known
  const over = new Promise<void>(resolve => {
    let left = maxPassedOverBytes
    const timer = setTimeout(resolve, idleMs)
    request.on('data', (chunk: Buffer) => {
      timer.refresh()
      left -= chunk.length
      if (left > 0) return
      request.pause()
      resolve()
      // Whoever answers ends the connection; where nobody does, it ends all the same.
      setTimeout(() => request.destroy(), idleMs).unref()
    })
    for (const event of ['end', 'close', 'error'])
      request.once(event, () => {
        clearTimeout(timer)
        resolve()
      })
    request.resume()
  })
  passing.set(request, over)
  return over
}

/** Takes away what reaches a prototype, and half characters, which no database holds. */
const harmless = (key: string, value: unknown): unknown =>
  key === '__proto__' ? undefined : typeof value === 'string' ? value.toWellFormed() : value

/** JSON whose `__proto__` and `constructor` keys cannot reach a prototype; an empty body is undefined. */
export function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text, /__proto__|\\u005f|\\ud[89a-f]/i.test(text) ? harmless : undefined)
  } catch (error) {
    throw new RayneError({
      code: 'invalid-json',
      message: `/body is not valid JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
      details: { errors: [{ pointer: '/body', message: 'is not valid JSON' }] },
      cause: error
    })
  }
}
