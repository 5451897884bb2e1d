import { isCosmeticLine, type Hunk } from './read-diff.ts'

/** What a number in code or configuration is for. */
export type Setting =
  | 'idle'
  | 'pool'
  | 'timeout'
  | 'ttl'
  | 'limit'
  | 'memory'
  | 'cpu'
  | 'replicas'
  | 'workers'
  | 'batch'
  | 'retries'
  | 'interval'
  | 'capacity'
  | 'cost'
export interface SettingChange {
  readonly setting: Setting
  readonly direction: 'lowered' | 'raised' | 'removed' | 'added'
  /** "lowers MaxOpenConns from 50 to 5". */
  readonly text: string
  /** How far it moved: the larger over the smaller, 1 when only one side is known. */
  readonly factor: number
}

/** Checked in this order: the first that a line's words fit is what its number is for. */
const settings: readonly (readonly [Setting, RegExp])[] = [
  [
    'idle',
    /idle (?:time|timeout|ms|seconds)|idle conn timeout|conn(?:ection)? (?:max )?(?:idle|life) ?time|max conn idle/
  ],
  ['ttl', /\bttl\b|expir|max age|cache (?:seconds|time|duration)|stale|lifetime|evict after/],
  ['timeout', /time ?out|deadline|grace period|wait (?:time|ms|seconds)|max wait/],
  ['retries', /\bretr(?:y|ies)\b|attempts?\b|back ?off|redeliver/],
  ['pool', /\bpool|max (?:open|idle) conn|\bconn(?:ection)?s?\b|idle conns/],
  ['memory', /\bmem(?:ory)?\b|heap|xmx|xms|\brss\b|maxmemory|old space/],
  ['cpu', /\bcpus?\b|maxprocs|cores\b|millicores/],
  [
    'replicas',
    /replicas?\b|min (?:instances|pods|size)|desired count|instances\b|shards?\b|partitions?\b/
  ],
  ['workers', /workers?\b|threads?\b|concurren|parallel|in ?flight|prefetch|consumers?\b/],
  ['batch', /\bbatch|chunk|page size|bulk|fetch size/],
  [
    'limit',
    /limit|quota|\brate\b|burst|\b[rq]ps\b|throttle|max (?:\w+ )?(?:msg|message|body|payload|request|header|upload|file)s?(?: size| bytes| length)?|max (?:requests|body|bytes|length|payload|depth|open files)|nofile/
  ],
  ['interval', /interval|period\b|\bpoll|tick|\bevery\b|refresh|schedule|cron/],
  ['capacity', /capacity|buffer|queue|backlog|max (?:size|entries|items)|\bsize\b/],
  ['cost', /\brounds?\b|cost\b|iterations?\b|work factor|compression|level\b/]
]

/** An identifier as words: `setMaxOpenConns` and `max_open_conns` say the same. */
export const wordsOfIdentifiers = (text: string): string =>
  text
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/[^A-Za-z\d]+/g, ' ')
    .toLowerCase()

const unitName =
  'nanoseconds?|microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|' +
  'ms|us|ns|[smhd](?![\\w])|[kmgt]i?b?\\b|m\\b|%'
/** A number with its unit, or a product of them as code writes durations: `15 * 60`, `5 * time.Second`. */
const quantity = new RegExp(
  `(?<![\\w.])\\d[\\d_]*(?:\\.\\d+)?(?:\\s*\\*\\s*\\d[\\d_]*)*\\s*(?:\\*\\s*)?` +
    `(?:time\\.|Duration\\.of)?(?:${unitName})?`,
  'gi'
)
const parts = new RegExp(
  `^([\\d_.*\\s]+?)\\s*(?:\\*\\s*)?(?:time\\.|Duration\\.of)?(${unitName})?$`,
  'i'
)
const scales: readonly (readonly [RegExp, number])[] = [
  [/^n(?:anoseconds?|s)$/i, 1e-9],
  [/^(?:microseconds?|us)$/i, 1e-6],
  [/^(?:milliseconds?|ms)$/i, 1e-3],
  [/^(?:seconds?|s)$/i, 1],
  [/^(?:minutes?)$/i, 60],
  [/^(?:hours?|h)$/i, 3_600],
  [/^(?:days?|d)$/i, 86_400],
  [/^k/i, 1e3],
  [/^Mi?b?$/, 1e6],
  [/^Gi?b?$/i, 1e9],
  [/^Ti?b?$/i, 1e12]
]

interface Quantities {
  /** The line with its quantities cut out: two lines with equal frames differ in numbers only. */
  readonly frame: string
  readonly values: readonly number[]
  readonly texts: readonly string[]
}

