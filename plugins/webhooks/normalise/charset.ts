import { isUtf8 } from 'node:buffer'

/** The text of bytes, whatever the sender says of their encoding; `type` is the content type in lower case. */
export function decodeText(raw: Uint8Array, type: string): string {
  const wide = wideEncoding(raw)
  if (wide !== undefined) return decodeAs(raw, wide)
  const charset = charsetOf(type)
  // Its bytes are all ASCII, so that nothing but the header tells.
  if (charset === 'iso-2022-jp') return decodeAs(raw, charset)
  if (isUtf8(raw)) return utf8(raw)
  const text = utf8(raw)
  if (charset !== '' && charset !== 'utf-8' && charset !== 'utf8') {
    const announced = decodeAs(raw, charset)
    if (announced !== '') return announced
  }
  // Without one good multi-byte character this never was UTF-8; with some, a bad byte must not spoil the rest.
  return /[^\0-\x7f\ufffd]/.test(text) ? text : decodeAs(raw, 'windows-1252')
}

const utf8 = (raw: Uint8Array): string =>
  Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8')

const charsetOf = (type: string): string =>
  type.includes('charset')
    ? (/charset\s{0,4}=\s{0,4}["']?([\w.:-]{1,40})/.exec(type)?.[1] ?? '')
    : ''

/** UTF-16 by its mark, or by the zero bytes beside the first bracket. */
function wideEncoding(raw: Uint8Array): string | undefined {
  const [first, second, third] = raw
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if ((first === 0x7b || first === 0x5b) && second === 0 && third !== 0) return 'utf-16le'
  if (first === 0 && (second === 0x7b || second === 0x5b) && third === 0) return 'utf-16be'
  return undefined
}

/** The text, or '' for an encoding nobody knows. */
function decodeAs(raw: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding).decode(raw)
  } catch {
    return ''
  }
}
