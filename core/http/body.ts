import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import getRawBody from 'raw-body'
import { errorCode, RayneError } from '../errors.ts'

const decoders: Record<string, (() => Transform) | undefined> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress
}

/** All bytes of a body, at most `maxBytes` after decompression; throws 413, 415 or 400. */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase().trim()
  if (encoding === 'identity' || encoding === '') {
    const length = Number(request.headers['content-length'])
    return getRawBody(request, { limit: maxBytes, ...(Number.isFinite(length) ? { length } : {}) })
  }
  const decoder = decoders[encoding]
  if (!decoder)
    throw new RayneError({
      code: 'encoding-unsupported',
      message: `Content-Encoding '${encoding.slice(0, 40)}' is not supported; use gzip, deflate, br or identity`
    })
  const decoded = decoder()
  request.on('error', error => decoded.destroy(error))
  request.on('aborted', () =>
    decoded.destroy(
      new RayneError({ code: 'body-incomplete', message: 'the body ended before it was complete' })
    )
  )
  try {
    return await getRawBody(request.pipe(decoded), { limit: maxBytes })
  } catch (error) {
    request.unpipe(decoded)
    decoded.destroy()
    if (/^Z_|^ERR_(BROTLI|_ERROR)/.test(errorCode(error) ?? ''))
      throw new RayneError({
        code: 'body-invalid',
        message: `the body is not valid ${encoding}`,
        cause: error
      })
    throw error
  }
}

/** JSON whose `__proto__` and `constructor` keys cannot reach a prototype; an empty body is undefined. */
export function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(
      text,
      /__proto__|\\u005f/i.test(text)
        ? (key, value: unknown) => (key === '__proto__' ? undefined : value)
        : undefined
    )
  } catch (error) {
    throw new RayneError({
      code: 'invalid-json',
      message: `/body is not valid JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
      details: { errors: [{ pointer: '/body', message: 'is not valid JSON' }] },
      cause: error
    })
  }
}
