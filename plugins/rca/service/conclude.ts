import type { EpochMs } from '../../../core/index.ts'
import type { Claim, EvidenceRow, EvidenceSlot, Suspect } from '../contract.ts'
import { isNotice } from './notices.ts'
import { exhaustion, lineClaims, newLines, operational, type Known } from './origin-signs.ts'
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
}

const leastStrength = 0.5

type Answer = Omit<Conclusion, 'affected' | 'onsetAt'>

/** Weighs a change against causes that are nobody's commit; "nothing is wrong" and "not established" are answers. */
export function conclude(known: Known): Conclusion {
  const { service, measured, onset } = known
  const troubled = measured.services.filter(one => one.isTroubled).map(({ name }) => name)
  const onsetAt = onset.at
  if (isHealthy(known, troubled.length)) return { ...healthy, affected: [], onsetAt }
  const origin = measured.origin?.name ?? service
  const answer = byChange(known, origin) ?? byOperation(known, origin) ?? notEstablished
  const share = shareClaim(known, origin)
  return { ...answer, reasons: [...share, ...answer.reasons], affected: troubled, onsetAt }
}

const healthy: Answer = {
  verdict: 'nothing_wrong',
  component: 'none',
  class: 'none',
  remedy: 'none',
  reasons: [],
  notices: []
}
const notEstablished: Answer = {
  ...healthy,
  verdict: 'not_established',
  component: null,
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
    class: elsewhere?.class ?? kind.class,
    remedy: kind.remedy,
    reasons: [...(exhausted ? [exhausted.claim] : []), ...lineClaims(lines)],
    notices: []
  }
}

/** A cause that is nobody's commit: an outsider, one of the known kinds, or something that ran out. */
function byOperation(known: Known, origin: string | null): Answer | undefined {
  const lines = newLines(known, origin)
  const outsider = outsiderOf(known, origin, lines)
  if (outsider) return outsider
  const verdict = 'operational_cause'
  const [cause] = operational(known, origin)
  if (cause && cause.strength >= leastStrength)
    return {
      verdict,
      component: cause.component,
      class: cause.class,
      remedy: cause.remedy,
      reasons: [{ text: cause.text, evidence: [...cause.evidence] }, ...lineClaims(lines)],
      notices: noticesFor(known, cause.component, cause.class)
    }
  const exhausted = exhaustion(known, origin, lines)
  if (!exhausted) return undefined
  const { claim, ...labels } = exhausted
  return { verdict, component: origin, ...labels, reasons: [claim], notices: [] }
}

/** Healthy is only what was measured and found so: the watched series did not leave its range, nor did any service. */
function isHealthy({ slots, onset, measured }: Known, troubled: number): boolean {
  const answered = ['metric', 'metric-requests'].every(name =>
    slots.some(({ slot, outcome }) => slot === name && outcome === 'rows')
  )
  return answered && measured.services.length > 0 && troubled === 0 && onset.evidence.length === 0
}

/** What a change is, from its event. */
function kindOfChange(
  culprit: Suspect,
  slots: readonly EvidenceSlot[]
): { readonly class: string; readonly remedy: string } {
  const row = rowsOf(slots, 'changes').find(({ id }) => culprit.evidence.includes(id))
  const source = row ? (textFact(row, 'source') ?? '') : ''
  if (/flag|launchdarkly/i.test(source) || /\bflag\b/i.test(culprit.title))
    return { class: 'change.feature_flag', remedy: 'flag_off' }
  if (/migration|schema/i.test(`${source} ${culprit.title}`))
    return { class: 'change.schema', remedy: 'rollback' }
  if (/config|terraform/i.test(`${source} ${culprit.title}`) && !/deploy/i.test(culprit.title))
    return { class: 'change.config', remedy: 'revert_config' }
  return { class: 'change.deploy', remedy: 'rollback' }
}

/** A name outside of the account's services that the origin calls and that its bad lines name. */
function outsiderOf(
  known: Known,
  origin: string | null,
  lines: readonly EvidenceRow[]
): Answer | undefined {
  const { measured, slots } = known
  const called = measured.calls.filter(([from]) => from === origin).map(([, to]) => to)
  const named = [...measured.outsiders]
    .filter(name => called.includes(name))
    .map(name => ({
      name,
      said: lines.filter(row => row.text.toLowerCase().includes(name.toLowerCase()))
    }))
    .filter(({ said }) => said.length >= 3 && said.length >= lines.length / 2)
    .sort((a, b) => b.said.length - a.said.length)
  const [first] = named
  if (!first) return undefined
  const client = rowsOf(slots, 'metric-requests').filter(
    row => /okhttp/.test(textFact(row, 'metric') ?? '') && inScope(row, 'service') === origin
  )
  return {
    verdict: 'operational_cause',
    component: first.name,
    class: 'dependency.external',
    remedy: 'failover',
    notices: noticesFor(known, first.name, 'dependency.external'),
    reasons: [
      {
        text: [
          `${origin} waits for ${first.name}, which is no service of this account:`,
          `"${first.said[0]?.text.slice(0, 120)}"`
        ].join(' '),
        evidence: [...first.said.slice(0, 3), ...client].map(({ id }) => id)
      }
    ]
  }
}

/** Announcements of outsiders that name the component; for what expires, the event that tells so. */
const noticesFor = ({ slots }: Known, component: string, kind: string): EvidenceRow[] =>
  rowsOf(slots, 'changes').filter(
    row =>
      row.text.toLowerCase().includes(component.toLowerCase()) &&
      (kind === 'security.certificate_expired' ? /expired/i.test(row.text) : isNotice(row))
  )
