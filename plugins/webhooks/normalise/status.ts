import { line } from './clean.ts'
import { names } from './names.ts'
import { isAbsent, scalarText, type Reader } from './pick.ts'
import { isUnresolved } from './unresolved.ts'

export interface Status {
  readonly status: string
  readonly transition: string
  readonly firing: boolean
}
interface Meaning {
  readonly status: string | null
  readonly transition: string
}

const meaning =
  (status: string | null, transition: string) =>
  (spelling: string): [string, Meaning] => [spelling, { status, transition }]
const vocabulary = new Map<string, Meaning>([
  ...[
    'alert',
    'triggered',
    'alerting',
    'firing',
    'error',
    'critical',
    'active',
    'open',
    'opened',
    'failed',
    'failing',
    'down',
    'p1',
    'p2',
    'p3',
    'p4',
    'p5',
    'sev 1',
    'sev 2',
    'sev 3',
    'sev 4',
    'sev 5'
  ].map(meaning('alert', 'triggered')),
  ...['re triggered', 'retriggered', 're alert'].map(meaning('alert', 're-triggered')),
  ...['warn', 'warning'].map(meaning('warn', 'warn')),
  ...['re warn', 'rewarn'].map(meaning('warn', 're-warn')),
  ...['no data', 'nodata'].map(meaning('no_data', 'no_data')),
  ...['re no data', 're nodata'].map(meaning('no_data', 're-no_data')),
  ...[
    'ok',
    'recovered',
    'recovery',
    'resolved',
    'success',
    'closed',
    'normal',
    'warn recovered',
    'warning recovered',
    'alert recovered',
    'no data recovered'
  ].map(meaning('ok', 'recovered')),
  ...['renotify', 're notify', 'renotified', 're notified'].map(meaning(null, 'renotify')),
  ...['muted', 'mute'].map(meaning(null, 'muted'))
])
const notInTitles = new Set([
  'p1',
  'p2',
  'p3',
  'p4',
  'p5',
  'active',
  'open',
  'normal',
  'down',
  'critical'
])

const recovered: Status = { status: 'ok', transition: 'recovered', firing: false }
const longestWord = 32
const otherStatus = names.otherStatus.map(name => [name])

/** Reads what happened; a recovery named by any of Datadog's own three fields wins, every unknown word counts as firing. */
export function readStatus(reader: Reader, title: string | null): Status {
  const transition = word(reader, names.transition)
  const own = [word(reader, names.alertStatus), word(reader, names.alertState), transition]
  const meanings = own.map(understand).filter(item => item !== undefined)
  if (meanings.some(item => item.status === 'ok')) return recovered
  // Datadog's $ALERT_STATUS is a sentence about the threshold, not a state, so only short texts are taken for words.
  const unknown =
    own.find(
      text => text !== null && text.length <= longestWord && understand(text) === undefined
    ) ?? null
  const others = otherStatus.map(source => word(reader, source))
  const hints = [
    understand(word(reader, names.alertType)),
    ...titleMeanings(title),
    ...others.map(understand)
  ]
  const hint = hints.find(item => item !== undefined && item.status !== null)
  if (meanings.length === 0 && unknown === null && hint?.status === 'ok') return recovered
  const firing = hint?.status === 'ok' ? undefined : hint
  const described =
    meanings.length > 0 || (unknown === null && reader.prose(names.description, 10) !== null)
  const last = described
    ? 'alert'
    : (unknown ?? [...others, ...own].find(text => text !== null) ?? 'unknown')
  const status = meanings.find(item => item.status !== null)?.status ?? firing?.status ?? last
  const sent =
    understand(transition)?.transition ??
    short(transition) ??
    meanings[0]?.transition ??
    unknown ??
    firing?.transition
  return { status, transition: sent ?? (status === 'alert' ? 'triggered' : status), firing: true }
}

const short = (text: string | null): string | null =>
  text !== null && text.length <= longestWord ? text : null

function word(reader: Reader, sources: readonly string[]): string | null {
  for (const value of reader.values(sources)) {
    const text = Array.isArray(value) ? null : scalarText(value)
    if (text === null || isUnresolved(text, false)) continue
    const cleaned = line(text, 100)
    if (!isAbsent(cleaned)) return cleaned
  }
  return null
}

function understand(text: string | null): Meaning | undefined {
  return text === null || text.length > longestWord
    ? undefined
    : vocabulary.get(
        text
          .toLowerCase()
          .replace(/[\s_-]+/g, ' ')
          .trim()
      )
}

/** Datadog and Grafana write `[P1] [Triggered on {host:a}] name` and `[FIRING:2] name`. */
function titleMeanings(title: string | null): Meaning[] {
  const [brackets] = /^(?:\s?\[[^\]]{1,200}\]){1,4}/.exec(title ?? '') ?? ['']
  const words = [...brackets.matchAll(/\[([^\]:{]{1,32})/g)].map(match =>
    (match[1] ?? '').replace(/ on\s?$/i, '').trim()
  )
  return words
    .filter(text => !notInTitles.has(text.toLowerCase()))
    .map(understand)
    .filter(item => item !== undefined)
}
