/** What a monitor watches, as a question that can be asked; `groups` are the keys it alerts by. */
export type Watched =
  | {
      readonly of: 'metric'
      readonly query: string
      readonly groups: readonly string[]
    }
  | {
      readonly of: 'logs' | 'spans' | 'events'
      readonly query: string
      readonly groups: readonly string[]
    }
  | { readonly of: 'nothing'; readonly why: string }

// What a stranger's webhook carries has no limit of its own.
const maxLength = 4_000

/** Where the search of a monitor is asked, by the word its query begins with. */
const searches: ReadonlyMap<string, 'logs' | 'spans' | 'events'> = new Map([
  ['logs', 'logs'],
  ['error-tracking-logs', 'logs'],
  ['trace-analytics', 'spans'],
  ['spans', 'spans'],
  ['error-tracking-traces', 'spans'],
  ['events', 'events']
])
/** Functions that judge a series instead of drawing it; the series is their first argument. */
const judges = new Set(['anomalies', 'outliers', 'forecast'])

/** Reads a monitor's query: `avg(last_5m):<this> > 5`, `change(avg(last_5m),last_1h):<this> > 1`, `logs("<this>")`. */
export function readMonitorQuery(text: string): Watched {
  if (text.length > maxLength)
    return { of: 'nothing', why: `its query has more than ${maxLength} characters` }
  const search = readSearch(text.trim())
  if (search) return search
  const query = unwrap(withoutCondition(text))
  const groups = [...query.matchAll(/\bby\s*\{([^{}]*)\}/g)].flatMap(([, keys = '']) =>
    keys.split(',').map(key => key.trim())
  )
  return /[\w.]\s*\{[^{}]*\}/.test(query)
    ? { of: 'metric', query, groups: [...new Set(groups)] }
    : { of: 'nothing', why: 'its query names no metric and no search' }
}

/** The plain series in a metric query, without the functions and the arithmetic around them. */
export const seriesIn = (query: string): string[] => [
  ...new Set([...query.matchAll(series)].map(([one]) => one))
]
// The look-behind lets a long word be tried once, not at each of its letters.
const series =
  /(?<![\w.])(?:\w+:)?[a-z][\w.]*\{[^{}]*\}(?:\s*by\s*\{[^{}]*\})?(?:\.as_(?:count|rate)\(\))?/gi

function readSearch(text: string): Watched | undefined {
  const head = /^([a-z-]+)\s*\(/.exec(text)
  const of = searches.get(head?.[1] ?? '')
  if (!head || !of) return undefined
  const end = closing(text, head[0].length - 1)
  const query = unquoted(text.slice(head[0].length, end).trim())
  const groups = [...text.slice(end).matchAll(/\.by\(([^()]*)\)/g)].flatMap(([, keys = '']) =>
    keys.split(',').map(key => key.trim().replace(/^["']|["']$/g, ''))
  )
  return { of, query: of === 'events' ? inNewWords(query) : query, groups }
}

/** The text between quotes of either kind, with what was escaped in it. */
const unquoted = (text: string): string =>
  /^(["']).*\1$/s.test(text) ? text.slice(1, -1).replace(/\\(["'\\])/g, '$1') : text

/** The first event monitors said `sources:a,b priority:all tags:"env:prod"`; the search of today has other words. */
const inNewWords = (query: string): string =>
  query
    .replace(/\bsources:([\w,-]+)/g, (_, names: string) =>
      names.includes(',') ? `source:(${names.split(',').join(' OR ')})` : `source:${names}`
    )
    .replace(/\b(?:priority|status):all\b/g, '')
    .replace(/\btags:"([^"\s]*)"/g, (_, tags: string) => tags.split(',').join(' '))
    .replace(/\s+/g, ' ')
    .trim()

/** Takes the evaluation in front (`avg(last_5m):`, `pct_change(…):`) and the functions that judge off. */
function unwrap(text: string): string {
  for (let query = text.trim(); ;) {
    const call = /^([a-z]\w*)\s*\(/i.exec(query)
    if (!call) return query
    const end = closing(query, call[0].length - 1)
    const after = query.slice(end + 1).trimStart()
    if (after.startsWith(':')) query = after.slice(1).trim()
    else if (after === '' && judges.has(call[1] ?? ''))
      query = firstArgument(query.slice(call[0].length, end))
    else return query
  }
}

/** Cuts the comparison at the end, the last one that stands outside of brackets and quotes. */
function withoutCondition(text: string): string {
  let cut = text.length
  walk(text, 0, (character, index, depth) => {
    if (depth === 0 && /[<>=!]/.test(character) && !/[<>=!]/.test(text[index - 1] ?? ''))
      cut = index
    return false
  })
  return /^(?:<=|>=|<|>|==|!=)\s*[-+]?[\d.]+(?:e[-+]?\d+)?$/i.test(text.slice(cut).trim())
    ? text.slice(0, cut).trim()
    : text.trim()
}

function firstArgument(text: string): string {
  const comma = walk(text, 0, (character, _, depth) => depth === 0 && character === ',')
  return text.slice(0, comma).trim()
}

/** Where the bracket that opens at `start` closes, or the end of the text. */
const closing = (text: string, start: number): number =>
  walk(text, start, (character, _, depth) => depth === 1 && character === ')')

/**
 * Goes through a text with the depth of its brackets, quoted parts left out; answers where `stop` said so, or the end.
 */
function walk(
  text: string,
  start: number,
  stop: (character: string, index: number, depth: number) => boolean
): number {
  let depth = 0
  let quote = ''
  let inFilter = false
  for (let index = start; index < text.length; index++) {
    const character = text[index] ?? ''
    if (quote !== '') {
      if (character === '\\') index++
      else if (character === quote) quote = ''
      continue
    }
    // An apostrophe in a filter is part of a tag.
    if (!inFilter && (character === '"' || character === "'")) quote = character
    else if (stop(character, index, depth)) return index
    else if ('([{'.includes(character)) depth++
    else if (')]}'.includes(character)) depth = Math.max(0, depth - 1)
    inFilter = character === '{' || (inFilter && character !== '}')
  }
  return text.length
}
