import { DatacatError } from './errors.ts'

// The server takes 1,048,576 bytes; the rest is room for the names around an item.
const maxBytes = 1_040_000

/** Throws DatacatError `invalid` for JSON text the server would not take, before it waits anywhere. */
export function checkSize(text: string): void {
  // A character is three bytes at most.
  if (text.length * 3 <= maxBytes) return
  const bytes = byteLength(text)
  if (bytes > maxBytes)
    throw new DatacatError('invalid', `${bytes} bytes of JSON are over the server's 1 MB`, {
      status: 413
    })
}

const encoder = new TextEncoder()
export const byteLength = (text: string): number => encoder.encode(text).length

/** The beginning of a text that takes at most so many bytes as JSON, and how long it was. */
export function cutText(text: string, bytes: number): string {
  let kept = text.slice(0, bytes)
  for (let size = byteLength(JSON.stringify(kept)); size > bytes + 2;) {
    kept = kept.slice(0, Math.floor((kept.length * bytes) / size))
    size = byteLength(JSON.stringify(kept))
  }
  return kept === text ? text : `${kept}… (${text.length} characters)`
}
