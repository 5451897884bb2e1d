import type { Claim, EvidenceRow, EvidenceSlot } from '../contract.ts'
import { findStep } from './engine/change-points.ts'
import { createCallGraph, reachable } from './engine/infer-calls.ts'
import type { OperationalCause } from './engine/operational-causes.ts'
import { kindsOf } from './engine/symptom-kinds.ts'
import { memoryGrowth } from './growth.ts'
import type { Onset } from './find-onset.ts'
import type { Measured } from './measure-services.ts'
import type { WeighedSuspect } from './rank-changes.ts'
import { inScope, rowsOf, seriesOf, textFact } from './read-rows.ts'

/** What a conclusion is drawn from. */
export interface Known {
  /** The service that alerts. */
  readonly service: string | null
  readonly slots: readonly EvidenceSlot[]
  readonly onset: Onset
  readonly measured: Measured
  /** The change that is clearly the likeliest, or undefined. */
  readonly culprit: WeighedSuspect | undefined
  /** Recognised causes that are nobody's commit, strongest first. */
  readonly recognised: readonly OperationalCause[]
  /** What services began to do at the onset. */
  readonly begun: ReadonlyMap<string, Claim>
}
const minute = 60_000

const isBad = (row: EvidenceRow): boolean =>
  /error|critical|emerg|warn/i.test(textFact(row, 'status') ?? '')

/** Bad lines of a service since the onset. */
export const newLines = ({ slots, onset }: Known, service: string | null): EvidenceRow[] =>
  rowsOf(slots, 'logs').filter(
    row =>
      isBad(row) &&
      row.at !== null &&
      row.at >= onset.at - minute &&
      (service === null || textFact(row, 'service') === service)
  )
/** The first error among lines, as a claim. */
export const lineClaims = (lines: readonly EvidenceRow[]): Claim[] => {
  const line = lines.find(row => /error|critical/i.test(textFact(row, 'status') ?? ''))
  return line
    ? [{ text: `since then it logs "${line.text.slice(0, 120)}"`, evidence: [line.id] }]
    : []
}

/** What runs out at a service or at what it uses, in words of its log lines and in series that moved with them. */
const exhaustions = [
  {
    kind: 'pool',
    class: 'resource.connection_pool',
    remedy: 'raise_limit',
    metric: /pending|connections|idle_in_tr/
  },
  {
    kind: 'descriptors',
    class: 'resource.file_descriptors',
    remedy: 'raise_limit',
    metric: /descriptor|fds/
  },
  { kind: 'threads', class: 'resource.thread_pool', remedy: 'raise_limit', metric: /thread/ },
  { kind: 'disk', class: 'resource.disk', remedy: 'free_space', metric: /disk/ },
  { kind: 'memory', class: 'resource.memory', remedy: 'scale', metric: /mem|heap/ }
] as const

/** What runs out at the origin: its lines say so and a series moved with them; undefined without both. */
export function exhaustion(
  { slots, measured, onset }: Known,
  origin: string | null,
  lines: readonly EvidenceRow[]
): { class: string; remedy: string; claim: Claim } | undefined {
  const near = new Set([
    origin,
    ...measured.calls.filter(([from]) => from === origin).map(([, to]) => to)
  ])
  for (const { kind, class: name, remedy, metric } of exhaustions) {
    const said = lines.filter(row => kindsOf(row.text).includes(kind) || isPoolLine(kind, row.text))
    const shown = rowsOf(slots, 'metric-resources').filter(
      row => metric.test(textFact(row, 'metric') ?? '') && near.has(inScope(row, 'service') ?? null)
    )
    if (said.length < 2 || shown.length === 0) continue
    const growth = kind === 'memory' ? memoryGrowth(slots, origin, onset.at) : undefined
    return {
      class: growth ? 'resource.memory_leak' : name,
      remedy: growth ? 'restart' : remedy,
      claim: {
        text: [
          `${origin} says "${said[0]?.text.slice(0, 120)}", and`,
          shown.map(row => textFact(row, 'metric')).join(', '),
          'left the usual range'
        ].join(' '),
        evidence: [...said.slice(0, 3), ...shown].map(({ id }) => id)
      }
    }
  }
  return undefined
}
const isPoolLine = (kind: string, text: string): boolean =>
  kind === 'pool' && /connection is not available|hikaripool/i.test(text)

/** The services around the origin: whom it calls, and who calls it, at any distance; they see its trouble. */
export function nearOf({ calls }: Measured, origin: string): Set<string> {
  const graph = createCallGraph(calls)
  return new Set([
    origin,
    ...(graph.callees.get(origin) ?? []),
    ...reachable(graph.callers, origin)
  ])
}

/**
 * Series of the origin, or of what it calls, that left their range just after a time: what a change
 * there did first.
 */
export function firstEffects(
  slots: readonly EvidenceSlot[],
  measured: Measured,
  alerting: string | null,
  until: number
): { readonly at: number; readonly metric: string; readonly id: string }[] {
  const origin = measured.origin?.name ?? alerting
  const near = new Set([
    origin,
    ...measured.calls.filter(([from]) => from === origin).map(([, to]) => to)
  ])
  const found = rowsOf(slots, 'metric-resources').flatMap(row => {
    if (!near.has(inScope(row, 'service') ?? null)) return []
    const step = findStep(seriesOf(row), until + 5 * minute)
    return step && step.at <= until + minute
      ? [{ at: step.at, metric: textFact(row, 'metric') ?? '', id: row.id }]
      : []
  })
  // What moved later may be the trouble itself; only the first to move tells of what set it off.
  const first = Math.min(...found.map(({ at }) => at))
  return found.filter(({ at }) => at <= first + minute)
}
