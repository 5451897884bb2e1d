import { minuteMs } from '../../../../core/index.ts'

/** When an alert or a recovery was, in epoch milliseconds, and of which cycle. */
export interface Moment {
  readonly cycle: string | null
  /** Its own time, never later than when it was received; that of its receipt when it says none. */
  readonly at: number
  /** Whether it said its own time. */
  readonly timed: boolean
  readonly receivedAt: number
}
/** What is known of a member when its next alert comes. */
export interface LastHeard {
  readonly cycle: string | null
  /** Epoch milliseconds of the last alert or recovery, as received. */
  readonly lastAt: number
}
/** How long, in milliseconds, a new alert goes on with what was before. */
export interface Patience {
  /** After a recovery, in another cycle: 0 never. */
  readonly reopenMs: number
  /** After the last word, in any case. */
  readonly staleMs: number
}

// Senders keep no order, but what is out of order comes close together.
const reorderMs = 15 * minuteMs
const isClose = (one: Moment, other: Moment): boolean =>
  Math.abs(one.receivedAt - other.receivedAt) <= reorderMs
const isSameCycle = (one: string | null, other: string | null): boolean =>
  one !== null && one === other

/** Whether a recovery that came before its alert ends that alert. */
export const endsBeforehand = (recovery: Moment, alert: Moment): boolean =>
  isClose(recovery, alert) &&
  (recovery.timed && alert.timed
    ? recovery.at >= alert.at
    : isSameCycle(recovery.cycle, alert.cycle))

/** Whether a recovery ends what fires, and is not that of an earlier alert that was late. */
export const endsWhatFires = (recovery: Moment, alert: Moment): boolean => {
  if (recovery.timed && alert.timed) return recovery.at >= alert.at || !isClose(recovery, alert)
  return recovery.cycle === null || alert.cycle === null || recovery.cycle === alert.cycle
}

/** Whether an alert is one of before the recovery that has ended its problem. */
export const isOfBefore = (alert: Moment, recovery: Moment): boolean =>
  isClose(alert, recovery) && alert.timed && recovery.timed && alert.at < recovery.at

/** Whether an alert of what still fires is the same problem: another cycle is a problem of its own. */
export const goesOn = (
  { cycle, receivedAt }: Moment,
  last: LastHeard,
  { staleMs }: Patience
): boolean =>
  receivedAt - last.lastAt <= staleMs &&
  (cycle === null || last.cycle === null || cycle === last.cycle)

/** Whether an alert after a recovery is the same problem that flaps: within its cycle, or soon after. */
export function flaps(
  { cycle, receivedAt }: Moment,
  last: LastHeard,
  { reopenMs, staleMs }: Patience
): boolean {
  const gap = receivedAt - last.lastAt
  return isSameCycle(cycle, last.cycle) ? gap <= staleMs : reopenMs > 0 && gap <= reopenMs
}
