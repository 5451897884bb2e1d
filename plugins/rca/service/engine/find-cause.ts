import type { Incident } from './incident.ts'
import { callsFromSpans, createCallGraph, reachable } from './infer-calls.ts'
import { recogniseOperational, type OperationalCause } from './operational-causes.ts'
import { rankChanges, type RankedChange } from './rank-changes.ts'
import { readSigns, type Signs } from './read-signs.ts'

/** What the evidence says the cause is, with everything that was weighed. */
export interface Cause {
  readonly verdict: 'change' | 'operational' | 'not_established'
  /** The change to blame; only with the verdict `change`. */
  readonly culprit: RankedChange | undefined
  readonly operational: OperationalCause | undefined
  readonly class: string
  readonly remedy: string
  readonly component: string
  /** Other services whose requests got worse, worst first. */
  readonly blastRadius: readonly string[]
  readonly signs: Signs
  readonly changes: readonly RankedChange[]
  readonly operationalCauses: readonly OperationalCause[]
}

// Blaming the wrong change costs more than saying none: a change must be likelier than not.
const leastScore = 0
/** Log-odds of an operational cause whose strength is 0.5, and how fast they grow with it. */
const operationalOdds = { at: 0.5, slope: 6 } as const

/** What fills up or runs out does so for a reason: where a change explains it, it is less of a cause of its own. */
function oddsOf({ strength, effectOf }: OperationalCause, best: RankedChange | undefined): number {
  const explained = best?.kind !== undefined && effectOf.includes(best.kind) ? best.fit : 0
  return operationalOdds.slope * (strength * (1 - 0.5 * explained) - operationalOdds.at)
}

/** Weighs changes against causes that are nobody's commit, and abstains where neither is likely. */
export function findCause(incident: Incident): Cause {
  const signs = readSigns(incident)
  const changes = rankChanges(incident, signs)
  const operationalCauses = recogniseOperational(incident, signs)
  const [best] = changes
  const [operational] = operationalCauses
  const odds = operational ? oddsOf(operational, best) : Number.NEGATIVE_INFINITY
  const isChange = best !== undefined && best.score > Math.max(leastScore, odds)
  const verdict = isChange ? 'change' : odds > 0 ? 'operational' : 'not_established'
  const component = firstFailing(incident, signs)
  return {
    verdict,
    culprit: isChange ? best : undefined,
    operational: verdict === 'operational' ? operational : undefined,
    ...(isChange
      ? labelsOf(best)
      : verdict === 'operational' && operational
        ? { class: operational.class, remedy: operational.remedy }
        : { class: 'unknown', remedy: 'none' }),
    component,
    blastRadius: blastRadius(incident, signs, component, isChange),
    signs,
    changes,
    operationalCauses
  }
}

/** Class and remedy of a change, from the closed lists of a report. */
function labelsOf({ change }: RankedChange): { class: string; remedy: string } {
  if (change.kind === 'flag') return { class: 'change.feature_flag', remedy: 'flag_off' }
  if (change.kind === 'config') return { class: 'change.config', remedy: 'revert_config' }
  const all = (pattern: RegExp): boolean =>
    change.files.length > 0 && change.files.every(file => pattern.test(file))
  if (change.files.some(file => /migrations?\/|\.sql$/i.test(file)))
    return { class: 'change.schema', remedy: 'rollback' }
  if (
    all(
      /(?:^|\/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|requirements[^/]*\.txt|pom\.xml|Cargo\.\w+|Gemfile\S*)$/i
    )
  )
    return { class: 'change.dependency_version', remedy: 'rollback' }
  if (all(/(?:^|\/)(?:terraform|infra|k8s|charts|helm|deploy)\/|\.tf$/i))
    return { class: 'change.infrastructure', remedy: 'revert_config' }
  if (all(/\.(?:ya?ml|toml|ini|properties|env|conf|json)$/i))
    return { class: 'change.config', remedy: 'revert_config' }
  return { class: 'change.deploy', remedy: 'rollback' }
}

/** Where the trouble began: the earliest troubled service, among equals the one deepest in the failing calls. */
function firstFailing({ alert, spans }: Incident, { troubled, onset }: Signs): string {
  const graph = createCallGraph(callsFromSpans(spans.filter(({ isError }) => isError)))
  const isNear = (at: number): boolean => at <= onset.at + Math.max(onset.precisionMs, 60_000)
  const candidates = [...troubled]
    .filter(
      ([, { firstAt, weight }]) => weight >= 0.3 && (isNear(firstAt) || !Number.isFinite(firstAt))
    )
    .map(([service]) => service)
  if (candidates.length === 0 || candidates.includes(alert.service)) {
    const deeper = candidates.filter(
      service => service !== alert.service && reachable(graph.callees, alert.service).has(service)
    )
    const deepest = deeper.find(
      service =>
        !deeper.some(other => other !== service && reachable(graph.callees, service).has(other))
    )
    return deepest ?? alert.service
  }
  return (
    candidates.toSorted(
      (a, b) => (troubled.get(b)?.weight ?? 0) - (troubled.get(a)?.weight ?? 0) || (a < b ? -1 : 1)
    )[0] ?? alert.service
  )
}

/**
 * The troubled services besides the first; where a change is the cause, without those it only calls:
 * they are asked more, not hurt.
 */
function blastRadius(
  { spans }: Incident,
  { troubled }: Signs,
  component: string,
  isChange: boolean
): string[] {
  const graph = createCallGraph(callsFromSpans(spans))
  const below = isChange ? reachable(graph.callees, component) : new Set<string>()
  return [...troubled]
    .filter(
      ([service, { weight }]) => service !== component && weight >= 0.2 && !below.has(service)
    )
    .sort(([a, one], [b, other]) => other.weight - one.weight || (a < b ? -1 : 1))
    .map(([service]) => service)
}
