import type { Claim, EvidenceRow, EvidenceSlot } from '../contract.ts'
import { blameOfSide, sidesOf, type Side } from './compare-sides.ts'
import type { Onset } from './find-onset.ts'
import type { LogGroup } from './group-logs.ts'

const minute = 60_000

/** A reason for or against a change, with its weight. */
export interface Weighed extends Claim {
  readonly points: number
  /** It ties the change to the trouble by more than time and place. */
  readonly isDirect?: boolean
}

interface VersionedChange {
  readonly row: EvidenceRow
  readonly at: number
  readonly evidence: string[]
}
interface Seen {
  readonly slots: readonly EvidenceSlot[]
  readonly onset: Onset
  readonly logs: readonly LogGroup[]
}

/** Whether a changed version alone does worse: by its figures where several versions serve, else by its errors. */
export function sideReason({ row, at, evidence }: VersionedChange, seen: Seen): Weighed[] {
  const { service, version } = row.facts
  if (typeof version !== 'string') return []
  const name = typeof service === 'string' ? service : undefined
  const { slots, onset, logs } = seen
  const sides = name === undefined ? [] : sidesOf(slots, name, 'version', onset.at)
  const byFigures = figuresReason(name ?? '', version, sides, evidence)
  // Where versions do alike, or one serves everything, whose errors are sampled tells nothing.
  if (byFigures ? byFigures.points < 0 : sides.length === 1) return byFigures ? [byFigures] : []
  const byLogs = versionReason(version, name, logs, evidence)
  return [...(byFigures ? [byFigures] : []), ...(byLogs ? [aged(byLogs, onset.at - at)] : [])]
}

/** Long after a rollout all errors are of the new version, whatever brought them. */
const aged = (reason: Weighed, ageMs: number): Weighed =>
  reason.points > 0
    ? { ...reason, points: reason.points * Math.exp(-Math.max(0, ageMs) / (20 * minute)) }
    : reason

function figuresReason(
  service: string,
  version: string,
  sides: readonly Side[],
  evidence: string[]
): Weighed | undefined {
  const name = sides.find(side => sameVersion(side.name, version))?.name ?? version
  const { of, evidence: cited } = blameOfSide(sides, name)
  const all = [...evidence, ...cited]
  if (of === 'alone')
    return {
      points: 45,
      isDirect: true,
      text: `only ${version} of ${service} does worse`,
      evidence: all
    }
  return of === 'unknown'
    ? undefined
    : {
        points: -40,
        text: `${service} does no worse in ${version} than in other versions`,
        evidence: all
      }
}

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
