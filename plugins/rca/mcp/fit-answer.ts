/** The most characters of one tool answer as JSON. */
export const maxAnswerChars = 65_536
const maxTextChars = 4_000

/** An answer that fits, and the pages that hold the rows it leaves out. */
export interface FittedAnswer {
  readonly value: unknown
  /** JSON texts of rows, each page at most `maxAnswerChars`; none when everything fits. */
  readonly pages: readonly string[]
}

/**
 * Cuts an answer to `maxAnswerChars`: its rows first, and long texts inside a row where one row alone is too large.
 * What was cut is said in its `note`, with `link(1)` for the address of the first page of all rows.
 */
export function fitAnswer(value: unknown, link: (page: number) => string): FittedAnswer {
  if (sizeOf(value) <= maxAnswerChars) return { value, pages: [] }
  if (!hasRows(value)) return { value: shortened(value, maxTextChars), pages: [] }
  const rows = value.rows.map(row =>
    sizeOf(row) > maxAnswerChars / 4 ? shortened(row, maxTextChars) : row
  )
  const room = maxAnswerChars - sizeOf({ ...value, rows: [] }) - 1_000
  const shown = rows.slice(0, countWithin(rows, room))
  const pages = pagesOf(rows)
  const note = [
    ...(typeof value.note === 'string' ? [value.note] : []),
    `the answer is larger than ${maxAnswerChars} characters: ${shown.length} of ${rows.length} rows are shown; ` +
      `all are in ${pages.length} pages from ${link(1)}, and a narrower question needs none of them`
  ].join('; ')
  return { value: { ...value, rows: shown, truncated: true, note }, pages }
}

interface WithRows {
  readonly rows: readonly unknown[]
  readonly note?: unknown
}
const hasRows = (value: unknown): value is WithRows =>
  typeof value === 'object' && value !== null && Array.isArray((value as WithRows).rows)

const sizeOf = (value: unknown): number => JSON.stringify(value)?.length ?? 0

function countWithin(rows: readonly unknown[], room: number): number {
  let left = room
  let count = 0
  for (const row of rows) {
    left -= sizeOf(row) + 1
    if (left < 0) break
    count += 1
  }
  return count
}

function pagesOf(rows: readonly unknown[]): string[] {
  const pages: string[] = []
  let rest = rows
  while (rest.length > 0) {
    const count = Math.max(1, countWithin(rest, maxAnswerChars - 2))
    pages.push(JSON.stringify(rest.slice(0, count)))
    rest = rest.slice(count)
  }
  return pages
}

/** The same value with its texts cut and its lists and objects ended early, so that it fits. */
function shortened(value: unknown, maxChars: number): unknown {
  let left = maxAnswerChars / 4
  const short = (part: unknown, depth: number): unknown => {
    if (typeof part === 'string') {
      const text =
        part.length > maxChars ? `${part.slice(0, maxChars)}… (${part.length} characters)` : part
      left -= text.length
      return left < 0 ? '…' : text
    }
    left -= 8
    if (typeof part !== 'object' || part === null) return part
    if (left < 0 || depth > 20) return Array.isArray(part) ? [] : {}
    if (Array.isArray(part)) {
      const kept: unknown[] = []
      for (const each of part) {
        if (left < 0) break
        kept.push(short(each, depth + 1))
      }
      return kept
    }
    return Object.fromEntries(
      Object.entries(part).map(([key, each]) => [key, short(each, depth + 1)])
    )
  }
  return short(value, 0)
}
