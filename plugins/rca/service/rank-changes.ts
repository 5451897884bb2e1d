import { epochMs, isoTime, type EpochMs } from '../../../core/index.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Claim, EvidenceRow, EvidenceSlot, Suspect } from '../contract.ts'
import type { LogGroup } from './group-logs.ts'
import type { Onset } from './find-onset.ts'
import { isNotice } from './notices.ts'
import { isSymptom } from './symptoms.ts'

const minute = 60_000
/** How soon after a change its first effect shows. */
const effectMs = 2.5 * minute
interface Weighed extends Claim {
  readonly points: number
}

/** Below this a change is listed and not suspected: nearness in time alone convicts nobody. */
export const suspicionThreshold = 50

/** A change with its time; several events of one change are one. */
interface Change {
  readonly row: EvidenceRow
  readonly at: EpochMs
  readonly evidence: string[]
}
/** What a change is weighed against. */
interface Trouble {
  readonly alert: Alert
  readonly env: string | null
  readonly onset: Onset
  readonly logs: readonly LogGroup[]
  /** The service where the trouble begins, as far as it is known. */
  readonly service: string | null
  readonly effects: readonly Effect[]
}
/** A series near the origin that left its range at `at`, epoch ms. */
interface Effect {
  readonly at: number
  readonly metric: string
  readonly id: string
}

/** Every change before the onset as a suspect, most suspect first; ties by title, so that the order never wavers. */
export function rankChanges(
  slots: readonly EvidenceSlot[],
  alert: Alert,
  onset: Onset,
  logs: readonly LogGroup[],
  origin: { readonly service: string | null; readonly effects: readonly Effect[] } = {
    service: alert.service,
    effects: []
  }
): Suspect[] {
  const monitorEnv = slots.find(slot => slot.slot === 'monitor')?.rows[0]?.facts['env']
  const env = alert.env ?? (typeof monitorEnv === 'string' ? monitorEnv : null)
  const rows = slots.find(slot => slot.slot === 'changes')?.rows ?? []
  return mergeRepeats(rows.filter(row => !isSymptom(row, onset) && !isNotice(row)))
    .flatMap(change => suspectOf(change, { alert, env, onset, logs, ...origin }))
    .sort((a, b) => b.score - a.score || (a.title < b.title ? -1 : 1))
    .slice(0, 10)
    .map((suspect, index) => ({ rank: index + 1, ...suspect }))
}

function suspectOf(change: Change, trouble: Trouble): Omit<Suspect, 'rank'>[] {
  const reasons = weigh(change, trouble)
  if (!reasons) return []
  const { row, at, evidence } = change
  const points = reasons.reduce((sum, reason) => sum + reason.points, 0)
  return [
    {
      title: String(row.facts['title'] ?? row.text),
      at: isoTime(at),
      service: typeof row.facts['service'] === 'string' ? row.facts['service'] : null,
      score: Math.round(Math.max(0, Math.min(100, points))),
      evidence,
      reasons: reasons.map(({ text, evidence: cited }) => ({ text, evidence: cited }))
    }
  ]
}

/** Undefined when the change cannot be a cause: it came after the trouble, or it is the alert itself. */
function weigh(
  { row, at, evidence }: Change,
  { alert, env, onset, logs, service: origin, effects }: Trouble
): Weighed[] | undefined {
  const beforeMs = onset.at - at
  const { service, version, env: changeEnv, source } = row.facts
  if (beforeMs < -onset.precision || source === 'alert' || source === 'monitor') return undefined
  const minutes = Math.max(0, beforeMs / minute)
  const reasons: Weighed[] = [
    {
      points: 30 * Math.exp(-minutes / 15),
      text: `${minutes.toFixed(0)} min before the onset`,
      evidence: [...evidence, ...onset.evidence]
    }
  ]
  const effect = effects.find(one => one.at >= at - minute && one.at <= at + effectMs)
  if (effect)
    reasons.push({
      // An orchestrator does things all the time; what a person did is the likelier cause.
      points: /^kube/i.test(String(source)) ? 15 : 45,
      text: `${effect.metric} left its usual range right after it`,
      evidence: [...evidence, effect.id]
    })
  else if (typeof service === 'string' && origin)
    reasons.push(placeReason(service, origin, alert.service, evidence))
  if (typeof changeEnv === 'string' && env && sameEnv(changeEnv) !== sameEnv(env))
    reasons.push({ points: -60, text: `in ${changeEnv}, while the alert is in ${env}`, evidence })
  const byVersion =
    typeof version === 'string'
      ? versionReason(version, typeof service === 'string' ? service : undefined, logs, evidence)
      : undefined
  if (byVersion) reasons.push(byVersion)
  return reasons
}

const placeReason = (
  service: string,
  origin: string,
  alerting: string | null,
  evidence: string[]
): Weighed => {
  const what = origin === alerting ? 'which alerts' : 'where the trouble begins'
  return service === origin
    ? {
        points: 30,
        text: `changes ${service}, ${what === 'which alerts' ? 'the service that alerts' : what}`,
        evidence
      }
    : { points: -10, text: `changes ${service}, not ${origin}, ${what}`, evidence }
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

/** Errors that only the changed version logs are the strongest sign; those others share speak against it. */
function versionReason(
  version: string,
  service: string | undefined,
  logs: readonly LogGroup[],
  evidence: string[]
): Weighed | undefined {
  const concerned = logs.filter(
    group =>
      Object.keys(group.versions).length > 0 &&
      (service === undefined || group.services.length === 0 || group.services.includes(service))
  )
  const counts = concerned.flatMap(group => Object.entries(group.versions))
  const sum = (of: readonly [string, number][]): number => of.reduce((a, [, count]) => a + count, 0)
  const total = sum(counts)
  if (total < 5) return undefined
  const share = sum(counts.filter(([v]) => sameVersion(v, version))) / total
  const cited = concerned
    .filter(group => Object.keys(group.versions).some(v => sameVersion(v, version)))
    .flatMap(group => group.evidence)
    .slice(0, 6)
  const text = `${Math.round(share * 100)} % of the ${total} sampled errors with a version come from ${version}`
  // Around half is what two versions side by side give when the change is not the cause.
  return share >= 0.75
    ? { points: 40 * share, text, evidence: [...evidence, ...cited] }
    : { points: -10, text: `only ${text}`, evidence: [...evidence, ...cited] }
}
const sameVersion = (a: string, b: string): boolean => a.replace(/^v/i, '') === b.replace(/^v/i, '')

/** One deploy often writes several events: those of one service, version and env within ten minutes are one change. */
function mergeRepeats(rows: readonly EvidenceRow[]): Change[] {
  const merged: Change[] = []
  const timed = rows.flatMap(row => (row.at === null ? [] : [{ row, at: epochMs(row.at) }]))
  for (const { row, at } of timed.sort((a, b) => a.at - b.at || (a.row.id < b.row.id ? -1 : 1))) {
    const { service, version, env } = row.facts
    const twin =
      version === undefined
        ? undefined
        : merged.find(
            other =>
              other.row.facts['service'] === service &&
              other.row.facts['version'] === version &&
              other.row.facts['env'] === env &&
              at - other.at < 10 * minute
          )
    if (twin) twin.evidence.push(row.id)
    else merged.push({ row, at, evidence: [row.id] })
  }
  return merged
}