function quantitiesOf(line: string): Quantities {
  const values: number[] = []
  const texts: string[] = []
  // A bare m is a thousandth of a core, a mebibyte of memory, and else a minute.
  const bareMinutes = /cpu/i.test(line) ? 1e-3 : /mem|heap|xm[sx]/i.test(line) ? 1e6 : 60
  const frame = line.replace(quantity, found => {
    const [, factors = '', unit] = parts.exec(found.trim()) ?? []
    const scale =
      unit === 'm' ? bareMinutes : (scales.find(([name]) => name.test(unit ?? ''))?.[1] ?? 1)
    values.push(
      factors
        .replaceAll('_', '')
        .split('*')
        .reduce((product, factor) => product * Number(factor), scale)
    )
    texts.push(found.trim())
    return '#'
  })
  return { frame: frame.replace(/\s+/g, ' '), values, texts }
}

/** The settings whose value a hunk changes: limits, timeouts, pools, caches, with the direction of the change. */
export function settingChanges(hunk: Hunk): SettingChange[] {
  const sided = (lines: readonly string[]): Sided[] =>
    lines.filter(line => !isCosmeticLine(line)).map(line => ({ line, ...quantitiesOf(line) }))
  const [removed, added] = [sided(hunk.removed), sided(hunk.added)]
  // What new code sets for itself bounds nothing that was there.
  const isNew = hunk.removed.length === 0 && hunk.context.every(line => line === '')
  const paired = added.flatMap(now => {
    const was = removed.find(
      before => before.frame === now.frame && before.values.length > 0 && before.line !== now.line
    )
    return was ? numberChange(was, now, hunk) : []
  })
  const one = (
    lines: typeof added,
    others: typeof added,
    direction: 'added' | 'removed'
  ): SettingChange[] =>
    lines.flatMap(({ line, values }) => {
      const setting = values.length > 0 ? settingOf(line) : undefined
      if (!setting || others.some(other => settingOf(other.line) === setting)) return []
      const text = `${direction === 'added' ? 'sets' : 'drops'} ${shorten(line)}`
      return [{ setting, direction, text, factor: 1 }]
    })
  return [
    ...paired,
    ...(isNew ? [] : one(added, removed, 'added')),
    ...one(removed, added, 'removed')
  ]
}

type Sided = Quantities & { readonly line: string }

function numberChange(was: Sided, now: Sided, hunk: Hunk): SettingChange[] {
  return now.values.flatMap((value, index) => {
    const before = was.values[index]
    if (before === undefined || before === value) return []
    const setting = settingOf(now.line) ?? settingOf([hunk.header, ...hunk.context].join(' '))
    if (!setting) return []
    const direction = value < before ? 'lowered' : 'raised'
    const name = /[A-Za-z_][\w.-]*(?=\W*$)/.exec(now.frame.split('#')[0] ?? '')?.[0] ?? setting
    const verb = direction === 'lowered' ? 'lowers' : 'raises'
    const text = `${verb} ${name} from ${was.texts[index]} to ${now.texts[index]}`
    const small = Math.min(value, before)
    return [{ setting, direction, text, factor: small > 0 ? Math.max(value, before) / small : 100 }]
  })
}

const settingOf = (text: string): Setting | undefined => {
  const words = wordsOfIdentifiers(text)
  return settings.find(([, pattern]) => pattern.test(words))?.[0]
}

const shorten = (line: string): string => (line.length > 60 ? `${line.slice(0, 57)}...` : line)

const verbs = {
  lowered:
    /\b(?:lower|reduce|decrease|shrink|cut|shorten|tighten|trim|drop|halve|right-?size|down-?size)\w*\b/i,
  raised: /\b(?:raise|increase|bump|extend|enlarge|grow|double|widen|up-?size)\w*\b/i
} as const

/** The same read from what a change says of itself, for changes whose diff nobody has. */
export function settingInWords(message: string): SettingChange[] {
  const told = message.split(/[;\n]|\. /).flatMap(numbersInWords)
  if (told.length > 0) return told
  const setting = settingOf(message)
  const direction = (['lowered', 'raised'] as const).find(one => verbs[one].test(message))
  return setting && direction
    ? [{ setting, direction, text: `says: ${shorten(message)}`, factor: 1 }]
    : []
}

/** "the cache TTL from 900 s to 5 s", "ttl: 900 -> 5": both numbers say the direction, whatever the verb. */
function numbersInWords(sentence: string): SettingChange[] {
  const setting = settingOf(sentence)
  const [, was, now] =
    /(?<![\w.])(\d[\d_.]{0,12} ?[a-z%]{0,12}) ?(?:to|->|→|=>) ?(\d[\d_.]{0,12} ?[a-z%]{0,12})/i.exec(
      sentence
    ) ?? []
  // Versions are numbers too, and no setting.
  if (!setting || was === undefined || now === undefined || /\d\.\d+\.\d/.test(was + now)) return []
  const [before] = quantitiesOf(was).values
  const [after] = quantitiesOf(now).values
  if (before === undefined || after === undefined || before === after) return []
  const small = Math.min(before, after)
  return [
    {
      setting,
      direction: after < before ? 'lowered' : 'raised',
      text: `says: ${shorten(sentence.trim())}`,
      factor: small > 0 ? Math.max(before, after) / small : 100
    }
  ]
}
