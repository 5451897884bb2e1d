/** What stands for a value in a template. */
export const wildcard = '<*>'

interface Mask {
  /** A mask is tried only where the line holds this: most lines hold few of them. */
  readonly hint: string | RegExp
  readonly pattern: RegExp
  readonly by: string | ((found: string) => string)
}

const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*'
const weekday = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*'
const clock = '\\d{1,2}:\\d{2}(?::\\d{2})?(?:[.,]\\d+)?'
const verb = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE)\b/

/**
 * Values whose own punctuation would be split, longest first. No pattern may start inside another
 * match of itself, so that a hostile line costs linear time.
 */
const masks: readonly Mask[] = [
  {
    hint: '"',
    pattern: /"?\b(level|msg|message|event|error|err|reason|exception)"?\s*[:=]\s*"([^"]*)"/gi,
    by: '$1= $2 '
  },
  { hint: '://', pattern: /(?<![\w+.-])[a-z][\w+.-]*:\/\/[^\s"'<>)\]},]+/gi, by: wildcard },
  {
    hint: /\d[-/]\d/,
    pattern:
      /\b\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?/g,
    by: wildcard
  },
  {
    hint: / \d/,
    pattern: new RegExp(
      `\\b(?:${weekday},? )?${month} {1,2}\\d{1,2}\\b(?:,? +${clock})?(?: [A-Z]{3,4}\\b)?(?: +\\d{4}\\b)?`,
      'g'
    ),
    by: wildcard
  },
  { hint: /\d:\d/, pattern: new RegExp(`\\b${clock}\\b`, 'g'), by: wildcard },
  { hint: '-', pattern: /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gi, by: wildcard },
  { hint: /[\da-f][:-][\da-f]/i, pattern: /\b[\da-f]{2}(?:[:-][\da-f]{2}){5,}\b/gi, by: wildcard },
  { hint: '.', pattern: /\/?\b\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)?\b/g, by: wildcard },
  { hint: '"', pattern: /"[^"]*"/g, by: quoted },
  { hint: "'", pattern: /(?<![A-Za-z])'[^']*'(?![A-Za-z])/g, by: quotedWord },
  { hint: '.', pattern: /(?<![\w.-])[\w-]+(?:\.[\w-]+)+:\d+\b/g, by: wildcard },
  { hint: '-[', pattern: /(?<![\w-])[\w-]+-\[[\d,: -]+\]/g, by: wildcard },
  {
    hint: /[\\/]/,
    pattern: /(?<![\w<])(?:[A-Za-z]:)?(?:[\\/][\w.@%+~#$-]+)+[\\/]?/g,
    by: wildcard
  }
]

/** One plain word in single quotes is mostly part of the sentence. */
function quotedWord(found: string): string {
  return /^'[A-Za-z]+'$/.test(found) ? found : wildcard
}

/** A quoted text is a value, but the verb of a request says which operation it is. */
function quoted(found: string): string {
  const operation = verb.exec(found.slice(1))?.[0]
  return operation === undefined ? wildcard : `${operation} ${wildcard}`
}

const holds = (line: string, hint: string | RegExp): boolean =>
  typeof hint === 'string' ? line.includes(hint) : hint.test(line)

const longestLine = 1_000
/** The tokens of a line that a template keeps. */
export const maxTokens = 150
const delimiters = '=:,;()[]{}|'
const pieces = /[^\s=:,;()[\]{}|]+|[=:,;()[\]{}|]/g

/** Whether a token is punctuation that lines are split at. */
export const isDelimiter = (token: string): boolean =>
  token.length === 1 && delimiters.includes(token)

/** The tokens of a line with its values masked; what follows the first thousand characters is not looked at. */
export function maskLine(line: string): string[] {
  let text = line.length > longestLine ? line.slice(0, longestLine) : line
  for (const { hint, pattern, by } of masks)
    if (holds(text, hint))
      text = typeof by === 'string' ? text.replace(pattern, by) : text.replace(pattern, by)
  // Empty brackets hold an empty value, and leaders of dots join a label to its value.
  const tokens =
    text
      .replace(/\(\s*\)/g, `(${wildcard})`)
      .replace(/\.{2,}/g, ' ')
      .match(pieces) ?? []
  const isDump = tokens.filter(token => token === '=').length >= dumpPairs
  return collapseRuns(
    withoutUnits(tokens.map((token, index) => maskToken(token, tokens[index - 1], isDump)))
  ).slice(0, maxTokens)
}

// From this many pairs on, a line prints a state, whose flags are values; fewer are a message about them.
const dumpPairs = 3

function maskToken(token: string, before: string | undefined, isDump: boolean): string {
  if (/\d/.test(token) || token.includes(wildcard)) return wildcard
  if (before === '=' && !/^[A-Za-z]+$/.test(token) && !isDelimiter(token)) return wildcard
  if (isDump && (before === '=' || before === ':') && /^(?:true|false)$/i.test(token))
    return wildcard
  if (isQualifiedName(token) && introducers.has(before?.toLowerCase() ?? '')) return wildcard
  // Qualified names with a path, as components and resources have them.
  return /[^/]\/.*[./]/.test(token) ? wildcard : token
}

/** Words after which a value stands rather than a part of the sentence. */
export const introducers: ReadonlySet<string> = new Set(
  (
    'for from to by user host of in on at is named name file with as id node device interface ' +
    'class client package'
  ).split(' ')
)
/** `a.b.c`, but not the name of an error: which one it is says more than that there is one. */
const isQualifiedName = (token: string): boolean =>
  /^\w+(?:\.\w+){2,}$/.test(token) && !/(?:exception|error)$/i.test(token)

const unit =
  /^(?:[kmgt]?i?b|bytes?|[mµun]?s|msecs?|secs?|seconds?|mins?|minutes?|hours?|days?|[kmg]?hz|%)$/i

/** A quantity is one value with its unit, also when it is said again in brackets: `451 bytes (0.44 KB)`. */
function withoutUnits(tokens: readonly string[]): string[] {
  const kept: string[] = []
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] ?? ''
    if (kept.at(-1) !== wildcard || !unit.test(token) || tokens[index + 1] === '=') {
      kept.push(token)
      continue
    }
    const [open, value, again, close] = tokens.slice(index + 1, index + 5)
    if (open === '(' && value === wildcard && unit.test(again ?? '') && close === ')') index += 4
  }
  return kept
}

const listSeparators = new Set([',', ':', '|', ';', '/', '-', '#', '##', '.'])

/** A run of values is one: lists differ in length only. */
export function collapseRuns(tokens: readonly string[]): string[] {
  const kept: string[] = []
  for (const token of tokens) {
    if (token === wildcard) {
      if (kept.at(-1) === wildcard) continue
      if (listSeparators.has(kept.at(-1) ?? '') && kept.at(-2) === wildcard) {
        kept.pop()
        continue
      }
    }
    kept.push(token)
  }
  return kept
}
