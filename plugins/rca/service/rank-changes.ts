import { isoTime, type EpochMs } from '../../../core/index.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Claim, EvidenceRow, EvidenceSlot, Suspect } from '../contract.ts'
import type { LogGroup } from './group-logs.ts'
import type { Onset } from './find-onset.ts'

const minute = 60_000
interface Weighed extends Claim {
  readonly points: number
}

/** Below this a change is listed and not suspected: nearness in time alone convicts nobody. */
export const suspicionThreshold = 50

/** Every change before the onset as a suspect, most suspect first; ties by title, so that the order never wavers. */
export function rankChanges(
  slots: readonly EvidenceSlot[],
  alert: Alert,
  onset: Onset,
  logs: readonly LogGroup[]
): Suspect[] {
  const changes = mergeRepeats(slots.find(slot => slot.slot === 'changes')?.rows ?? [])
  const monitorEnv = slots.find(slot => slot.slot === 'monitor')?.rows[0]?.facts['env']
  const env = alert.env ?? (typeof monitorEnv === 'string' ? monitorEnv : null)
  const suspects = changes.flatMap(({ row, evidence }) => {
    const reasons = weigh(row, evidence, { alert, env, onset, logs })
    if (!reasons) return []
    const score = Math.max(
      0,
      Math.min(
        100,
        reasons.reduce((sum, reason) => sum + reason.points, 0)
      )
    )
    return [
      {
        title: String(row.facts['title'] ?? row.text),
        at: isoTime((row.at ?? 0) as EpochMs),
        service: typeof row.facts['service'] === 'string' ? row.facts['service'] : null,
        score: Math.round(score),
        evidence,
        reasons: reasons.map(({ text, evidence: cited }) => ({ text, evidence: cited }))
      }
    ]
  })
  return suspects
    .sort((a, b) => b.score - a.score || (a.title < b.title ? -1 : 1))
    .slice(0, 10)
    .map((suspect, index) => ({ rank: index + 1, ...suspect }))
}

/** Undefined when the change cannot be a cause: it came after the trouble, or it is the alert itself. */
function weigh(
  row: EvidenceRow,
  evidence: string[],
  {
    alert,
    env,
    onset,
    logs
  }: { alert: Alert; env: string | null; onset: Onset; logs: readonly LogGroup[] }
): Weighed[] | undefined {
  const before = onset.at - (row.at ?? 0)
  if (
    row.at === null ||
    before < -onset.precision ||
    row.facts['source'] === 'alert' ||
    row.facts['source'] === 'monitor'
  )
    return undefined
  const minutes = Math.max(0, before / minute)
  const reasons: Weighed[] = [
    {
      points: 30 * Math.exp(-minutes / 15),
      text: `${minutes.toFixed(0)} min before the onset`,
      evidence: [...evidence, ...onset.evidence]
    }
  ]
  const { service, version, env: changeEnv } = row.facts
  if (typeof service === 'string' && alert.service) {
    reasons.push(
      service === alert.service
        ? { points: 30, text: `changes ${service}, the service that alerts`, evidence }
        : { points: -10, text: `changes ${service}, not ${alert.service}, which alerts`, evidence }
    )
  }
  if (typeof changeEnv === 'string' && env && sameEnv(changeEnv) !== sameEnv(env))
    reasons.push({ points: -60, text: `in ${changeEnv}, while the alert is in ${env}`, evidence })
  const byVersion =
    typeof version === 'string'
      ? versionReason(version, String(service ?? ''), logs, evidence)
      : undefined
  if (byVersion) reasons.push(byVersion)
  return reasons
}

// People spell the same environment in several ways, also within one organisation.
const spellings: Readonly<Record<string, string>> = {
  production: 'prod',
  prd: 'prod',
  live: 'prod',
  stage: 'staging',
  stg: 'staging',
  development: 'dev',
  develop: 'dev'
}
const sameEnv = (env: string): string => spellings[env.toLowerCase()] ?? env.toLowerCase()

/** Errors that only the changed version logs are the strongest sign; errors the other versions share speak against it. */
function versionReason(
  version: string,
  service: string,
  logs: readonly LogGroup[],
  evidence: string[]
): Weighed | undefined {
  const concerned = logs.filter(
    group =>
      Object.keys(group.versions).length > 0 &&
      (service === '' || group.services.length === 0 || group.services.includes(service))
  )
  const total = concerned.reduce(
    (sum, group) => sum + Object.values(group.versions).reduce((a, b) => a + b, 0),
    0
  )
  const mine = concerned.reduce(
    (sum, group) =>
      sum +
      Object.entries(group.versions).reduce(
        (a, [v, count]) => a + (sameVersion(v, version) ? count : 0),
        0
      ),
    0
  )
  if (total < 5) return undefined
  const share = mine / total
  const cited = concerned
    .filter(group => Object.keys(group.versions).some(v => sameVersion(v, version)))
    .flatMap(group => group.evidence)
    .slice(0, 6)
  // Around half is what two versions side by side give when the change is not the cause.
  return share >= 0.75
    ? {
        points: 40 * share,
        text: `${Math.round(share * 100)} % of the ${total} sampled errors with a version come from ${version}`,
        evidence: [...evidence, ...cited]
      }
    : {
        points: -10,
        text: `only ${Math.round(share * 100)} % of the ${total} sampled errors with a version come from ${version}`,
        evidence: [...evidence, ...cited]
      }
}
const sameVersion = (a: string, b: string): boolean => a.replace(/^v/i, '') === b.replace(/^v/i, '')

/** One deploy often writes several events: those of one service, version and env within ten minutes are one change. */
function mergeRepeats(rows: readonly EvidenceRow[]): { row: EvidenceRow; evidence: string[] }[] {
  const merged: { row: EvidenceRow; evidence: string[] }[] = []
  for (const row of [...rows].sort((a, b) => (a.at ?? 0) - (b.at ?? 0) || (a.id < b.id ? -1 : 1))) {
    const { service, version, env } = row.facts
    const twin =
      version === undefined
        ? undefined
        : merged.find(
            other =>
              other.row.facts['service'] === service &&
              other.row.facts['version'] === version &&
              other.row.facts['env'] === env &&
              (row.at ?? 0) - (other.row.at ?? 0) < 10 * minute
          )
    if (twin) twin.evidence.push(row.id)
    else merged.push({ row, evidence: [row.id] })
  }
  return merged
}
