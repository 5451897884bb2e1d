import type { Incident } from './incident.ts'
import { rules, surgeWords, type Rule } from './operational-rules.ts'
import type { BadText, MovedMetric, Signs } from './read-signs.ts'
import type { SymptomKind } from './symptom-kinds.ts'

/** A cause that is nobody's commit. */
export interface OperationalCause {
  /** From the closed lists of a report. */
  readonly class: string
  readonly remedy: string
  /** How plainly the evidence says it, 0 to 1. */
  readonly strength: number
  /** The service it is seen at. */
  readonly component: string
  readonly text: string
  readonly evidence: readonly string[]
  /** Signs of which it may be the effect of a change, where one explains them; none when no change brings it about. */
  readonly effectOf: readonly SymptomKind[]
}

/** The operational causes that the evidence names, strongest first; ties by class. */
export function recogniseOperational(incident: Incident, signs: Signs): OperationalCause[] {
  return [
    ...rules.flatMap(rule => judge(rule, signs)),
    ...outsiders(incident, signs),
    ...surge(incident, signs)
  ].sort((a, b) => b.strength - a.strength || (a.class < b.class ? -1 : 1))
}

const ids = (ones: readonly { readonly id?: string }[]): string[] =>
  ones.flatMap(({ id }) => (id === undefined ? [] : [id]))

function judge(
  { class: kind, remedy, says, shows, plainness, effectOf }: Rule,
  { texts, moved }: Signs
): OperationalCause[] {
  const said = says ? texts.filter(({ text, from }) => from !== 'metric' && says.test(text)) : []
  const shown = shows
    ? moved.filter(
        ({ metric, change }) => change.direction === shows.direction && shows.name.test(metric.name)
      )
    : []
  // A gauge alone names a cause only where words may be missing; words alone do.
  const doubt = doubtAfter(said) * (shown.length > 0 ? 0.6 : 1)
  const [first] = said.toSorted((a, b) => b.weight - a.weight)
  const component = first?.service ?? shown[0]?.metric.service
  return component === undefined
    ? []
    : [
        {
          class: kind,
          remedy,
          component,
          strength: plainness * (1 - doubt),
          text: first ? `${component} says: ${shorten(first.text)}` : describe(shown[0]),
          effectOf: effectOf ?? [],
          evidence: ids([...said, ...shown.map(({ metric }) => metric)])
        }
      ]
}

/** What remains of doubt after these texts: they name a cause, so each counts twice its share of the signs. */
const doubtAfter = (texts: readonly BadText[]): number =>
  texts.reduce((rest, { weight }) => rest * (1 - weight) ** 2, 1)

const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}...` : text)
const describe = (moved: MovedMetric | undefined): string =>
  moved
    ? [
        `${moved.metric.service} ${moved.metric.name}`,
        `went from ${moved.change.before.toPrecision(3)} to ${moved.change.after.toPrecision(3)}`
      ].join(' ')
    : ''

const hostName = /\b(?:[a-z\d-]+\.)+(?:com|net|io|org|dev|cloud|co)\b/gi
const failing =
  /timed? ?out|deadline|\b5\d\d\b|refused|unavailable|unreachable|reset|outage|degraded/i

/** Calls that fail at a host of somebody else's, by a public name that is no service here. */
function outsiders({ alert }: Incident, { texts }: Signs): OperationalCause[] {
  const found = texts.filter(
    ({ text, from }) =>
      from !== 'metric' && failing.test(text) && (text.match(hostName) ?? []).length > 0
  )
  const [first] = found.toSorted((a, b) => b.weight - a.weight)
  const host = first?.text.match(hostName)?.[0]
  return first && host !== undefined
    ? [
        {
          class: 'dependency.external',
          remedy: 'contact_provider',
          component: first.service || alert.service,
          strength: 0.85 * (1 - doubtAfter(found)),
          text: `calls of ${first.service} to ${host} fail: ${shorten(first.text)}`,
          effectOf: [],
          evidence: ids(found)
        }
      ]
    : []
}

const requestRate =
  /requests?_?(?:per|rate|count|total)|\b[rq]ps\b|hits|throughput|active_?(?:users|sessions)|concurrent/i
// Half as many requests again, all at the entries, is more than a deploy or a retry makes of itself.
const leastSurge = 1.5

/** More requests at the places where requests enter: not a service whose callers alone ask more often. */
function surge({ spans }: Incident, { moved, texts }: Signs): OperationalCause[] {
  const callees = new Set(
    spans.flatMap(span => {
      const parent = spans.find(
        other => other.spanId === span.parentId && other.traceId === span.traceId
      )
      return parent && parent.service !== span.service ? [span.service] : []
    })
  )
  const grown = moved.filter(
    ({ metric, change }) =>
      requestRate.test(metric.name) &&
      !/error|fail|retr|cpu|mem/i.test(metric.name) &&
      change.direction === 'up' &&
      change.after >= leastSurge * change.before &&
      change.before > 0
  )
  const entries = grown.filter(({ metric }) => !callees.has(metric.service))
  const said = texts.filter(({ text, from }) => from !== 'metric' && surgeWords.test(text))
  const [first] = entries
  if (!first && said.length === 0) return []
  const growth = first
    ? Math.min(0.9, 0.45 + 0.2 * Math.log2(first.change.after / first.change.before))
    : 0
  const doubt = doubtAfter(said) * (1 - growth)
  return [
    {
      class: 'load.traffic_surge',
      remedy: 'scale',
      component: first?.metric.service ?? said[0]?.service ?? '',
      strength: first ? 0.95 * (1 - doubt) : 0.6 * (1 - doubt),
      text: first ? describe(first) : `${said[0]?.service} says: ${shorten(said[0]?.text ?? '')}`,
      effectOf: ['traffic'],
      evidence: ids([...entries.map(({ metric }) => metric), ...said])
    }
  ]
}
