import { epochMs, isoTime, type EpochMs } from '../../../core/index.ts'
import type { TimeWindow } from '../../datadog-proxy/contract.ts'

const minute = 60_000

/** When an alert happened, as far as it can be believed, and the window around it. */
export interface AlertTime {
  readonly at: EpochMs
  readonly window: TimeWindow
  /** Until when an outsider's late announcement is looked for: at most half an hour later, never beyond its receipt. */
  readonly noticesUntil: EpochMs
  /** Why the alert's own time is not used, or null. */
  readonly note: string | null
}

/**
 * An hour before the alert to ten minutes after, never beyond its receipt: a late analysis looks at the same window. An
 * alert from the future is taken to have happened when it was received.
 */
export function timeOfAlert(said: number | null, receivedAt: EpochMs): AlertTime {
  const at = said === null ? receivedAt : epochMs(Math.min(said, receivedAt))
  return {
    at,
    window: {
      from: epochMs(at - 60 * minute),
      to: epochMs(Math.min(at + 10 * minute, receivedAt))
    },
    noticesUntil: epochMs(Math.min(at + 30 * minute, receivedAt)),
    // Clocks differ by seconds; that is not worth a word.
    note:
      said !== null && said - receivedAt > minute
        ? `The alert says ${isoTime(epochMs(said))}, which lies after its receipt, so the time of receipt is used.`
        : null
  }
}
