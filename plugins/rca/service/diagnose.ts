import type { EpochMs } from '../../../core/index.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { EvidenceSlot } from '../contract.ts'
import { begunAt } from './begun.ts'
import { conclude, type Conclusion } from './conclude.ts'
import { recogniseOperational } from './engine/operational-causes.ts'
import { readSigns } from './engine/read-signs.ts'
import { findOnset, type Onset } from './find-onset.ts'
import { groupLogs, type LogGroup } from './group-logs.ts'
import { memoryGrowth } from './growth.ts'
import { incidentOf } from './incident-of.ts'
import { measureServices, type Measured } from './measure-services.ts'
import { firstEffects, nearOf } from './origin-signs.ts'
import { rankChanges, suspicionThreshold, type WeighedSuspect } from './rank-changes.ts'
import { textFact } from './read-rows.ts'

/** Everything the rows of an analysis say, before it is put into words. */
export interface Diagnosis {
  readonly onset: Onset
  readonly logs: readonly LogGroup[]
  /** The service that alerts, as far as the alert or its monitor says. */
  readonly service: string | null
  readonly measured: Measured
  /** Every change before the onset, most suspect first. */
  readonly suspects: readonly WeighedSuspect[]
  /** The change that the conclusion stands by; undefined when it is another cause, or none. */
  readonly culprit: WeighedSuspect | undefined
  readonly conclusion: Conclusion
}

// A suspect that leads by less does not stand out.
const clearLead = 10

/** Reads onset, services and causes out of the rows; pure, so that it may be asked again when more was gathered. */
export function diagnose(
  slots: readonly EvidenceSlot[],
  alert: Alert,
  alertAt: EpochMs
): Diagnosis {
  const onset = findOnset(slots, alertAt)
  const logs = groupLogs(slots)
  const service = alert.service ?? monitorService(slots)
  const watched = slots.find(slot => slot.slot === 'metric')?.asked ?? ''
  const isLatency = /duration|latency|\btime\b|\.p9\d/i.test(watched)
  const measured = measureServices(slots, service, onset.at, isLatency)
  const origin = measured.origin?.name ?? service
  const incident =
    origin === null ? undefined : incidentOf(slots, origin, onset.at, nearOf(measured, origin))
  const signs = incident && readSigns(incident)
  const begun = begunAt(slots, origin, onset.at)
  const suspects = rankChanges(slots, alert, onset, logs, {
    service: origin,
    effects: firstEffects(slots, measured, service, onset.at),
    kinds: signs?.kinds ?? new Map(),
    begun,
    growth: memoryGrowth(slots, origin, onset.at)
  })
  const [first, second] = suspects
  const culprit =
    first !== undefined &&
    first.score >= suspicionThreshold &&
    (second === undefined || first.score - second.score >= clearLead)
      ? first
      : undefined
  const recognised = incident && signs ? recogniseOperational(incident, signs) : []
  const conclusion = conclude({ service, slots, onset, measured, culprit, recognised, begun })
  return {
    onset,
    logs,
    service,
    measured,
    suspects,
    culprit: conclusion.verdict === 'suspected_change' ? culprit : undefined,
    conclusion
  }
}

const monitorService = (slots: readonly EvidenceSlot[]): string | null => {
  const row = slots.find(slot => slot.slot === 'monitor')?.rows[0]
  return (row && textFact(row, 'service')) ?? null
}
