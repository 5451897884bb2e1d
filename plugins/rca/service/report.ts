import { epochMs, isoTime } from '../../../core/index.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Claim, EvidenceRow, EvidenceSlot, Report, Suspect } from '../contract.ts'
import { clock } from './clock.ts'
import { diagnose, type Diagnosis } from './diagnose.ts'
import { onsetOnWire, type Onset } from './find-onset.ts'
import type { LogGroup } from './group-logs.ts'
import type { Conclusion } from './conclude.ts'
import type { WeighedSuspect } from './rank-changes.ts'
import { isSymptom } from './symptoms.ts'
import type { AlertTime } from './window.ts'

/** The first, deterministic report: what changed around the alert, ranked, each claim with the rows it rests on. */
export function writeReport(input: {
  alert: Alert
  time: AlertTime
  slots: readonly EvidenceSlot[]
  account: string | null
  simulated: boolean
  /** What the slots say, where it is known already. */
  diagnosis?: Diagnosis
}): Report {
  const { alert, slots, time, diagnosis = diagnose(slots, alert, time.at) } = input
  const { onset, logs, suspects: weighed, culprit, conclusion } = diagnosis
  // Where nothing is wrong, nobody is suspected.
  const suspects = conclusion.verdict === 'nothing_wrong' ? [] : weighed.map(plain)
  return assertCited({
    verdict: conclusion.verdict,
    ...(conclusion.component === null ? {} : { component: conclusion.component }),
    class: conclusion.class,
    affected: [...conclusion.affected],
    remediation: { class: conclusion.remedy },
    summary: summarise(alert, culprit, suspects, slots, conclusion),
    ...(conclusion.verdict === 'nothing_wrong' ? {} : { onset: onsetOnWire(onset) }),
    window: { from: isoTime(time.window.from), to: isoTime(time.window.to) },
    suspects:
      conclusion.verdict === 'operational_cause' ? withCause(suspects, conclusion) : suspects,
    findings: [
      ...timeFindings(time, conclusion.verdict === 'nothing_wrong' ? undefined : onset),
      ...conclusion.reasons,
      ...monitorFinding(slots),
      ...logFindings(slots, logs, onset),
      ...symptomFindings(slots, onset),
      ...rowFindings(slots)
    ],
    evidence: [...slots],
    account: input.account,
    simulated: input.simulated
  })
}

const plain = ({ isDirect: _, ...suspect }: WeighedSuspect): Suspect => suspect

const timeFindings = ({ note }: AlertTime, onset: Onset | undefined): Claim[] => [
  ...(note === null ? [] : [{ text: note, evidence: [] }]),
  ...(onset === undefined
    ? []
    : [
        {
          text: `The trouble began about ${clock(isoTime(onset.at))} (${onset.source}).`,
          evidence: [...onset.evidence]
        }
      ])
]

/** What people call the alert: the monitor's own name before the webhook's title, which carries the state. */
export function alertName(alert: Alert, slots: readonly EvidenceSlot[]): string {
  const fetched = slots.find(slot => slot.slot === 'monitor')?.rows[0]?.facts['name']
  return (
    alert.monitor_name ??
    (typeof fetched === 'string' ? fetched : undefined) ??
    alert.title ??
    'Unknown monitor'
  )
}

function summarise(
  alert: Alert,
  culprit: Suspect | undefined,
  suspects: readonly Suspect[],
  slots: readonly EvidenceSlot[],
  conclusion: Conclusion
): string {
  const name = alertName(alert, slots)
  const missing = slots.filter(slot => slot.outcome === 'error' || slot.outcome === 'forbidden')
  if (!culprit && missing.length === slots.length)
    return `${name}: the cause is not established, because no question to Datadog was answered.`
  return [`${name}: ${firstLine(culprit, suspects, conclusion)}`, gaps(missing, slots.length)]
    .filter(Boolean)
    .join(' ')
}

function firstLine(
  culprit: Suspect | undefined,
  suspects: readonly Suspect[],
  { verdict, component, class: kind, reasons }: Conclusion
): string {
  if (culprit) return blame(suspects, culprit)
  if (verdict === 'nothing_wrong')
    return 'nothing is wrong: no watched figure left its usual range.'
  if (verdict === 'operational_cause')
    return (
      `most likely ${kind} at ${component}, confidence ${confidenceOf(reasons)}, ` +
      `because: ${reasons.map(({ text }) => text).join('; ')}.`
    )
  return noBlame(suspects)
}

const monitorFinding = (slots: readonly EvidenceSlot[]): Claim[] =>
  rowsOf(slots, 'monitor')
    .slice(0, 1)
    .map(row => ({ text: `The monitor watches ${row.text}`, evidence: [row.id] }))

