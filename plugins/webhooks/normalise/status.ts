import { line } from './clean.ts'
import { names } from './names.ts'
import { isAbsent, scalarText, type Reader } from './reader.ts'
import { readTime } from './time.ts'
import { isUnresolved } from './unresolved.ts'
import {
  maxWordLength,
  titleMeanings,
  titleSaysRecovered,
  understand,
  understandKind,
  type Meaning
} from './words.ts'

export interface Status {
  readonly status: string
  readonly transition: string
  readonly firing: boolean
}

const recovered: Status = { status: 'ok', transition: 'recovered', firing: false }
const alone = (sources: readonly string[]): (readonly string[])[] => sources.map(name => [name])
const otherStatus = alone(names.otherStatus)
const eventKinds = alone(names.eventKind)
const severities = alone(names.severity)

/** What Datadog's own three fields say. */
interface Own {
  readonly words: readonly (string | null)[]
  readonly meanings: readonly Meaning[]
  /** The first short text that nobody knows. */
  readonly unknown: string | null
  readonly transition: string | null
}

/**
 * Reads what happened; a recovery named by any of Datadog's own three fields wins, every unknown word counts as
 * firing.
 */
export function readStatus(reader: Reader, title: () => string | null): Status {
  const own = readOwn(reader)
  if (own.meanings.some(item => item.status === 'ok')) return recovered
  // Where its own fields tell of a state, nothing else is asked.
  if (own.meanings.some(item => item.status !== null)) return firing(reader, own, [], undefined)
  const saysNothing = own.meanings.length === 0 && own.unknown === null
  const others = otherStatus.map(source => word(reader, source))
  const hint = hintOf(reader, title(), others, saysNothing)
  if (hint?.status === 'ok') return saysNothing ? recovered : firing(reader, own, others, undefined)
  return firing(reader, own, others, hint)
}

function readOwn(reader: Reader): Own {
  const transition = word(reader, names.transition)
  const words = [word(reader, names.alertStatus), word(reader, names.alertState), transition]
  // Datadog's $ALERT_STATUS is a sentence about the threshold, not a state, so only short texts are taken for words.
  const unknown = words.find(text => short(text) !== null && understand(text) === undefined) ?? null
  const meanings = words.map(understand).filter(item => item !== undefined)
  return { words, meanings, unknown, transition }
}

/** The words of something that is not over; where nothing tells of a state, a description alone is an alert. */
function firing(
  reader: Reader,
  { words, meanings, unknown, transition }: Own,
  others: readonly (string | null)[],
  hint: Meaning | undefined
): Status {
  const described =
    meanings.length > 0 || (unknown === null && reader.prose(names.description, 10) !== null)
  const last = described
    ? 'alert'
    : (unknown ?? [...others, ...words].find(text => text !== null) ?? 'unknown')
  const status = meanings.find(item => item.status !== null)?.status ?? hint?.status ?? last
  const sent = understand(transition)?.transition ?? short(transition) ?? meanings[0]?.transition
  const implied = unknown ?? hint?.transition ?? (status === 'alert' ? 'triggered' : status)
  return { status, transition: sent ?? implied, firing: true }
}

/**
 * The first of the weaker sources that tells of a state; those beyond the fields count only where the fields say
 * nothing.
 */
function hintOf(
  reader: Reader,
  title: string | null,
  others: readonly (string | null)[],
  saysNothing: boolean
): Meaning | undefined {
  const name = saysNothing ? reader.title(names.monitorName, 1_000) : null
  const titles = [title, name].filter(text => text !== null)
  const first = (found: readonly (Meaning | undefined)[]): Meaning | undefined =>
    found.find(item => item !== undefined && item.status !== null)
  const plain = first([
    understand(word(reader, names.alertType)),
    ...titles.flatMap(titleMeanings),
    ...others.map(understand)
  ])
  if (plain || !saysNothing) return plain
  const weak = first([
    ...eventKinds.map(source => understandKind(word(reader, source))),
    ...flags(reader),
    ...titles.map(text => (titleSaysRecovered(text) ? ok : undefined))
  ])
  return weak ?? first(severities.map(source => severity(word(reader, source))))
}

const ok: Meaning = { status: 'ok', transition: 'recovered' }

/** `resolved: true`, `firing: false`, and a time at which it ended. */
function flags(reader: Reader): Meaning[] {
  const said = (sources: readonly string[], wanted: RegExp): boolean =>
    reader
      .values(sources)
      .some(value => typeof value !== 'object' && wanted.test(String(value).trim()))
  const over =
    said(names.recoveredFlag, /^(?:true|yes|1)$/i) ||
    said(names.firingFlag, /^(?:false|no|0)$/i) ||
    reader.values(names.recoveredAt).some(value => readTime(value) !== null)
  return over ? [ok] : []
}

/** A severity is a state only where it says so: `normal` and `low` are priorities. */
function severity(text: string | null): Meaning | undefined {
  const found = /^(?:normal|low|high|info|medium|up|p[1-5])$/i.test(text ?? '')
    ? undefined
    : understand(text)
  return found?.transition === 'triggered' ? undefined : found
}

const short = (text: string | null): string | null =>
  text !== null && text.length <= maxWordLength ? text : null

function word(reader: Reader, sources: readonly string[]): string | null {
  return reader.find(sources, value => {
    const text = Array.isArray(value) ? null : scalarText(value)
    if (text === null || isUnresolved(text, false)) return null
    const cleaned = line(text, 200)
    return isAbsent(cleaned) ? null : cleaned
  })
}
