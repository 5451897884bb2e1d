import { covers } from './downtime-scope.ts'
import type { Monitor } from './monitors.ts'

/** One downtime, whichever version of the API made it; times in epoch ms, `end` null for ever. */
export interface Downtime {
  readonly id: string
  readonly v1Id: number
  scope: string
  monitorId: number | null
  monitorTags: readonly string[]
  message: string | null
  start: number
  end: number | null
  recurrence: unknown
  timezone: string
  muteFirstRecovery: boolean
  endTypes: readonly string[]
  endStates: readonly string[]
  readonly created: number
  modified: number
  canceled: number | null
}

/** Datadog's word for where a downtime is in its life. */
export const downtimeStatus = (
  downtime: Downtime,
  now: number
): 'canceled' | 'ended' | 'scheduled' | 'active' =>
  downtime.canceled !== null
    ? 'canceled'
    : downtime.end !== null && downtime.end <= now
      ? 'ended'
      : downtime.start > now
        ? 'scheduled'
        : 'active'

/** True when a monitor is one of those a downtime names, whatever its groups. */
export const concerns = (downtime: Downtime, monitor: Monitor): boolean =>
  downtime.monitorId === null
    ? downtime.monitorTags.every(tag => tag === '*' || monitor.spec.tags.includes(tag))
    : downtime.monitorId === monitor.id

/** The tags of one group of a monitor: its own and those of the group. */
export const groupTags = (monitor: Monitor, group: string): string[] => [
  ...monitor.spec.tags,
  ...(group === '' ? [] : group.split(','))
]

/** The downtime that keeps a notification from being sent, if any; states are evaluated all the same. */
export function silencedBy(
  downtimes: Iterable<Downtime>,
  monitor: Monitor,
  group: string,
  at: number
): Downtime | undefined {
  return [...downtimes].find(
    downtime =>
      downtimeStatus(downtime, at) === 'active' &&
      concerns(downtime, monitor) &&
      covers(downtime.scope, groupTags(monitor, group))
  )
}