/** A cause that is nobody's change stands before the changes that were weighed. */
function withCause(suspects: readonly Suspect[], conclusion: Conclusion): Suspect[] {
  const { component, class: kind, reasons, notices, onsetAt } = conclusion
  const own: Suspect = {
    rank: 1,
    title: `${kind} at ${component}`,
    at: isoTime(onsetAt),
    service: component,
    score: 100,
    evidence: [...new Set([...notices.map(({ id }) => id), ...reasons.flatMap(r => r.evidence)])],
    reasons: [...reasons]
  }
  return [own, ...suspects].map((one, index) => ({ ...one, rank: index + 1 }))
}

function blame(suspects: readonly Suspect[], { title, at, reasons, score }: Suspect): string {
  const next = suspects[1] ? `, the next suspect ${suspects[1].score}` : ''
  const because = reasons.map(reason => reason.text).join('; ')
  const sure = `confidence ${confidenceOf(reasons)} (score ${score} of 100${next})`
  return `most likely caused by "${title}" at ${clock(at)}, ${sure}, because: ${because}.`
}

/** How sure a conclusion may be: by how many kinds of evidence hold it, as the verdict on a model's words has it. */
function confidenceOf(reasons: readonly Claim[]): string {
  const ids = reasons.flatMap(({ evidence }) => evidence)
  const kinds = new Set(ids.map(id => /^[a-z]+/i.exec(id)?.[0] ?? id))
  return ['none', 'low', 'medium'][kinds.size] ?? 'high'
}

function noBlame({ length }: readonly Suspect[]): string {
  const found =
    length === 0
      ? 'No change was found in the hour before the onset.'
      : `${length} change${length === 1 ? ' was' : 's were'} found before the onset and none stands out.`
  return `the cause is not established. ${found}`
}

function gaps(missing: readonly EvidenceSlot[], asked: number): string {
  if (missing.length === 0) return ''
  const names = missing.map(slot => slot.slot).join(', ')
  return `${missing.length} of ${asked} questions to Datadog failed (${names}), so this may miss the cause.`
}

function logFindings(
  slots: readonly EvidenceSlot[],
  logs: readonly LogGroup[],
  onset: Onset
): Claim[] {
  const isSample = slots.find(slot => slot.slot === 'logs')?.outcome === 'truncated'
  const isOld = ({ firstAt }: LogGroup): boolean =>
    firstAt === null || firstAt < onset.at - onset.precision * 2
  // A truncated sample may hold late lines only, which says nothing of the time before.
  const reachesBack = !isSample || logs.some(isOld)
  return logs.slice(0, 5).map(group => {
    const versions = Object.entries(group.versions)
      .sort((a, b) => b[1] - a[1])
      .map(([version, count]) => `${version}: ${count}`)
      .join(', ')
    return {
      text: [
        `${group.count} ${isSample ? 'sampled ' : ''}${group.isError ? 'error' : 'log'} lines`,
        group.services.length > 0 ? ` of ${group.services.join(', ')}` : '',
        reachesBack && !isOld(group) ? ', none before the onset' : '',
        `: "${group.shape}"`,
        versions ? ` (by version ${versions})` : ''
      ].join(''),
      evidence: [...group.evidence]
    }
  })
}

/** Events that tell what the trouble did are no suspects, and are not passed over in silence. */
const symptomFindings = (slots: readonly EvidenceSlot[], onset: Onset): Claim[] =>
  rowsOf(slots, 'changes')
    .filter(row => isSymptom(row, onset))
    .slice(0, 3)
    .map(row => ({
      text: [
        `A symptom, not a change: "${String(row.facts['title'] ?? row.text)}"`,
        row.at === null ? '' : ` at ${clock(isoTime(epochMs(row.at)))}`
      ].join(''),
      evidence: [row.id]
    }))

const rowFindings = (slots: readonly EvidenceSlot[]): Claim[] =>
  ['metric', 'hosts', 'spans', 'events'].flatMap(name =>
    rowsOf(slots, name)
      .slice(0, 3)
      .map(row => ({ text: row.text, evidence: [row.id] }))
  )

const rowsOf = (slots: readonly EvidenceSlot[], name: string): readonly EvidenceRow[] =>
  slots.find(slot => slot.slot === name)?.rows ?? []

/** A claim may only cite rows that are in the report: a wrong id is a bug, not a detail. */
function assertCited(report: Report): Report {
  const known = new Set(report.evidence.flatMap(slot => slot.rows.map(row => row.id)))
  const cited = [
    ...report.suspects.flatMap(suspect => [
      ...suspect.evidence,
      ...suspect.reasons.flatMap(reason => reason.evidence)
    ]),
    ...report.findings.flatMap(claim => claim.evidence),
    ...(report.onset?.evidence ?? [])
  ]
  const unknown = cited.find(id => !known.has(id))
  if (unknown !== undefined)
    throw new Error(`the report cites '${unknown}', which is no row of its evidence`)
  return report
}
