const special = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])|["\\]|\p{Cc}/gu
// A path whose backslashes nobody doubled: `\\n` in it is no line break.
const windowsPath =
  /(?<![A-Za-z0-9])(?:[A-Za-z]:|\\\\[\w$.-]{1,64})(?:\\(?![\\"])[^\\/:*?"<>|\r\n]{0,255})+/g

// Twice what is kept of a text.
const longest = 200_000

/** What reading may still cost, so that hostile text stays linear with a small factor. */
export interface Effort {
  left: number
}

/** Decodes what stood between two quotes: raw line breaks, raw quotes and unknown escapes stand for themselves. */
export function unescapeString(inner: string, effort: Effort): string {
  if (!inner.includes('\\')) return inner
  if (inner.length > longest)
    return `${unescapeString(inner.slice(0, longest).replace(/\\[^\\]{0,5}$/, ''), effort)}…`
  try {
    return JSON.parse(
      `"${inner.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}"`
    ) as string
  } catch {
    effort.left -= inner.length
    return effort.left < 0 ? inner : unescapeOneByOne(inner)
  }
}

function unescapeOneByOne(inner: string): string {
  const json = inner
    .replace(windowsPath, path => path.replaceAll('\\', '\\\\'))
    .replace(special, found => (found.length > 1 ? found : JSON.stringify(found).slice(1, -1)))
  return JSON.parse(`"${json}"`) as string
}

/** Parses JSON; an integer that a double cannot hold becomes a text, so that no digit is lost. */
export function parseExactly(text: string): unknown {
  // A reviver with `context.source` gives the same, but takes 60 to 440 ms for 1 MB of numbers and overflows the stack
  // at depth 10,000.
  const value: unknown = JSON.parse(text)
  return holdsUnsafe(value) ? (JSON.parse(quoteBigIntegers(text)) as unknown) : value
}

/** Whether an integer beyond 2^53 is anywhere in it. */
function holdsUnsafe(root: unknown): boolean {
  const left = [root]
  for (let value = left.pop(); value !== undefined || left.length > 0; value = left.pop()) {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value) && Number.isInteger(value)) return true
    } else if (typeof value === 'object' && value !== null)
      for (const inner of Object.values(value))
        if (typeof inner === 'number' || typeof inner === 'object') left.push(inner)
  }
  return false
}

function quoteBigIntegers(text: string): string {
  let out = ''
  let copied = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) {
      at = endOfString(text, at + 1)
      if (at < 0) break
    } else if (isDigit(code)) {
      const start = text[at - 1] === '-' ? at - 1 : at
      while (isDigit(text.charCodeAt(at + 1))) at++
      const digits = text.slice(start, at + 1)
      if (
        digits.length < 16 ||
        digits.length > 400 ||
        /[\d.eE+]/.test(text[start - 1] ?? '') ||
        /[.eE]/.test(text[at + 1] ?? '')
      )
        continue
      if (Number.isSafeInteger(Number(digits))) continue
      out += `${text.slice(copied, start)}"${digits}"`
      copied = at + 1
    }
  }
  return out + text.slice(copied)
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57

/** The place of the next quote that no backslash escapes, or -1. */
export function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from)
  while (end >= 0 && isBehindBackslash(text, end, from)) end = text.indexOf('"', end + 1)
  return end
}

/** Whether an odd number of backslashes stands before a place, counted back to `from`. */
export function isBehindBackslash(text: string, at: number, from: number): boolean {
  let start = at
  while (start > from && text.charCodeAt(start - 1) === 92) start--
  return (at - start) % 2 === 1
}

/**
 * The place after the bracket that closes `depth` open ones, strings left aside, or -1 when it is not before
 * `until`.
 */
export function endOfNested(text: string, from: number, until: number, depth = 0): number {
  for (let at = from, open = depth; at < until; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) {
      const end = endOfString(text, at + 1)
      if (end < 0) return -1
      at = end
    } else if (code === 123 || code === 91) open++
    else if ((code === 125 || code === 93) && --open === 0) return at + 1
  }
  return -1
}
