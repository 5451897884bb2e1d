import { minuteMs } from '../../../core/index.ts'
import type { Route } from '../config.ts'
import type { Message } from '../contract.ts'
import type { Facts } from './compose.ts'

/** One channel that takes a message, by which route, and until when it is quiet there. */
export interface Chosen {
  readonly channel: string
  readonly route: string | null
  /** Seconds the message waits for the end of quiet hours; 0 when it goes at once. */
  readonly waitSeconds: number
  readonly perHour: number | null
}

/** Which channels take a message: of every route that fits; all channels where no route is configured. */
export function chooseRoute(
  routes: readonly Route[],
  channels: readonly string[],
  message: Pick<Message, 'severity' | 'state'>,
  facts: Facts,
  now: number
): Chosen[] {
  if (routes.length === 0)
    return channels.map(channel => ({ channel, route: null, waitSeconds: 0, perHour: null }))
  const chosen = new Map<string, Chosen>()
  for (const route of routes.filter(each => fits(each, message, facts)))
    for (const channel of route.channels) {
      const waitSeconds = message.severity === 'critical' ? 0 : quietSeconds(route.quiet, now)
      const before = chosen.get(channel)
      if (before && before.waitSeconds <= waitSeconds) continue
      chosen.set(channel, {
        channel,
        route: route.name,
        waitSeconds,
        perHour: route.per_hour ?? null
      })
    }
  return [...chosen.values()]
}

function fits(
  route: Route,
  { severity, state }: Pick<Message, 'severity' | 'state'>,
  { account, service, team, tags }: Facts
): boolean {
  const has = (wanted: readonly string[] | undefined, value: string | null): boolean =>
    wanted === undefined || (value !== null && wanted.includes(value))
  // What was told of a problem is told of its end too.
  const states: readonly string[] | undefined = route.states
  return (
    has(route.accounts, account) &&
    has(route.services, service) &&
    has(route.teams, team) &&
    (route.tags === undefined || route.tags.some(tag => tags.includes(tag))) &&
    (state === 'resolved' || has(route.severities, severity)) &&
    (states === undefined || states.includes(state))
  )
}

/** Seconds until quiet hours end; 0 outside of them. They may go over midnight. */
export function quietSeconds(quiet: Route['quiet'], now: number): number {
  if (!quiet) return 0
  const [from, to] = [minutesOf(quiet.from), minutesOf(quiet.to)]
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: quiet.timezone,
    hour: '2-digit',
    minute: '2-digit'
  }).format(now)
  const at = minutesOf(clock)
  const within = from <= to ? at >= from && at < to : at >= from || at < to
  if (!within) return 0
  const left = (to - at + 24 * 60) % (24 * 60)
  return Math.max(1, Math.ceil((left * minuteMs - (now % minuteMs)) / 1_000))
}

const minutesOf = (clock: string): number => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}
