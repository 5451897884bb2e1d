import * as zlib from 'node:zlib'
import { errorCode } from '../../../core/index.ts'
import { header, type Headers } from './headers.ts'

/** A body after its content codings were undone; `problem` says what was wrong, and without bytes it is unreadable. */
export interface Unpacked {
  readonly bytes?: Uint8Array
  readonly problem: string | null
}

const maxBytes = 1_048_576
// A body is wrapped once by a sender and once more by a proxy at most.
const maxWrappings = 3
// A body that was cut off still gives what came before the cut.
const options: zlib.ZlibOptions = {
  maxOutputLength: maxBytes,
  finishFlush: zlib.constants.Z_SYNC_FLUSH
}
const gunzip = (bytes: Uint8Array): Buffer => zlib.gunzipSync(bytes, options)
const inflate = (bytes: Uint8Array): Buffer => {
  try {
    return zlib.inflateSync(bytes, options)
  } catch (error) {
    if (isTooLarge(error)) throw error
    return zlib.inflateRawSync(bytes, options)
  }
}
const decoders: Readonly<Record<string, ((bytes: Uint8Array) => Buffer) | undefined>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: inflate,
  br: bytes => zlib.brotliDecompressSync(bytes, { maxOutputLength: maxBytes }),
  zstd: bytes => zlib.zstdDecompressSync(bytes, { maxOutputLength: maxBytes })
}

const isTooLarge = (error: unknown): boolean => errorCode(error) === 'ERR_BUFFER_TOO_LARGE'

/** Undoes gzip, deflate, br and zstd, announced or not; a header that does not fit the bytes changes nothing. */
export function unpack(raw: Uint8Array, headers: Headers): Unpacked {
  const announced = header(headers, 'content-encoding')
  if (announced === '' && !looksPacked(raw)) return { bytes: raw, problem: null }
  const codings = announced.toLowerCase().split(',', 8)
  let bytes = raw
  for (const coding of codings.reverse()) {
    const decode = decoders[coding.trim()]
    if (!decode || looksLikeText(bytes)) continue
    const step = tryDecode(decode, bytes)
    if (step.tooLarge) return { problem: tooLarge }
    if (step.bytes) bytes = step.bytes
  }
  return unwrap(bytes, announced)
}

const tooLarge = 'more than 1 MB when unpacked: kept as it came'

/** What is still packed though no header said so. */
function unwrap(packed: Uint8Array, announced: string): Unpacked {
  let bytes = packed
  for (let left = maxWrappings; left > 0 && looksPacked(bytes); left--) {
    const decode = bytes[0] === 0x1f ? gunzip : decoders['zstd']
    const step = decode ? tryDecode(decode, bytes) : {}
    if (step.tooLarge) return { problem: tooLarge }
    if (!step.bytes) break
    bytes = step.bytes
  }
  const unread = announced !== '' && !looksLikeText(bytes)
  const problem = unread ? `the content encoding '${announced.slice(0, 40)}' does not fit` : null
  return { bytes, problem }
}

function tryDecode(
  decode: (bytes: Uint8Array) => Buffer,
  bytes: Uint8Array
): { readonly bytes?: Buffer; readonly tooLarge?: boolean } {
  try {
    return { bytes: decode(bytes) }
  } catch (error) {
    return isTooLarge(error) ? { tooLarge: true } : {}
  }
}

/** The first bytes of gzip and of zstd; no text begins with them. */
function looksPacked(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes
  return (
    (first === 0x1f && second === 0x8b && third === 0x08) ||
    (first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd)
  )
}

/** Whether bytes begin as JSON, a form or plain text in ASCII do, which nothing packed does for long. */
function looksLikeText(bytes: Uint8Array): boolean {
  const most = Math.min(bytes.length, 24)
  for (let at = 0; at < most; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 9 || byte > 126 || (byte > 13 && byte < 32)) return false
  }
  return true
}
