import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { errorCode, RayneError } from '../errors.ts'
import { secondMs } from '../time.ts'

const decoders: Record<string, (() => Transform) | undefined> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress
}
const maxPassedOverBytes = 16_777_216
const idleMs = 2 * secondMs

/** All bytes of a body as they come, at most `maxBytes`; throws 413 or 400. */
export async function readRaw(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  const bytes = declared > maxBytes ? undefined : await collect(request, maxBytes)
  if (bytes) return bytes
  throw tooLarge(request)
}

/** All bytes of a body, at most `maxBytes` after decompression; throws 413, 415 or 400. */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase().trim()
  if (encoding === 'identity' || encoding === '') return readRaw(request, maxBytes)
  const decoder = decoders[encoding]
  if (!decoder)
    throw new RayneError({
      code: 'encoding-unsupported',
      message: `Content-Encoding '${encoding.slice(0, 40)}' is not supported; use gzip, deflate, br or identity`
    })
  const decoded = decoder()
  request.once('close', () => request.complete || decoded.destroy(incomplete()))
  try {
    const bytes = await collect(request.pipe(decoded), maxBytes)
    if (bytes) return bytes
  } catch (error) {
    if (!/^Z_|^ERR_(BROTLI|_ERROR)/.test(errorCode(error) ?? '')) throw error
    void passOver(request)
    const message = `the body is not valid ${encoding}`
    throw new RayneError({ code: 'body-invalid', message, cause: error })
  } finally {
    request.unpipe(decoded)
    decoded.destroy()
  }
  throw tooLarge(request)
}

/** The bytes of a stream, or undefined when there are more than `maxBytes`. */
function collect(stream: Readable, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer): void => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= maxBytes) return
      stream.off('data', take)
      resolve(undefined)
    }
    stream.on('data', take)
    stream.once('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
    stream.once('error', error => reject(errorCode(error) === 'ECONNRESET' ? incomplete() : error))
    stream.once('close', () => stream.readableEnded || reject(incomplete()))
  })
}

const incomplete = (): RayneError =>
  new RayneError({ code: 'body-incomplete', message: 'the body ended before it was complete' })

function tooLarge(request: IncomingMessage): RayneError {
  void passOver(request)
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
