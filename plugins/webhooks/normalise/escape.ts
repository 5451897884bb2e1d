const special = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])|["\\\u0000-\u001f]/g

/** What reading may still cost, so that hostile text stays linear with a small factor. */
export interface Effort { left: number }

/** Decodes what stood between two quotes: raw line breaks, raw quotes and unknown escapes stand for themselves. */
export function unescapeString(inner: string, effort: Effort): string {
  if (!inner.includes('\\')) return inner
  try {
    return JSON.parse(`"${inner.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}"`) as string
  } catch {
    effort.left -= inner.length
    return effort.left < 0 ? inner : unescapeOneByOne(inner)
  }
}

function unescapeOneByOne(inner: string): string {
  const json = inner.replace(special, found => found.length > 1 ? found : JSON.stringify(found).slice(1, -1))
  return JSON.parse(`"${json}"`) as string
}

/** Puts integers that a double cannot hold into quotes, so that JSON.parse keeps every digit. */
export function quoteBigIntegers(text: string): string {
  // A reviver with `context.source` gives the same, but takes 60 to 440 ms for 1 MB of numbers and overflows the stack at depth 10,000.
  if (!/\d{16}/.test(text)) return text
  const parts: string[] = []
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('"', at)
    const end = open < 0 ? text.length : open
    parts.push(text.slice(at, end).replace(/(?<![\d.eE+-])-?\d{16,400}(?![\d.eE])/g, quoteUnsafe))
    if (open < 0) break
    at = afterString(text, open + 1)
    parts.push(text.slice(open, at))
  }
  return parts.join('')
}

const quoteUnsafe = (digits: string): string => Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`

function afterString(text: string, from: number): number {
  const end = endOfString(text, from)
  return end < 0 ? text.length : end + 1
}

/** The place of the next quote that no backslash escapes, or -1. */
export function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let start = end
    while (start > from && text.charCodeAt(start - 1) === 92) start--
    if ((end - start) % 2 === 0) return end
  }
  return -1
}

/** The place after the bracket that closes `depth` open ones, strings left aside, or -1 when it is not before `until`. */
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
