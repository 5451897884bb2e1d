import { isoTime } from '../../../core/index.ts'
import type { TimeWindow } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Claim, EvidenceSlot, Report, Suspect } from '../contract.ts'
import { findOnset, onsetOnWire, type Onset } from './find-onset.ts'
import { groupLogs, type LogGroup } from './group-logs.ts'
import { rankChanges, suspicionThreshold } from './rank-changes.ts'

/** The first, deterministic report: what changed around the alert, ranked, each claim with the rows it rests on. */
export function writeReport(input: {
  alert: Alert
  alertAt: TimeWindow['from']
  slots: readonly EvidenceSlot[]
  window: TimeWindow
  account: string | null
  simulated: boolean
}): Report {
  const { alert, slots } = input
  const onset = findOnset(slots, input.alertAt)
  const logs = groupLogs(slots)
  const suspects = rankChanges(slots, alert, onset, logs)
  const first = suspects[0]
  const clear =
    first !== undefined &&
    first.score >= suspicionThreshold &&
    first.score - (suspects[1]?.score ?? 0) >= 10
  const report: Report = {
    verdict: clear ? 'suspected_change' : 'not_established',
    summary: summarise(alert, clear ? first : undefined, suspects, slots),
    onset: onsetOnWire(onset),
    window: { from: isoTime(input.window.from), to: isoTime(input.window.to) },
    suspects,
    findings: findings(slots, logs, onset),
    evidence: [...slots],
    account: input.account,
    simulated: input.simulated
  }
  return assertCited(report)
}

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
  slots: readonly EvidenceSlot[]
): string {
  const name = alertName(alert, slots)
  const missing = slots.filter(slot => slot.outcome === 'error' || slot.outcome === 'forbidden')
  const gaps =
    missing.length === 0
      ? ''
      : ` ${missing.length} of ${slots.length} questions to Datadog failed (${missing.map(slot => slot.slot).join(', ')}), so this may miss the cause.`
  if (culprit)
    return `${name}: most likely caused by "${culprit.title}" at ${culprit.at} (${culprit.reasons.map(reason => reason.text).join('; ')}).${gaps}`
  if (missing.length === slots.length)
    return `${name}: the cause is not established, because no question to Datadog was answered.`
  return `${name}: the cause is not established. ${suspects.length === 0 ? 'No change was found in the hour before the onset.' : `${suspects.length} change${suspects.length === 1 ? ' was' : 's were'} found before the onset and none stands out.`}${gaps}`
}

function findings(
  slots: readonly EvidenceSlot[],
  logs: readonly LogGroup[],
  onset: Onset
): Claim[] {
  const claims: Claim[] = [
    {
      text: `The trouble began about ${isoTime(onset.at)} (${onset.source}).`,
      evidence: [...onset.evidence]
    }
  ]
  const logSlot = slots.find(slot => slot.slot === 'logs')
  const isSample = logSlot?.outcome === 'truncated'
  const reachesBack =
    !isSample || logs.some(group => group.firstAt < onset.at - onset.precision * 2)
  for (const group of logs.slice(0, 5)) {
    const versions = Object.entries(group.versions)
      .sort((a, b) => b[1] - a[1])
      .map(([version, count]) => `${version}: ${count}`)
      .join(', ')
    // A truncated sample may hold late lines only, which says nothing of the time before.
    const isNew = reachesBack && group.firstAt >= onset.at - onset.precision * 2
    claims.push({
      text: `${group.count} ${isSample ? 'sampled ' : ''}error lines${group.services.length > 0 ? ` of ${group.services.join(', ')}` : ''}${isNew ? ', none before the onset' : ''}: "${group.shape}"${versions ? ` (by version ${versions})` : ''}`,
      evidence: [...group.evidence]
    })
  }
  for (const slot of slots) {
    if (slot.slot === 'hosts')
      claims.push(...slot.rows.slice(0, 3).map(row => ({ text: row.text, evidence: [row.id] })))
    if (slot.slot === 'metric')
      claims.push(...slot.rows.slice(0, 3).map(row => ({ text: row.text, evidence: [row.id] })))
  }
  return claims
}

/** A claim may only cite rows that are in the report: a wrong id is a bug, not a detail. */
function assertCited(report: Report): Report {
  const known = new Set(report.evidence.flatMap(slot => slot.rows.map(row => row.id)))
  const cited = [
    ...report.suspects.flatMap(suspect => [
      ...suspect.evidence,
      ...suspect.reasons.flatMap(reason => reason.evidence)
    ]),
    ...report.findings.flatMap(claim => claim.evidence),
    ...report.onset.evidence
  ]
  const unknown = cited.find(id => !known.has(id))
  if (unknown !== undefined)
    throw new Error(`the report cites '${unknown}', which is no row of its evidence`)
  return report
}
