import type { EpochMs } from '../../../core/index.ts'
import type { Claim, EvidenceRow, EvidenceSlot } from '../contract.ts'
import { causesNobodyMade } from './causes-nobody-made.ts'
import { changeKind } from './notices.ts'
import { exhaustion, lineClaims, newLines, type Known } from './origin-signs.ts'
import type { WeighedSuspect } from './rank-changes.ts'
import { inScope, rowsOf, textFact } from './read-rows.ts'

/** What the evidence says: component, class, remedy from the closed lists of a report, and what it rests on. */
export interface Conclusion {
  readonly verdict: 'suspected_change' | 'operational_cause' | 'nothing_wrong' | 'not_established'
  readonly component: string | null
  readonly class: string
  readonly remedy: string
  readonly affected: readonly string[]
  readonly reasons: readonly Claim[]
  /** Events that announce or set off a cause that is nobody's change. */
  readonly notices: readonly EvidenceRow[]
  readonly onsetAt: EpochMs
  /** How plainly the evidence says it, 0 to 1. */
  readonly strength: number
}

type Answer = Omit<Conclusion, 'affected' | 'onsetAt'>

// Below it a cause that nobody made is not named; from `plain` on it needs no help against a change.
const leastStrength = 0.5

/** Weighs a change against causes that are nobody's commit; "nothing is wrong" and "not established" are answers. */
export function conclude(known: Known): Conclusion {
  const { service, measured, onset } = known
  const troubled = measured.services.filter(one => one.isTroubled).map(({ name }) => name)
  const onsetAt = onset.at
  if (isHealthy(known, troubled.length))
    return { ...healthy, reasons: healthClaims(known), affected: [], onsetAt }
  const origin = measured.origin?.name ?? service
  const answer = choose(known, origin)
  const share = shareClaim(known, origin)
  return {
    ...answer,
    reasons: [...share, ...answer.reasons],
    // Who serves no requests, such as a worker on a queue, is affected itself.
    affected:
      troubled.length === 0 && service !== null && onset.evidence.length > 0 ? [service] : troubled,
    onsetAt
  }
}

/** A change that more than time and place speaks against comes first; else a cause nobody made, where one is plain. */
function choose(known: Known, origin: string | null): Answer {
  const change = byChange(known, origin)
  const [other] = causesNobodyMade(known, origin)
  const isPlain = other !== undefined && other.strength >= leastStrength
  if (change && (known.culprit?.isDirect === true || !isPlain)) return change
  if (!isPlain) return notEstablished
  return { verdict: 'operational_cause', ...other }
}

const healthy: Answer = {
  verdict: 'nothing_wrong',
  component: 'none',
  class: 'none',
  remedy: 'none',
  strength: 1,
  reasons: [],
  notices: []
}
const notEstablished: Answer = {
  ...healthy,
  verdict: 'not_established',
  component: null,
  strength: 0,
  class: 'unknown'
}

/** How much of the trouble begins where it begins most. */
const shareClaim = ({ measured }: Known, origin: string | null): Claim[] =>
  measured.origin === undefined
    ? []
    : [
        {
          text: measured.origin.text,
          evidence: [...(measured.services.find(({ name }) => name === origin)?.evidence ?? [])]
        }
      ]

/** The likeliest change; where it made another service run out of something, that is where and what it is. */
function byChange(known: Known, origin: string | null): Answer | undefined {
  const { culprit, slots } = known
  if (!culprit) return undefined
  const lines = newLines(known, origin)
  const exhausted = exhaustion(known, origin, lines)
  const kind = kindOfChange(culprit, slots)
  const elsewhere = culprit.service !== null && culprit.service !== origin ? exhausted : undefined
  return {
    verdict: 'suspected_change',
    component: elsewhere ? origin : (culprit.service ?? origin),
    class:
      elsewhere?.class ??
      (exhausted?.class === 'resource.memory_leak' ? exhausted.class : kind.class),
    remedy: kind.remedy,
    strength: culprit.isDirect ? 1 : 0.5,
    reasons: [...(exhausted ? [exhausted.claim] : []), ...lineClaims(lines)],
    notices: []
  }
}

/** Healthy is only what was measured and found so: the watched series did not leave its range, nor did any service. */
function isHealthy({ slots, onset, measured }: Known, troubled: number): boolean {
  const answered = ['metric', 'metric-requests'].every(name =>
    slots.some(({ slot, outcome }) => slot === name && outcome === 'rows')
  )
  return answered && measured.services.length > 0 && troubled === 0 && onset.evidence.length === 0
}

/** What was looked at and found as usual, of the service that alerts. */
function healthClaims({ slots, service, measured }: Known): Claim[] {
  const own = rowsOf(slots, 'metric-requests').filter(row => inScope(row, 'service') === service)
  return [
    {
      text: `requests, errors and durations of ${measured.services.length} services are as they were`,
      evidence: own.slice(0, 3).map(({ id }) => id)
    }
  ]
}

const classes = {
  flag: { class: 'change.feature_flag', remedy: 'flag_off' },
  config: { class: 'change.config', remedy: 'revert_config' },
  commit: { class: 'change.deploy', remedy: 'rollback' },
  deploy: { class: 'change.deploy', remedy: 'rollback' }
} as const

/** What a change is, from its event. */
function kindOfChange(
  culprit: WeighedSuspect,
  slots: readonly EvidenceSlot[]
): { readonly class: string; readonly remedy: string } {
  const row = rowsOf(slots, 'changes').find(({ id }) => culprit.evidence.includes(id))
  if (!row) return classes.deploy
  const said = `${textFact(row, 'source') ?? ''} ${culprit.title}`
  const kind = changeKind(row)
  if (kind !== 'flag' && /migration|schema/i.test(said))
    return { class: 'change.schema', remedy: 'rollback' }
  if (kind !== 'flag' && /terraform|infrastructure/i.test(said))
    return { class: 'change.infrastructure', remedy: 'revert_config' }
  return classes[kind]
}
