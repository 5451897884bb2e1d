import { epochMs, isoTime, type EpochMs } from '../../../core/index.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Claim, EvidenceRow, EvidenceSlot, Suspect } from '../contract.ts'
import { fitSymptoms, readChange } from './engine/change-meaning.ts'
import type { SymptomKind } from './engine/symptom-kinds.ts'
import type { LogGroup } from './group-logs.ts'
import { changeOf } from './incident-of.ts'
import type { Onset } from './find-onset.ts'
import { isNotice } from './notices.ts'
import { sideReason, type Weighed } from './side-reasons.ts'
import { isSymptom } from './symptoms.ts'

const minute = 60_000
/** How soon after a change its first effect shows. */
const effectMs = 2.5 * minute
/** Before the onset by this much, what moved is no part of the trouble yet. */
const leadMs = 1.5 * minute
/** A suspect, and whether more than time and place speaks against it. */
export interface WeighedSuspect extends Suspect {
  readonly isDirect: boolean
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
  /** What the trouble is a sign of, 0 to 1 each. */
  readonly kinds: ReadonlyMap<SymptomKind, number>
  /** What services began to do at the onset, by service. */
  readonly begun: ReadonlyMap<string, Claim>
  /** The origin's memory that grew all the time until the onset. */
  readonly growth: Claim | undefined
  readonly slots: readonly EvidenceSlot[]
}
/** Where the trouble begins, and what happened there. */
export interface Origin {
  readonly service: string | null
  readonly effects: readonly Effect[]
  readonly kinds: ReadonlyMap<SymptomKind, number>
  readonly begun: ReadonlyMap<string, Claim>
  readonly growth: Claim | undefined
}
/** An orchestrator does things all the time; what a person did is the likelier cause. */
const isRoutine = ({ facts }: EvidenceRow): boolean => /^kube/i.test(String(facts['source']))

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
  origin: Origin = {
    service: alert.service,
    effects: [],
    kinds: new Map(),
    begun: new Map(),
    growth: undefined
  }
): WeighedSuspect[] {
  const monitorEnv = slots.find(slot => slot.slot === 'monitor')?.rows[0]?.facts['env']
  const env = alert.env ?? (typeof monitorEnv === 'string' ? monitorEnv : null)
  const rows = slots.find(slot => slot.slot === 'changes')?.rows ?? []
  const trouble = { alert, env, onset, logs, slots, ...origin }
  return mergeRepeats(rows.filter(row => !isSymptom(row, onset) && !isNotice(row)))
    .flatMap(change => suspectOf(change, trouble))
    .sort((a, b) => b.score - a.score || (a.title < b.title ? -1 : 1))
    .slice(0, 10)
    .map((suspect, index) => ({ rank: index + 1, ...suspect }))
}

function suspectOf(change: Change, trouble: Trouble): Omit<WeighedSuspect, 'rank'>[] {
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
      isDirect: reasons.some(({ isDirect }) => isDirect === true),
      reasons: reasons.map(({ text, evidence: cited }) => ({ text, evidence: cited }))
    }
  ]
}

/** Undefined when the change cannot be a cause: it came after the trouble, or it is the alert itself. */
function weigh(change: Change, trouble: Trouble): Weighed[] | undefined {
  const { row, at, evidence } = change
  const { alert, env, onset, service: origin } = trouble
  const beforeMs = onset.at - at
  const { service, env: changeEnv, source } = row.facts
  if (beforeMs < -onset.precision || source === 'alert' || source === 'monitor') return undefined
  const minutes = Math.max(0, beforeMs / minute)
  const effect = effectReason(change, trouble)
  const begun =
    typeof service === 'string' && !isRoutine(row) ? trouble.begun.get(service) : undefined
  return [
    {
      points: 30 * Math.exp(-minutes / 15),
      text: `${minutes.toFixed(0)} min before the onset`,
      evidence: [...evidence, ...onset.evidence]
    },
    ...(effect ? [effect] : []),
    ...(begun
      ? [
          {
            points: 60,
            isDirect: true,
            text: begun.text,
            evidence: [...evidence, ...begun.evidence]
          }
        ]
      : []),
    ...(!effect && !begun && typeof service === 'string' && origin
      ? [placeReason(service, origin, alert.service, evidence)]
      : []),
    ...(typeof changeEnv === 'string' && env && sameEnv(changeEnv) !== sameEnv(env)
      ? [{ points: -60, text: `in ${changeEnv}, while the alert is in ${env}`, evidence }]
      : []),
    ...growthReason(change, trouble),
    ...meaningReason(change, trouble),
    ...sideReason(change, trouble)
  ]
}

/** A series near the origin that left its range right after the change; before the trouble it tells more. */
function effectReason(
  { row, at, evidence }: Change,
  { effects, onset }: Trouble
): Weighed | undefined {
  const effect = effects.find(one => one.at >= at - minute && one.at <= at + effectMs)
  if (!effect) return undefined
  const isLeading = effect.at <= onset.at - leadMs
  return {
    points: isRoutine(row) ? 15 : isLeading ? 45 : 25,
    isDirect: isLeading && !isRoutine(row),
    text: `${effect.metric} left its usual range right after it`,
    evidence: [...evidence, effect.id]
  }
}

/** A version whose memory grows needs hours to fall: its deploy is as suspect as one of a minute ago. */
function growthReason(
  { row, at, evidence }: Change,
  { growth, service, onset }: Trouble
): Weighed[] {
  const { service: changed, version } = row.facts
  const isOld = onset.at - at >= 20 * minute
  return growth && isOld && changed === service && typeof version === 'string'
    ? [
        {
          points: 40,
          isDirect: true,
          text: growth.text,
          evidence: [...evidence, ...growth.evidence]
        }
      ]
    : []
}

/** What the change of the origin says it does, where that explains the kind of trouble. */
function meaningReason({ row, evidence }: Change, { kinds, service: origin }: Trouble): Weighed[] {
  const change = changeOf(row)
  if (
    !change ||
    change.kind === 'flag' ||
    (change.service !== undefined && change.service !== origin)
  )
    return []
  const { fit, kind, text } = fitSymptoms(readChange(change), kinds)
  return text === undefined || fit < 0.2
    ? []
    : [
        {
          points: 45 * Math.sqrt(fit),
          isDirect: fit >= 0.4,
          text: `it ${text}, which explains ${kind}`,
          evidence
        }
      ]
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
