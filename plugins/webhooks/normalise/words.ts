/** What a status word says; `status` is null where the word tells of no state, as "renotify". */
export interface Meaning {
  readonly status: string | null
  readonly transition: string
}

const meaning =
  (status: string | null, transition: string) =>
  (spelling: string): [string, Meaning] => [spelling, { status, transition }]
const list = (words: string): string[] => words.split(', ')
const vocabulary = new Map<string, Meaning>([
  ...list(
    'alert, triggered, trigger, alerting, firing, fired, error, critical, fatal, active, open, opened'
  ).map(meaning('alert', 'triggered')),
  ...list('failed, failing, down, p1, p2, p3, p4, p5, sev 1, sev 2, sev 3, sev 4, sev 5').map(
    meaning('alert', 'triggered')
  ),
  ...list('re triggered, retriggered, re alert').map(meaning('alert', 're-triggered')),
  ...list('warn, warning').map(meaning('warn', 'warn')),
  ...list('re warn, rewarn').map(meaning('warn', 're-warn')),
  ...list('no data, nodata').map(meaning('no_data', 'no_data')),
  ...list('re no data, re nodata').map(meaning('no_data', 're-no_data')),
  ...list('success, successful, normal, healthy, all clear, up, inactive, fixed, restored').map(
    meaning('ok', 'recovered')
  ),
  ...list('renotify, re notify, renotified, re notified').map(meaning(null, 'renotify')),
  ...list('muted, mute').map(meaning(null, 'muted'))
])
const notInTitles = new Set(list('p1, p2, p3, p4, p5, active, open, normal, down, up, critical'))
const recovery: Meaning = { status: 'ok', transition: 'recovered' }

const stem = '(?:recover|resolv|clear|clos)[a-z]*|ok(?:ay)?(?![a-z])|(?:back to|returned to) normal'
const beginsRecovered = new RegExp(`^(?:${stem})`)
// `Warn Recovered`, `auto resolved`, `alert closed`; what is only expected, or did not happen, does not count.
const endsRecovered =
  /(?:^| )(?:recovered|recovery|resolved|cleared|closed|okay|ok|back to normal|returned to normal)$/
const denied =
  /\b(?:not|never|un|non|cannot|fail\w*|unable|until|await\w*|pending|error|without|if)\b/
const changeOfState = /^(.{1,40}?) *(->|=>|→|\bto\b) *(.{1,40})$/

/** Longer texts are sentences: a sentence may tell of a recovery, and names no other state. */
export const maxWordLength = 32
const maxSentenceLength = 200

const understood = new Map<string, Meaning | undefined>()
const maxRemembered = 2_000

/** What a status field says, by the stems of its words; undefined for words nobody knows. */
export function understand(text: string | null): Meaning | undefined {
  if (text === null || text.length > maxSentenceLength) return undefined
  // Senders use few words, and sentences that come again, so the last ones are kept.
  const known = understood.get(text)
  if (known || understood.has(text)) return known
  if (understood.size >= maxRemembered) understood.clear()
  const meant = readWords(text)
  understood.set(text, meant)
  return meant
}

function readWords(text: string): Meaning | undefined {
  const words = spelled(text)
  const known = vocabulary.get(words)
  if (known) return known
  const change = afterChange(words)
  if (change) return change
  if (saysRecovered(words)) return recovery
  return text.length > maxWordLength ? undefined : byFirstWords(words)
}

/** `Warn -> OK`, `alert to ok`: what it has become; the word "to" joins two states, or it is of a sentence. */
function afterChange(words: string): Meaning | undefined {
  const [, before = '', sign, after = ''] = changeOfState.exec(words) ?? []
  if (sign === undefined) return undefined
  if (sign === 'to' && (denied.test(words) || !understand(before))) return undefined
  return understand(after)
}

/** The words of a text with one space between them: `[ALERT_Resolved!]` is `alert resolved`. */
const spelled = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[\s_./:-]+(?!>)/g, ' ')
    .replace(/^[^a-z0-9]+|[^a-z0-9)]+$/g, '')
    .replace(/ +/g, ' ')

function saysRecovered(words: string): boolean {
  if (denied.test(words)) return false
  return beginsRecovered.test(words) || endsRecovered.test(words.replace(/\)$/, ''))
}

/** `Triggered (Warn)`, `No Data since 5m`: the longest beginning that is known, recoveries apart. */
function byFirstWords(text: string): Meaning | undefined {
  const words = text.split(/[ (,;|]+/)
  for (let count = words.length - 1; count > 0; count--) {
    const known = vocabulary.get(words.slice(0, count).join(' '))
    if (known && known.status !== 'ok') return known
  }
  return undefined
}

/** What the kind of an event says, as `monitor.recovered` or `incident_closed`; kinds of monitors say nothing. */
export function understandKind(text: string | null): Meaning | undefined {
  if (text === null || text.length > 100) return undefined
  const words = spelled(text)
  if (saysRecovered(words)) return recovery
  return /(?:^| )(?:triggered|firing|fired|opened)$/.test(words)
    ? { status: 'alert', transition: 'triggered' }
    : undefined
}

/** Datadog and Grafana write `[P1] [Triggered on {host:a}] name` and `[FIRING:2] name`. */
export function titleMeanings(title: string): Meaning[] {
  const [brackets] = /^(?:[^[\]\w]{0,8}\[[^\]]{1,200}\]){1,4}/.exec(title) ?? ['']
  return [...brackets.matchAll(/\[([^\]:{]{1,48})/g)]
    .map(match => (match[1] ?? '').replace(/ on\s?$/i, '').trim())
    .filter(text => !notInTitles.has(text.toLowerCase()))
    .map(understand)
    .filter(item => item !== undefined)
}

const titleBegins = new RegExp(
  `^[^a-z0-9]{0,8}(?:${stem})(?:\\s{0,4}[:|]|\\s{1,4}[–—-]\\s|\\s{0,4}$)`
)
const isNow = String.raw`\b(?:has|have|is|are|was|were)\s(?:now\s|been\s){0,2}`
const titleEnds = new RegExp(
  String.raw`(?:[([–—:-]\s{0,4}|${isNow})(?:recovered|resolved|cleared|closed|ok|okay|back to normal)` +
    String.raw`\s{0,4}[)\].!]{0,2}$|\b(?:is|are|now|gone) back to normal\b`
)

/**
 * Whether a title without brackets tells of a recovery: `RESOLVED: CPU`, `CPU (recovered)`, `CPU is back to
 * normal`.
 */
export function titleSaysRecovered(title: string): boolean {
  const text = title.toLowerCase()
  if (denied.test(text.replace(/\berrors?\b/g, ''))) return false
  return titleBegins.test(text) || titleEnds.test(text)
}
